// What the client makes of log rooms, with a peer that says what each test wants said.

import assert from "node:assert/strict";
import test from "node:test";

import { Hub } from "./hub.js";
import { Heard, Peer, until } from "./testing/peer.js";

/** A peer, a client of it, and its first session. */
async function start(t, options = {}) {
	const peer = await Peer.start();
	const hub = new Hub(peer.url, { name: "Ada", wait: 10, again: 100, ...options });
	t.after(() => {
		hub.disconnect();
		return peer.stop();
	});
	const session = await peer.next();
	return { peer, hub, session };
}

/** Answers the join of the lobby, and returns it. */
async function enter(session, position, ...missed) {
	const join = await session.next("join");
	session.send({ type: "there", room: "lobby", people: [{ id: "me1", name: "Ada" }], count: 1, log: true }, ...missed);
	session.send({ type: "subscribed", room: "lobby", position });
	if (join.history) session.send({ type: "history", room: "lobby", count: 0 });
	return join;
}

const entry = (text, more) => ({ type: "message", room: "lobby", id: `x1/${text}`, from: { id: "x1", name: "Grace" }, hub: "hub2",
	time: new Date().toISOString(), kind: "text", data: text, ...more });
const at = (n, epoch = "E") => ({ position: `${epoch}:${n}` });
const ack = (f, scope, more) => ({ type: "ack", room: f.room, key: f.key, id: `me1/${f.key}`, scope, ...more });
const error = (f, code) => ({ type: "error", room: f.room, key: f.key, code, message: `it is ${code}`, fix: "fix it" });

/** The texts that a room told, in order. */
function texts(room) {
	const list = [];
	room.on("message", (m) => list.push(m.data));
	return { list, are: (...want) => until(() => list.length >= want.length, `messages ${want}, got ${list}`).then(() => assert.deepEqual(list, want)) };
}

test("resumes at its cursor", async (t) => {
	const { peer, hub, session } = await start(t);
	const room = hub.join("lobby");
	const got = texts(room);
	const join = await enter(session, "E:1");
	assert.equal(join.position, undefined);
	session.send(entry("two", at(2)), { type: "ack", room: "lobby", id: "", scope: "cluster", ...at(3) }, entry("two again", at(2)));
	await got.are("two");
	const first = room.send("mine");
	const f = await session.next("publish");
	assert.equal(f.birth, undefined);
	await until(() => room.position === "E:3", "the cursor");
	session.cut();
	const second = await peer.next();
	assert.deepEqual(second.hello.client, { id: "me1", secret: "secret1" });
	assert.equal((await enter(second, "E:5", entry("four", at(4)), entry("five", at(5)))).position, "E:3");
	const again = await second.next("publish");
	assert.deepEqual([again.key, again.birth, again.data], [f.key, "E:3", "mine"]);
	second.send(ack(again, "cluster", at(6)));
	const { id, position, scope } = await first;
	assert.deepEqual({ id, position, scope }, { id: `me1/${f.key}`, position: "E:6", scope: "cluster" });
	second.send(entry("seven", at(7)));
	await got.are("two", "four", "five", "seven");
	assert.equal(room.position, "E:7");
	assert.equal(hub.outbox.size, 0);
});

test("an ack before there moves nothing", async (t) => {
	const { peer, hub, session } = await start(t);
	const room = hub.join("lobby");
	await enter(session, "E:1");
	const sent = room.send("mine");
	const f = await session.next("publish");
	session.cut();
	const second = await peer.next();
	const join = await second.next("join");
	second.send(ack(f, "cluster", at(5)));
	await sent;
	assert.equal(join.position, "E:1");
	assert.equal(room.position, "E:1");
	second.send({ type: "there", room: "lobby", log: true, count: 1 }, entry("two", at(2)));
	await until(() => room.position === "E:2", "the cursor");
});

test("history comes first", async (t) => {
	const { hub, session } = await start(t);
	const room = hub.join("lobby", { history: 50 });
	const got = texts(room);
	const past = [];
	room.on("message", (m) => past.push([m.history, m.own]));
	assert.equal((await session.next("join")).history, 50);
	session.send({ type: "there", room: "lobby", count: 1, log: true }, { type: "subscribed", room: "lobby", position: "E:3" },
		entry("four", at(4)), entry("one", { ...at(1), past: true }),
		{ ...entry("two", { ...at(2), past: true }), id: "me1/k", from: { id: "me1" } },
		entry("four", { ...at(4), past: true }), { type: "history", room: "lobby", count: 3 }, entry("five", at(5)));
	await got.are("one", "two", "four", "five");
	assert.deepEqual(past, [[true, false], [true, true], [undefined, false], [undefined, false]].map(([a, b]) => [a, b]));
});

