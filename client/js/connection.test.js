// How the client connects, and stays connected, with a peer that says what each test wants said.

import assert from "node:assert/strict";
import test from "node:test";

import { Hub } from "./hub.js";
import { Heard, Peer, until } from "./testing/peer.js";

async function peers(t, n) {
	const all = [];
	for (let i = 0; i < n; i++) all.push(await Peer.start());
	t.after(() => Promise.all(all.map((peer) => peer.stop())));
	return all;
}

function client(t, urls, options) {
	const hub = new Hub(urls, { wait: 10, again: 100, ...options });
	t.after(() => hub.disconnect());
	return hub;
}

const state = (hub, wanted) => until(() => hub.state === wanted, `the state ${wanted}, which is ${hub.state}`);

/** A socket in which nothing happens but what a test does. */
function still() {
	const wire = { sockets: [] };
	wire.WebSocket = class {
		constructor() {
			wire.sockets.push(this);
			wire.now = this;
			this.sent = [];
			queueMicrotask(() => this.onopen());
		}
		send(text) {
			this.sent.push(JSON.parse(text));
		}
		close() {
			this.closed = true;
		}
		take(...frames) {
			for (const f of frames) this.onmessage({ data: JSON.stringify(f) });
		}
		greet(more) {
			this.take({ type: "welcome", client: { id: "me1", secret: "s" }, hub: "hub1", time: "2026-11-26T08:00:00.000Z", ...more },
				{ type: "status", isolated: false });
		}
	};
	return wire;
}

const settle = async () => {
	for (let i = 0; i < 10; i++) await Promise.resolve();
};

test("connects by itself, or when it is told to", async (t) => {
	const [peer] = await peers(t, 1);
	const hub = client(t, peer.url, { connect: false, name: "Ada" });
	const states = [];
	hub.on("state", ({ state }) => states.push(state));
	await settle();
	assert.equal(hub.state, "disconnected");
	hub.connect();
	hub.connect();
	await state(hub, "connected");
	assert.equal(hub.hub, "hub1");
	const session = await peer.next();
	assert.equal(session.hello.name, "Ada");
	session.send({ type: "status", isolated: true });
	await state(hub, "isolated");
	hub.disconnect();
	hub.connect();
	await state(hub, "connected");
	assert.deepEqual(states, ["connecting", "connected", "isolated", "disconnected", "connecting", "connected"]);
	assert.equal(peer.opened, 2);
});

test("frames that are none, and of later kinds, do no harm", async (t) => {
	const [peer] = await peers(t, 1);
	const hub = client(t, peer.url);
	const room = hub.join("lobby");
	const got = new Heard(room, "message");
	const session = await peer.next();
	session.send({ type: "there", room: "lobby", count: 1, log: false }, "", "nonsense", "null", "[]", "5", '"x"', {}, { type: 5 },
		{ type: "later", room: "lobby" }, { type: "message" }, { type: "message", room: "lobby" }, { type: "message", room: {}, data: {} },
		{ type: "message", room: "lobby", kind: "binary", data: "$" }, { type: "message", room: "lobby", kind: "video", data: "x" },
		{ type: "there", room: "lobby", people: [null, 7, { id: "a", name: {} }], count: "many" }, { type: "joined", room: "lobby" },
		{ type: "ack" }, { type: "ack", key: "?" }, { type: "error" }, { type: "bye", retry: "soon" }, { type: "emit", room: "lobby" },
		{ type: "subscribed", room: "lobby" }, { type: "welcome" },
		{ type: "message", room: "lobby", id: "x/1", from: { id: "x" }, kind: "text", data: "at last", time: "never" });
	const m = await got.next();
	assert.deepEqual([m.data, m.scope, m.latency], ["at last", "live", NaN]);
	assert.equal(hub.state, "connected");
});

test("another hub where home is away, and home again", async (t) => {
	const [home, other] = await peers(t, 2);
	const hub = client(t, [home.url, other.url]);
	(await home.next()).cut();
	home.greet = (session) => session.cut();
	const session = await other.next();
	await state(hub, "connected");
	assert.equal(hub.url, other.url);
	delete home.greet;
	session.cut();
	await home.next();
});

test("waits longer each time, and as bye says", async (t) => {
	t.mock.timers.enable({ apis: ["setTimeout", "setInterval"] });
	t.mock.method(Math, "random", () => 1 - Number.EPSILON);
	const wire = still();
	const hub = client(t, "ws://hub", { WebSocket: wire.WebSocket, wait: 500 });
	await settle();
	for (const wait of [500, 1000, 2000, 4000, 8000, 16000, 16000]) {
		const { length } = wire.sockets;
		wire.now.onclose({ code: 1006, reason: "" });
		assert.equal(hub.state, "reconnecting");
		assert.ok(Math.abs(hub.retryAt - Date.now() - wait) < 100, `${hub.retryAt - Date.now()} and not ${wait}`);
		t.mock.timers.tick(wait - 2);
		await settle();
		assert.equal(wire.sockets.length, length);
		t.mock.timers.tick(2);
		await settle();
		assert.equal(wire.sockets.length, length + 1);
	}
	wire.now.greet();
	wire.now.take({ type: "bye", retry: 1234 });
	wire.now.onclose({ code: 4001, reason: "" });
	assert.ok(Math.abs(hub.retryAt - Date.now() - 1234) < 100);
	hub.retry();
	await settle();
	assert.equal(wire.sockets.length, 9);
});

