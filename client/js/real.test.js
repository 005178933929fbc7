// The client with real hubs: two that share their logs, whose addresses are in HUBS. node_test.go starts them.

import assert from "node:assert/strict";
import test from "node:test";

import { Hub } from "./hub.js";
import { Heard, until } from "./testing/peer.js";

const urls = process.env.HUBS.split(" ");
let rooms = 0;

function client(t, url, options) {
	const hub = new Hub(url, options);
	t.after(() => hub.disconnect());
	return hub;
}

/** A room that nobody was in, joined by clients at both hubs. */
async function two(t) {
	const name = `room${++rooms}`;
	const joined = [];
	for (const [i, who] of ["Ada", "Grace"].entries()) {
		const room = client(t, urls[i], { name: who }).join(name);
		await until(() => room.joined && room.position, `${who} is in`);
		joined.push(room);
	}
	return joined;
}

test("data of each kind, from hub to hub", async (t) => {
	const [ada, grace] = await two(t);
	const heard = new Heard(grace, "message");
	const own = new Heard(ada, "message");
	let last = 0;
	for (const data of ["hi", "", "سارة 😀\u2028", { a: [1, null, "b"] }, 7, null, false, Uint8Array.from([0, 255]), new Uint8Array(0)]) {
		const { id, position, scope } = await ada.send(data);
		const m = await heard.next();
		assert.deepEqual(m.data, data);
		assert.deepEqual([m.id, m.position, scope, m.scope], [id, position, "cluster", "cluster"]);
		assert.deepEqual([m.from.name, m.from.id, m.hub, m.own, m.history ?? false], ["Ada", ada.hub.client.id, ada.hub.hub, false, false]);
		assert.ok(Math.abs(Date.now() - m.time) < 60_000);
		last = position;
	}
	assert.equal(ada.position, last);
	assert.equal(own.all.length, 0);
	await until(async () => {
		await ada.send("now");
		return (await heard.next()).latency >= 0;
	}, "a latency is known");
});

test("history, and one's own in it", async (t) => {
	const [ada, grace] = await two(t);
	for (let n = 0; n < 5; n++) await (n % 2 ? grace : ada).send(n);
	ada.leave();
	const again = ada.hub.join(ada.name, { history: 4 });
	const heard = new Heard(again, "message");
	const history = new Heard(again, "history");
	assert.equal((await history.next()).count, 4);
	await grace.send("new");
	await until(() => heard.all.length === 5, "all of it");
	assert.deepEqual(heard.all.map((m) => [m.data, m.own, !!m.history]), [[1, false, true], [2, true, true], [3, false, true], [4, true, true], ["new", false, false]]);
});

test("people", async (t) => {
	const [ada] = await two(t);
	const linus = client(t, urls[0], { name: "Linus" }).join(ada.name);
	const names = () => [...(ada.people?.values() ?? [])].filter((p) => p.hub === ada.hub.hub).map((p) => p.name).sort().join();
	await until(() => names() === "Ada,Linus", "both are there");
	linus.hub.rename("Tux");
	ada.hub.rename("Countess");
	await until(() => names() === "Countess,Tux", "new names");
	linus.leave();
	await until(() => names() === "Countess", "he left");
});

test("resumes at the other hub", async (t) => {
	const [ada, grace] = await two(t);
	const heard = new Heard(ada, "message");
	await grace.send("one");
	await heard.next();
	ada.hub.disconnect();
	await grace.send("two");
	ada.hub.urls.reverse();
	ada.hub.urls.unshift(urls[1]);
	const { client: before } = ada.hub;
	ada.hub.connect();
	assert.equal((await heard.next()).data, "two");
	assert.deepEqual(ada.hub.client, before);
	assert.equal(ada.hub.hub, grace.hub.hub);
	await ada.send("three");
	assert.equal(heard.all.length, 2);
});

test("a live room", async (t) => {
	const [a, b] = urls.map((url) => client(t, url).join("live.x"));
	const heard = new Heard(b, "message");
	await until(() => a.joined && b.joined, "both are in");
	const { scope, position } = await a.send("x");
	assert.deepEqual([scope, position], ["live", undefined]);
	const m = await heard.next();
	assert.deepEqual([m.data, m.scope, a.log], ["x", "live", false]);
});

test("a message that is too large", async (t) => {
	const [ada, grace] = await two(t);
	const heard = new Heard(grace, "message");
	const large = ada.send("x".repeat(70_000));
	const small = ada.send("small");
	await assert.rejects(large, { code: "too_big" });
	await small;
	assert.equal((await heard.next()).data, "small");
});

test("what hubs refuse", async (t) => {
	const hub = client(t, urls[0]);
	await until(() => hub.state === "connected", "connected");
	const bad = hub.join("not a room");
	const complaint = new Heard(bad, "error");
	const e = await complaint.next();
	assert.ok(e.code === "bad_room" && e.fix);
	await assert.rejects(bad.send("x"), { code: "bad_room" });
	const other = client(t, urls[0], { client: { id: "nobody", secret: "wrong" } });
	await until(() => other.state === "connected", "connected");
	assert.notEqual(other.client.id, "nobody");
	const twin = client(t, urls[0], { client: other.client });
	await until(() => other.state === "refused", "displaced");
	assert.equal(other.code, 4514);
	assert.equal(twin.client.id, other.client.id);
});
