// What a program in TypeScript may write. It is looked at, and never run.

import { Hub, type Ack, type HubError, type Message, type Outgoing, type Person, type Room } from "../hub.js";

const hub = new Hub("ws://localhost:8081/ws", { name: "Ada", token: async () => (await fetch("/token")).text() });
const home: Hub = new Hub(["wss://a/ws", "wss://b/ws"], { connect: false, client: hub.client, outbox: [...hub.outbox.values()] });
const lobby: Room = hub.join("lobby", { history: 50 });
const stop: () => void = lobby.on("message", (m: Message) => console.log(m.from.name ?? m.from.id, m.data, m.latency + 1, m.hub));
lobby.on("gap", ({ count, away }) => console.log((count ?? 0) + (away ?? 0)));
lobby.on("people", (room) => console.log([...(room.people?.values() ?? [])].map((p: Person) => p.hub + p.name)));
lobby.addEventListener("message", (e) => console.log((e as CustomEvent<Message>).detail.id));
hub.on("state", ({ state, why, code }) => console.log(state === "refused" ? `${why} ${code}` : state));
hub.on("sending", (m: Outgoing) => console.log(m.key, m.state));

export async function talk(): Promise<Ack["scope"]> {
	const { id, position, scope } = await lobby.send({ text: "hi" });
	await lobby.send("text");
	await lobby.send(Uint8Array.of(1, 2));
	try {
		await lobby.send(new ArrayBuffer(2));
	} catch (e) {
		console.log((e as HubError).code, (e as HubError).fix);
	}
	for await (const m of lobby) {
		console.log(m.time.getTime(), m.history, id, position);
		break;
	}
	stop();
	lobby.leave();
	home.connect();
	return scope;
}

// @ts-expect-error there is no such event
lobby.on("mesage", () => {});
// @ts-expect-error nor such an option
new Hub("ws://localhost:8081/ws", { nmae: "Ada" });
// @ts-expect-error a function is no data
export const bad = async () => (await lobby.send(undefined)).scope;