test("a hub that never answers, and one that answers no ping", async (t) => {
	const [peer] = await peers(t, 1);
	const hub = client(t, peer.url, { timeout: 100, ping: 20 });
	const session = await peer.next();
	session.silent = true;
	await peer.next();
	assert.equal(peer.opened, 2);
	peer.greet = () => {};
	hub.disconnect();
	hub.connect();
	await until(() => peer.opened >= 4, "it gives up and comes again");
	assert.equal(hub.state, "reconnecting");
});

test("no ping is missed in a sleep", async (t) => {
	t.mock.timers.enable({ apis: ["setTimeout", "setInterval"] });
	const wire = still();
	const hub = client(t, "ws://hub", { WebSocket: wire.WebSocket });
	await settle();
	wire.now.greet();
	const real = performance.now.bind(performance);
	t.mock.method(performance, "now", () => real() + 3_600_000);
	t.mock.timers.tick(10_000);
	assert.equal(hub.state, "connected");
	const pings = () => wire.now.sent.filter((f) => f.type === "ping").length;
	assert.equal(pings(), 2);
	wire.now.take({ type: "pong", time: new Date().toISOString() });
	// Nor where there is so much to read that the pong waits behind it.
	t.mock.timers.tick(10_000);
	assert.deepEqual([hub.state, pings()], ["connected", 3]);
	t.mock.timers.tick(10_000);
	assert.equal(hub.state, "reconnecting");
});

test("tries and asks at once when the network or the user is back", async (t) => {
	const listeners = new EventTarget();
	globalThis.addEventListener = listeners.addEventListener.bind(listeners);
	globalThis.removeEventListener = listeners.removeEventListener.bind(listeners);
	t.after(() => {
		delete globalThis.addEventListener;
		delete globalThis.removeEventListener;
	});
	const [peer] = await peers(t, 1);
	const hub = client(t, peer.url, { wait: 600_000 });
	for (const type of ["online", "visibilitychange"]) {
		(await peer.next()).cut();
		await until(() => hub.retryAt, "it waits");
		listeners.dispatchEvent(new Event(type));
	}
	const session = await peer.next();
	await until(() => session.pings >= 4 && Number.isFinite(hub.rtt), "the first pings");
	const { pings } = session;
	listeners.dispatchEvent(new Event("online"));
	await until(() => session.pings > pings, "a ping");
	hub.disconnect();
	listeners.dispatchEvent(new Event("online"));
	assert.equal(hub.state, "disconnected");
});

test("codes that say not to come back", async (t) => {
	const [peer] = await peers(t, 1);
	const hub = client(t, peer.url);
	const room = hub.join("lobby");
	const session = await peer.next();
	const sent = room.send("x");
	session.close(4514, "displaced");
	await assert.rejects(sent, { code: "refused" });
	assert.deepEqual([hub.state, hub.code, hub.why], ["refused", 4514, "displaced"]);
	await assert.rejects(room.send("y"), { code: "not_sent" });
	peer.greet = (s) => {
		s.send({ type: "error", code: "bad_token", message: "the token is not for this hub", fix: "get another" });
		s.close(4500);
	};
	hub.connect();
	await state(hub, "refused");
	assert.equal(hub.why, "the token is not for this hub: get another");
	assert.equal(peer.opened, 2);
	delete peer.greet;
	hub.connect();
	await state(hub, "connected");
});

test("a token for each connection, and one that is expired is replaced once", async (t) => {
	const [peer] = await peers(t, 1);
	let n = 0;
	const hub = client(t, peer.url, { token: async () => `token${++n}` });
	const session = await peer.next();
	assert.equal(session.hello.token, "token1");
	session.close(4005, "the token expired");
	assert.equal((await peer.next()).hello.token, "token2");
	await state(hub, "connected");
	peer.greet = (s) => s.close(4005, "the token expired");
	hub.disconnect();
	hub.connect();
	await state(hub, "refused");
	assert.deepEqual([n, hub.code, hub.why], [4, 4005, "the token expired"]);
	delete peer.greet;
	hub.connect();
	await state(hub, "connected");
});

test("no token: tried again; none to fetch: refused", async (t) => {
	const [peer] = await peers(t, 1);
	let n = 0;
	const hub = client(t, peer.url, { token: async () => {
		if (n++ < 2) throw new Error("the server of tokens is away");
		return "token";
	} });
	const seen = new Heard(hub, "state");
	await peer.next();
	assert.ok(n === 3 && seen.all.length >= 3);
	const other = client(t, peer.url);
	(await peer.next()).close(4005);
	await state(other, "refused");
});

