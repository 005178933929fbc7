// Drives a client under a nemesis, and writes down what it did and saw, frame by frame and message by message. A test in Go
// takes that and judges it. Runs in Node (nemesis.js) and in a page (nemesis.html).

/** @param {typeof import("../hub.js").Hub} Hub */
export function drive(Hub, WebSocket, { urls, name, rooms, tokens, ...options }) {
	let events = [];
	let current; // the socket in use
	let made = 0;
	let publishing = 0; // timer
	const note = (what, more) => events.push({ at: Date.now(), what, ...more });

	// One that was given up is over, whatever still comes.
	class Recorded extends WebSocket {
		#state = ""; // "opened", "over"
		#host;

		constructor(url, protocol) {
			super(url, protocol);
			current = this;
			this.#host = new URL(url).host;
			this.addEventListener("message", (e) => this.#state === "opened" && note("got", { frame: JSON.parse(e.data) }));
			this.addEventListener("close", (e) => this.#over(`closed with ${e.code} ${e.reason}`));
		}

		send(text) {
			if (!this.#state) note("opened", { where: this.#host });
			this.#state ||= "opened";
			if (this.#state !== "opened") return;
			note("sent", { frame: JSON.parse(text) });
			super.send(text);
		}

		close(code) {
			this.#over("given up");
			super.close(code);
		}

		#over(where) {
			if (this.#state === "opened") note("closed", { where });
			this.#state = "over";
		}
	}

	// One token after the other, and the last one from then on.
	if (tokens) options.token = async () => (tokens.length > 1 ? tokens.shift() : tokens[0]);
	const hub = new Hub(urls, { name, ping: 1000, timeout: 3000, again: 1000, wait: 50, WebSocket: Recorded, ...options });
	const known = new Set();
	hub.on("sending", ({ room, key, kind, data, state, position }) => {
		if (!known.has(key)) note("made", { frame: { type: "publish", room, key, kind, data } });
		known.add(key);
		if (state === "stored") note("shown", { room, key, position });
	});
	for (const room of rooms.map((r) => hub.join(r))) {
		room.on("message", ({ id, position, history }) => note("shown", { room: room.name, id, position, history }));
		room.on("settled", ({ id, position }) => note("shown", { room: room.name, id, position, again: true }));
		for (const type of ["orphans", "reset", "gap"]) room.on(type, () => note(type, { room: room.name }));
	}
	const publish = (room) => {
		const text = `${room} ${name} ${++made} ${Math.random()}`;
		const r = hub.rooms.get(room);
		r.send(text).catch((e) => note("failed", { room, where: `${e.code} ${e}` }));
		return text;
	};
	const view = (r) => ({ position: r.position ?? "", live: !!r._live, ids: [...r._ids] });

	return {
		hub,
		publish,
		load(pace) {
			clearInterval(publishing);
			let turn = 0;
			if (pace) publishing = setInterval(() => hub.outbox.size < 16 && publish(rooms[turn++ % rooms.length]), pace);
		},
		cut: () => WebSocket.prototype.close.call(current),
		goTo(url) {
			hub.urls.sort((a, b) => (a !== url) - (b !== url));
			WebSocket.prototype.close.call(current);
		},
		stop() {
			clearInterval(publishing); // Node would not end
			hub.disconnect();
		},
		/** What happened since the last call, and how things are. */
		take() {
			const taken = events;
			events = [];
			const { state, why } = hub;
			return { events: taken, state, why, hub: hub.hub, waiting: hub.outbox.size,
				rooms: Object.fromEntries([...hub.rooms.values()].map((r) => [r.name, view(r)])) };
		},
	};
}
