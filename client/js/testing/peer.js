// A hub that says what a test has it say, over real WebSockets (RFC 6455). What a real hub does is tested with real hubs;
// this one refuses without cause, forgets, and loses its log when a test wants it to.

import { createHash } from "node:crypto";
import { createServer } from "node:http";

const PATIENCE = 60_000; // ms

/** Fails where promise takes too long. */
export async function soon(promise, what) {
	let timer;
	const late = new Promise((_, reject) => {
		timer = setTimeout(() => reject(new Error(`waited in vain for ${what}`)), PATIENCE);
	});
	try {
		return await Promise.race([promise, late]);
	} finally {
		clearTimeout(timer);
	}
}

/** A list whose items are waited for. */
class Queue {
	#items = [];
	#waiting = [];

	put(item) {
		const next = this.#waiting.shift();
		if (next) next(item);
		else this.#items.push(item);
	}

	take() {
		if (this.#items.length) return this.#items.shift();
		return new Promise((resolve) => this.#waiting.push(resolve));
	}

	get size() {
		return this.#items.length;
	}
}

/** One connection to the peer. */
class Session {
	hello; // the frame
	silent = false; // leave pings unanswered
	pings = 0;
	#socket;
	#frames = new Queue();
	#rest = Buffer.alloc(0);

	constructor(socket) {
		this.#socket = socket;
	}

	/** Sends frames: objects, or text as it is. */
	send(...frames) {
		for (const frame of frames) this.#write(1, Buffer.from(typeof frame === "string" ? frame : JSON.stringify(frame)));
	}

	close(code, reason = "") {
		const head = Buffer.alloc(2);
		head.writeUInt16BE(code);
		this.#write(8, Buffer.concat([head, Buffer.from(reason)]));
		this.#socket.end();
	}

	/** Ends the connection as a network does. */
	cut() {
		this.#socket.resetAndDestroy();
	}

	/** The next frame of a type; those before it are left out. */
	async next(type) {
		for (;;) {
			const f = await soon(this.#frames.take(), `a frame ${type}`);
			if (f.type === type) return f;
		}
	}

	/** Whether no frame waits. */
	get quiet() {
		return this.#frames.size === 0;
	}

	#write(opcode, body) {
		if (this.#socket.destroyed) return;
		const head = body.length < 126 ? Buffer.from([0x80 | opcode, body.length]) : Buffer.alloc(body.length < 65536 ? 4 : 10);
		if (body.length >= 65536) {
			head.set([0x80 | opcode, 127]);
			head.writeBigUInt64BE(BigInt(body.length), 2);
		} else if (body.length >= 126) {
			head.set([0x80 | opcode, 126]);
			head.writeUInt16BE(body.length, 2);
		}
		this.#socket.write(Buffer.concat([head, body]));
	}

	/** Takes in bytes, and calls take with each text message. */
	read(chunk, take) {
		this.#rest = Buffer.concat([this.#rest, chunk]);
		for (;;) {
			const b = this.#rest;
			if (b.length < 2) return;
			let size = b[1] & 0x7f;
			let at = 2;
			if (size === 126) [size, at] = [b.length < 4 ? Infinity : b.readUInt16BE(2), 4];
			else if (size === 127) [size, at] = [b.length < 10 ? Infinity : Number(b.readBigUInt64BE(2)), 10];
			if (b.length < at + 4 + size) return;
			const mask = b.subarray(at, at + 4);
			const body = Buffer.from(b.subarray(at + 4, at + 4 + size).map((byte, i) => byte ^ mask[i & 3]));
			this.#rest = b.subarray(at + 4 + size);
			if ((b[0] & 0xf) === 8) this.#socket.end();
			else take(body.toString());
		}
	}

	take(f) {
		if (f.type === "ping") {
			this.pings++;
			if (!this.silent) this.send({ type: "pong", time: new Date().toISOString() });
		}
		this.#frames.put(f);
	}
}

/** The peer. It greets by itself, unless greet is another function. */
export class Peer {
	forgets = false; // takes everybody for a new client
	welcome = {}; // more members of the welcome
	opened = 0;
	hellos = [];
	#server;
	#sockets = new Set();
	#sessions = new Queue();

	static async start() {
		const peer = new Peer();
		peer.#server = createServer();
		peer.#server.on("upgrade", (request, socket) => peer.#upgrade(request, socket));
		await new Promise((resolve) => peer.#server.listen(peer.port ?? 0, "127.0.0.1", resolve));
		return peer;
	}

	get url() {
		return `ws://127.0.0.1:${this.#server.address().port}/ws`;
	}

	/** The next session that a client opens. */
	next() {
		return soon(this.#sessions.take(), "a session");
	}

	stop() {
		for (const socket of this.#sockets) socket.destroy();
		return new Promise((resolve) => this.#server.close(resolve));
	}

	/** What a hub says first. */
	greet(session, hello) {
		const n = this.opened;
		const client = hello.client && !this.forgets ? hello.client : { id: `me${n}`, secret: `secret${n}` };
		const time = new Date().toISOString();
		session.send({ type: "welcome", client, session: `${n}`, hub: "hub1", time, ...this.welcome });
		session.send({ type: "status", isolated: false });
		this.#sessions.put(session);
	}

	#upgrade(request, socket) {
		this.opened++;
		this.#sockets.add(socket);
		const accept = createHash("sha1").update(`${request.headers["sec-websocket-key"]}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`);
		socket.write("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" +
			`Sec-WebSocket-Protocol: hub.v1\r\nSec-WebSocket-Accept: ${accept.digest("base64")}\r\n\r\n`);
		const session = new Session(socket);
		socket.on("error", () => {});
		socket.on("close", () => this.#sockets.delete(socket));
		socket.on("data", (chunk) => session.read(chunk, (text) => {
			const f = JSON.parse(text);
			if (session.hello) return session.take(f);
			session.hello = f;
			this.hellos.push(f);
			this.greet(session, f);
		}));
	}
}

/** Collects what a target tells of one type, and waits for more. */
export class Heard {
	all = [];
	#queue = new Queue();

	constructor(target, type) {
		target.on(type, (detail) => {
			this.all.push(detail);
			this.#queue.put(detail);
		});
		this.type = type;
	}

	next() {
		return soon(this.#queue.take(), `an event ${this.type}`);
	}
}

/** Waits until check returns something. */
export async function until(check, what) {
	const end = Date.now() + PATIENCE;
	for (;;) {
		const value = await check();
		if (value) return value;
		if (Date.now() > end) throw new Error(`never: ${what}`);
		await new Promise((resolve) => setTimeout(resolve, 5));
	}
}