test("a token is renewed before it ends", async (t) => {
	t.mock.timers.enable({ apis: ["setTimeout", "setInterval"] });
	const wire = still();
	let n = 0;
	const token = async () => {
		if (++n === 3) throw new Error("the server of tokens is away");
		return `token${n}`;
	};
	client(t, "ws://hub", { WebSocket: wire.WebSocket, token, timeout: 1e9, ping: 1e9 });
	await settle();
	const hellos = () => wire.now.sent.filter((f) => f.type === "hello").map((f) => f.token);
	wire.now.greet({ expires: "2026-11-26T08:10:00.000Z" });
	t.mock.timers.tick(479_000);
	await settle();
	assert.deepEqual(hellos(), ["token1"]);
	t.mock.timers.tick(1_000);
	await settle();
	assert.deepEqual(hellos(), ["token1", "token2"]);
	t.mock.timers.tick(480_000);
	await settle();
	assert.equal(n, 3);
	t.mock.timers.tick(30_000);
	await settle();
	assert.deepEqual(hellos(), ["token1", "token2", "token4"]);
	// In a month.
	wire.now.greet({ expires: "2026-12-26T08:10:00.000Z" });
	t.mock.timers.tick(1_000_000);
	await settle();
	assert.equal(n, 4);
});

test("live rooms: gaps are told, and nothing is sent twice", async (t) => {
	const [peer] = await peers(t, 1);
	const hub = client(t, peer.url);
	const room = hub.join("live.ops");
	const got = new Heard(room, "message");
	const gaps = new Heard(room, "gap");
	const session = await peer.next();
	const live = { type: "there", room: "live.ops", people: [], count: 1, log: false };
	const message = { type: "message", room: "live.ops", id: "x/1", from: { id: "x" }, hub: "hub2", kind: "json", data: [1] };
	session.send(live, message, { type: "gap", room: "live.ops", count: 12 }, message);
	await got.next();
	assert.equal((await gaps.next()).count, 12);
	await got.next();
	const sent = room.send("x");
	const f = await session.next("publish");
	session.send({ type: "ack", room: "live.ops", key: f.key, id: `me1/${f.key}`, scope: "live" });
	assert.equal((await sent).scope, "live");
	const lost = room.send("y");
	await session.next("publish");
	session.cut();
	await assert.rejects(lost, { code: "unknown" });
	const second = await peer.next();
	second.send(live);
	const gap = await gaps.next();
	assert.ok(gap.away > 0 && gap.count === undefined);
	assert.equal(hub.outbox.size, 0);
});

test("people", async (t) => {
	const [peer] = await peers(t, 1);
	const hub = client(t, peer.url, { name: "Ada" });
	const room = hub.join("lobby");
	const told = new Heard(room, "people");
	const session = await peer.next();
	const list = () => [room.count, ...[...(room.people?.values() ?? [])].map((p) => `${p.id} ${p.name} ${p.hub}`)];
	const here = (more) => ({ room: "lobby", ...more });
	session.send(here({ type: "there", log: true, count: 2, people: [{ id: "me1", name: "Ada" }, { id: "b", hub: "hub2" }] }));
	await told.next();
	assert.deepEqual(list(), [2, "me1 Ada hub1", "b  hub2"]);
	session.send(here({ type: "joined", count: 3, person: { id: "c", name: "Grace", hub: "hub2" } }));
	await told.next();
	session.send(here({ type: "updated", count: 3, person: { id: "c", name: "Grace", hub: "hub1" } }),
		here({ type: "left", count: 2, person: { id: "b" } }));
	await told.next();
	await told.next();
	assert.deepEqual(list(), [2, "me1 Ada hub1", "c Grace hub1"]);
	hub.rename("Tux");
	assert.equal((await session.next("hello")).name, "Tux");
	assert.deepEqual(await session.next("join"), { type: "join", room: "lobby" });
	session.send(here({ type: "there", log: true, count: 300 }));
	await told.next();
	assert.deepEqual(list(), [300]);
});

test("iteration", async (t) => {
	const [peer] = await peers(t, 1);
	const hub = client(t, peer.url);
	const room = hub.join("live.ops");
	const session = await peer.next();
	const send = (n) => session.send({ type: "message", room: "live.ops", id: `x/${n}`, from: { id: "x" }, kind: "json", data: n });
	session.send({ type: "there", room: "live.ops", count: 1, log: false });
	for (let n = 1; n <= 3; n++) send(n);
	const list = [];
	for await (const m of room) if (list.push(m.data) === 3) break;
	send(4);
	for await (const m of room) {
		list.push(m.data);
		room.leave();
		room.leave();
	}
	assert.deepEqual(list, [1, 2, 3, 4]);
	assert.equal((await session.next("leave")).room, "live.ops");
	const again = hub.join("live.ops");
	assert.notEqual(again, room);
	await session.next("join");
	session.send({ type: "there", room: "live.ops", count: 1, log: false });
	const slow = again[Symbol.asyncIterator]();
	const first = slow.next();
	for (let n = 0; n < 10_010; n++) send(n);
	assert.equal((await first).value.data, 0);
	send("end");
	await new Promise((resolve) => again.on("message", (m) => m.data === "end" && resolve()));
	await assert.rejects(slow.next(), { code: "too_slow", fix: "read faster" });
});
