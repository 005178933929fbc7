// A chat server on Socket.IO, as its documentation has it: each message is broadcast to all but its sender.
import { createServer } from "node:http";
import { Server } from "socket.io";

const [host, port] = process.argv[2].split(":");
const http = createServer();
const io = new Server(http);
io.on("connection", (socket) => {
  socket.on("message", (text) => socket.broadcast.emit("message", text));
});
http.listen(Number(port), host);