test("a message without a position is shown once", async (t) => {
	const { peer, hub, session } = await start(t);
	const room = hub.join("lobby");
	const got = texts(room);
	const settled = new Heard(room, "settled");
	await enter(session, "E:1");
	session.send({ type: "status", isolated: true }, entry("a", { scope: "hub" }), entry("a", { scope: "hub" }), entry("b", { scope: "hub" }),
		entry("c", { scope: "hub" }));
	await got.are("a", "b", "c");
	assert.equal(hub.state, "isolated");
	session.send(entry("a", at(2)), { type: "ack", room: "lobby", id: "x1/b", scope: "cluster", ...at(3) });
	assert.equal((await settled.next()).position, "E:2");
	assert.equal((await settled.next()).id, "x1/b");
	session.cut();
	const second = await peer.next();
	assert.equal((await enter(second, "E:3")).position, "E:3");
	second.send(entry("c", at(4)), entry("d", at(5)));
	await got.are("a", "b", "c", "d");
});

test("keeps 1,000 ids and no more", async (t) => {
	const { hub, session } = await start(t);
	const room = hub.join("lobby");
	const got = texts(room);
	await enter(session, "E:1");
	for (let i = 0; i < 1001; i++) session.send(entry(`m${i}`, { scope: "hub" }));
	await session.next("leave");
	session.send(entry("old", at(2)));
	const join = await session.next("join");
	assert.deepEqual([join.provisional, join.position], [false, "E:1"]);
	session.send({ type: "there", room: "lobby", log: true, count: 1 });
	session.send(entry("m7", at(2)), entry("m1000", at(3)));
	await until(() => got.list.length >= 1001, "the last");
	assert.equal(got.list.at(-1), "m1000");
	assert.equal(new Set(got.list).size, 1001);
	assert.equal(room.position, "E:3");
});

test("orphans", async (t) => {
	const { peer, hub, session } = await start(t);
	const room = hub.join("lobby");
	const got = texts(room);
	const orphans = new Heard(room, "orphans");
	await enter(session, "E:1");
	session.send(entry("two", at(2)), entry("three", at(3)), { type: "orphans", room: "lobby", ...at(2), count: 1 }, entry("three", at(3, "F")));
	assert.equal((await orphans.next()).count, 1);
	await got.are("two", "three", "three");
	session.cut();
	assert.equal((await (await peer.next()).next("join")).position, "F:3");
});

test("reset: goes on, or has the history again", async (t) => {
	const { hub, session } = await start(t);
	const room = hub.join("lobby", { history: 7 });
	const got = texts(room);
	const reset = new Heard(room, "reset");
	await enter(session, "E:7");
	session.send(entry("eight", at(8)), { type: "reset", room: "lobby", ...at(2, "F") });
	await reset.next();
	await session.next("leave");
	session.send(entry("stale", at(3, "F")));
	const join = await session.next("join");
	assert.deepEqual([join.position, join.history], [undefined, 7]);
	session.send({ type: "there", room: "lobby", log: true, count: 1 }, { type: "subscribed", room: "lobby", ...at(3, "F") },
		entry("new", { ...at(2, "F"), past: true }), { type: "history", room: "lobby", count: 1 }, entry("four", at(4, "F")));
	await got.are("eight", "new", "four");
	const plain = hub.join("plain");
	const plainReset = new Heard(plain, "reset");
	await session.next("join");
	session.send({ type: "there", room: "plain", log: true, count: 1 }, { type: "reset", room: "plain", ...at(5, "G") });
	await plainReset.next();
	assert.equal(plain.position, "G:5");
	assert.ok(session.quiet);
});

test("what is not answered is sent again, unchanged", async (t) => {
	const { hub, session } = await start(t);
	const room = hub.join("lobby");
	const sending = new Heard(hub, "sending");
	await enter(session, "E:2");
	await until(() => room.position, "the cursor");
	const sent = room.send({ a: 1 });
	const first = await session.next("publish");
	session.send(entry("three", at(3)));
	for (const code of [undefined, "unknown", "outbox_full", "refused"]) {
		if (code) session.send(error(first, code));
		const f = await session.next("publish");
		assert.deepEqual([f.key, f.birth, f.kind, f.data], [first.key, "E:2", "json", { a: 1 }], code);
	}
	session.send(ack(first, "cluster", { ...at(4), duplicate: true }));
	assert.equal((await sent).duplicate, true);
	assert.equal(sending.all.at(-1).state, "stored");
});

