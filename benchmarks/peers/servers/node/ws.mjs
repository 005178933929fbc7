// A chat server on ws, as its documentation has it: each message is sent to all other clients that are open.
import { WebSocket, WebSocketServer } from "ws";

const [host, port] = process.argv[2].split(":");
const server = new WebSocketServer({ host, port: Number(port) });
server.on("connection", (from) => {
  from.on("error", () => {});
  from.on("message", (data, binary) => {
    for (const to of server.clients) {
      if (to !== from && to.readyState === WebSocket.OPEN) to.send(data, { binary });
    }
  });
});
