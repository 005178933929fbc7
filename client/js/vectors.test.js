// The golden vectors that package protocol has, too.

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import test from "node:test";

import { Hub, decode, encode, offset, open } from "./hub.js";

const vectors = async (name) => JSON.parse(await readFile(new URL(`../../protocol/testdata/${name}.json`, import.meta.url)));

// Empty where text is no frame, which the client then ignores.
const read = (text) => {
	try {
		return decode(text) ?? {};
	} catch {
		return {};
	}
};

for (const v of await vectors("hub_frames")) {
	test(`frame: ${v.name}`, () => {
		const f = read(v.text);
		if (!v.want) return assert.equal(f.type, undefined);
		for (const name in v.want) assert.deepEqual(f[name], v.want[name], name);
		if (v.wrong) assert.deepEqual(Object.keys(f).sort(), Object.keys(v.want).sort());
	});
}

// Takes the place of a WebSocket, and keeps what is sent. Greeted at once.
class Wire {
	static opened;
	sent = [];

	constructor() {
		Wire.opened = this;
		queueMicrotask(() => {
			this.onopen();
			this.take({ type: "welcome", client: { id: "C1", secret: "s3" }, hub: "hub1", time: new Date().toISOString() });
			this.take({ type: "status", isolated: false });
		});
	}

	take(frame) {
		this.onmessage({ data: JSON.stringify(frame) });
	}

	send(text) {
		const f = JSON.parse(text);
		this.sent.push(f);
		if (f.type === "ping") this.take({ type: "pong", time: new Date().toISOString() });
	}

	close() {}
}

const opened = async (options) => {
	const hub = new Hub("ws://hub", { WebSocket: Wire, ...options });
	await new Promise((resolve) => hub.on("state", () => hub.state === "connected" && resolve()));
	return [hub, Wire.opened];
};

for (const v of await vectors("publish")) {
	test(`publish: ${v.name}`, async () => {
		const value = v.kind === "binary" ? Uint8Array.from(v.data) : v.data;
		const { kind, data } = encode(value);
		assert.equal(kind, typeof v.data === "string" ? "text" : v.kind);
		const later = v.birth !== null;
		const m = { room: v.room, key: v.key, kind: v.kind, data, tries: +later, log: later, made: Date.now(), delay: 1, birth: v.birth };
		if (!later) delete m.birth;
		const [hub, wire] = await opened({ outbox: [m] });
		assert.deepEqual(wire.sent.find((f) => f.type === "publish"), JSON.parse(v.frame));
		hub.disconnect();
	});
}

test("client frames", async () => {
	const want = Object.fromEntries((await vectors("client_frames")).map((v) => [v.name, v.want]));
	const [hub, wire] = await opened({ name: "Ada" });
	const last = (type) => wire.sent.filter((f) => f.type === type).at(-1);
	assert.deepEqual(last("hello"), want.hello);
	assert.deepEqual(last("ping"), want.ping);
	const room = hub.join("lobby");
	assert.deepEqual(last("join"), { ...want.join, history: 0 });
	room.leave();
	assert.deepEqual(last("leave"), want.leave);
	hub.join("lobby", { history: 50 }).leave();
	assert.deepEqual(last("join"), want["join with history"]);
	hub.join("lobby", { position: want["join to resume"].position });
	assert.deepEqual(last("join"), { ...want["join to resume"], history: 0 });
	hub.disconnect();
	const [again, second] = await opened({ name: "Ada", client: { id: "C1", secret: "s3" } });
	assert.deepEqual(second.sent[0], want["hello of a client that was here"]);
	again.disconnect();
});

test("positions", async () => {
	const { valid, invalid, ascending } = await vectors("positions");
	for (const [text, want] of valid) assert.equal(offset(text), want, text);
	for (const text of invalid) assert.equal(offset(text), NaN, text);
	for (const [i, text] of ascending.entries()) assert.ok(!i || offset(ascending[i - 1]) < offset(text), text);
});

for (const v of await vectors("data")) {
	test(`data: ${v.name}`, () => {
		const kind = v.kind || undefined;
		let data;
		try {
			data = open({ kind, data: JSON.parse(v.data) });
		} catch {}
		if (v.bad) return assert.equal(data, undefined);
		if (v.want.bytes) assert.deepEqual(data, Uint8Array.from(v.want.bytes));
		else assert.deepEqual(data, v.want.text ?? v.want.json);
		if (v.kind !== "json") assert.deepEqual(encode(data), { kind: v.kind || "text", data: JSON.parse(v.data) });
	});
}

test("encode", () => {
	const bytes = Uint8Array.from([9, 0, 255, 9]);
	for (const data of [bytes.subarray(1, 3), bytes.slice(1, 3).buffer, new DataView(bytes.buffer, 1, 2)]) {
		assert.deepEqual(encode(data), { kind: "binary", data: "AP8=" });
	}
	const all = Uint8Array.from({ length: 65536 }, (_, i) => i);
	assert.deepEqual(open(encode(all)), all);
});

test("ids", async () => {
	for (const v of await vectors("ids")) {
		const [hub, wire] = await opened();
		const room = hub.join("lobby");
		let got;
		room.on("message", (m) => (got = m));
		wire.take({ type: "welcome", client: { id: v.sender, secret: "s" } });
		wire.take({ type: "there", room: "lobby", log: true, count: 1 });
		const from = { id: v.key ? v.sender : "C2" };
		wire.take({ type: "message", room: "lobby", id: v.id, from, position: "e:1", kind: "text", data: "x" });
		assert.equal(got?.key || "", v.key);
		assert.equal(got.own, v.key !== "");
		hub.disconnect();
	}
});