test("refusals", async (t) => {
	const { hub, session } = await start(t);
	const room = hub.join("lobby");
	await enter(session, "E:1");
	for (const code of ["bad_data", "refused"]) {
		const sent = room.send("x");
		session.send(error(await session.next("publish"), code));
		await assert.rejects(sent, { code, fix: "fix it", message: `it is ${code}` });
	}
	const complaint = new Heard(room, "error");
	session.send({ type: "error", room: "lobby", code: "too_many_requests", message: "m", fix: "wait" });
	assert.equal((await complaint.next()).code, "too_many_requests");
	for (const data of [undefined, () => {}, 7n]) await assert.rejects(room.send(data), TypeError);
	assert.equal(hub.outbox.size, 0);
});

test("kept by a hub: told, and sent to the next one", async (t) => {
	const { peer, hub, session } = await start(t);
	const room = hub.join("lobby");
	await enter(session, "E:1");
	const sent = room.send("x");
	session.send(ack(await session.next("publish"), "hub"));
	assert.equal((await sent).scope, "hub");
	assert.equal(hub.outbox.size, 1);
	session.cut();
	const second = await peer.next();
	await enter(second, "E:1");
	second.send(ack(await second.next("publish"), "cluster", at(2)));
	await until(() => hub.outbox.size === 0, "the outbox is empty");
	assert.equal(room.position, "E:2");
});

test("given up after 10 minutes", async (t) => {
	const { hub, session } = await start(t);
	const room = hub.join("lobby");
	await enter(session, "E:1");
	const sent = room.send("x");
	await session.next("publish");
	const real = performance.now.bind(performance);
	t.mock.method(performance, "now", () => real() + 11 * 60_000);
	await assert.rejects(sent, { code: "unknown" });
});

test("forgotten by the hub: not sent again", async (t) => {
	const { peer, hub, session } = await start(t);
	const room = hub.join("lobby");
	const got = new Heard(room, "message");
	await enter(session, "E:1");
	await until(() => room.position, "the cursor");
	const sent = room.send("maybe");
	const f = await session.next("publish");
	peer.forgets = true;
	session.cut();
	const failed = assert.rejects(sent, { code: "unknown" });
	await until(() => hub.state === "reconnecting", "the cut is noticed");
	const offline = room.send("offline");
	await failed;
	const second = await peer.next();
	await enter(second, "E:2", { ...entry("maybe", at(2)), id: `me1/${f.key}`, from: { id: "me1" } });
	const m = await got.next();
	assert.deepEqual([m.own, m.key, m.data], [true, f.key, "maybe"]);
	const g = await second.next("publish");
	assert.deepEqual([g.data, g.birth], ["offline", undefined]);
	second.send(ack(g, "cluster", at(3)));
	await offline;
	assert.equal(hub.client.id, "me2");
});

test("an outbox that outlives the program", async (t) => {
	const { peer, hub, session } = await start(t);
	const room = hub.join("lobby");
	await enter(session, "E:1");
	await until(() => room.position, "the cursor");
	room.send("known to be stored later").catch(() => {});
	const f = await session.next("publish");
	const { client } = hub;
	const outbox = JSON.parse(JSON.stringify([...hub.outbox.values()]));
	hub.disconnect();
	const next = new Hub(peer.url, { client, outbox, wait: 10, again: 100 });
	t.after(() => next.disconnect());
	const again = next.join("lobby", { position: room.position, history: 5 });
	const second = await peer.next();
	assert.deepEqual(second.hello.client, client);
	const join = await enter(second, "E:1");
	assert.deepEqual([join.position, join.history], ["E:1", 0]);
	const g = await second.next("publish");
	assert.deepEqual([g.key, g.birth, g.data], [f.key, "E:1", f.data]);
	second.send({ ...entry(f.data, at(2)), id: `me1/${f.key}`, from: { id: "me1" } });
	await until(() => next.outbox.size === 0, "it came back from the log");
	assert.equal(again.position, "E:2");
});

test("too large for the hub: fails, and the others are sent again", async (t) => {
	const { peer, hub, session } = await start(t);
	const room = hub.join("lobby");
	await enter(session, "E:1");
	const small = room.send("small");
	const large = room.send("large".repeat(1000));
	await session.next("publish");
	await session.next("publish");
	session.close(1009, "too big");
	await assert.rejects(large, { code: "too_big" });
	const second = await peer.next();
	await enter(second, "E:1");
	const f = await second.next("publish");
	assert.equal(f.data, "small");
	second.send(ack(f, "cluster", at(2)));
	await small;
});
