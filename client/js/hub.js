// README.md and hub.d.ts explain it. _ and $ are private.

const IDS = 1e3; // without a position
const MOST = 1e4; // messages wait

const TYPES = {
	client: {}, from: {}, people: {}, person: {}, count: 0, retry: 0, duplicate: true, isolated: true, log: true, past: true,
};

const clock = () => performance.timeOrigin + performance.now();
// One may stop in a sleep, the other may be set.
const now = () => Math.max(clock(), Date.now());

const failure = (code, message, fix) => Object.assign(Error(message), { code, fix });

export const offset = (position) => Number(/^[^\W_]{1,64}:(\d+)$/.exec(position)?.[1]);

const clean = (object) => {
	for (const name in object) {
		const value = object[name], type = object.map ? {} : TYPES[name] ?? "";
		if (name === "data") continue;
		if (value === null || typeof value !== typeof type) delete object[name];
		else if (typeof type === "object") clean(value);
	}
	return object;
};

export const decode = (text) => clean(JSON.parse(text));

export const encode = (data) => {
	if (typeof data === "string") return { kind: "text", data };
	const buffer = data?.buffer ?? data;
	if (!(buffer instanceof ArrayBuffer)) return { kind: "json", data };
	const bytes = new Uint8Array(buffer, data.byteOffset, data.byteLength);
	return { kind: "binary", data: btoa(Array.from(bytes, (b) => String.fromCharCode(b)).join("")) };
};

export const open = ({ kind = "text", data }) => {
	if (kind === "json" || (kind === "text" && typeof data === "string")) return data;
	if (kind === "binary") return Uint8Array.from(atob(data), (c) => c.charCodeAt(0));
};

class Target extends EventTarget {
	on(type, listener) {
		const call = (e) => listener(e.detail);
		this.addEventListener(type, call);
		return () => this.removeEventListener(type, call);
	}

	_emit(type, detail = this) {
		this.dispatchEvent(new CustomEvent(type, { detail }));
	}
}

export class Room extends Target {
	_ids = new Set();

	constructor(hub, name, { history = 0, position }) {
		super();
		Object.assign(this, { hub, name, history, position, count: 0, _wants: position ? 0 : history });
		hub.rooms.set(name, this);
		this._join();
	}

	send(data) {
		return this.hub._publish(this, data);
	}

	leave() {
		if (this.left) return;
		this.left = true;
		this.hub.rooms.delete(this.name);
		this._part();
		this._emit("left");
	}

	async *[Symbol.asyncIterator]() {
		const waiting = [];
		let wake;
		const push = (m) => {
			if (waiting.push(m) > MOST) waiting.splice(0, MOST, failure("too_slow", "too slow", "read faster"));
			wake?.();
		};
		const stops = [this.on("message", push), this.on("left", () => wake?.())];
		try {
			while (!this.left || waiting[0]) {
				const m = waiting.shift();
				if (m instanceof Error) throw m;
				if (m) yield m;
				else await new Promise((resolve) => (wake = resolve));
			}
		} finally {
			for (const stop of stops) stop();
		}
	}

	_join() {
		const { hub, name: room, position, _wants: history } = this;
		this._since = hub._sent;
		hub._send({ type: "join", room, position, history, provisional: this._ids.size < IDS && undefined });
	}

	// What comes before the pong is old.
	_part() {
		this.joined = this._live = false;
		this.hub._send({ type: "leave", room: this.name });
		this.hub._ping();
	}

	_follow(position) {
		if (offset(position) <= offset(this.position)) return false;
		if (this.position) this.position = position ?? this.position;
		return true;
	}

	_tell(type, detail) {
		if (this._held) this._held.push([type, detail]);
		else this._emit(type, detail);
	}

	_release() {
		const held = this._held ?? [];
		this._held = undefined;
		for (const event of held) this._emit(...event);
	}

	_person(p) {
		this.people?.set(p.id, { name: "", hub: this.hub.hub, ...p });
	}

	$there({ log, people, count }) {
		if (this._lost && !(log && this.position)) this._tell("gap", { away: now() - this._lost });
		this._lost = 0;
		Object.assign(this, { joined: true, log, count, people: people && new Map() });
		for (const i in people) this._person(people[i]);
		this._emit("people");
	}

	$joined({ type, count, person }) {
		this.count = count;
		if (type === "left") this.people?.delete(person.id);
		else this._person(person);
		this._emit("people");
	}

	$updated = this.$joined;
	$left = this.$joined;

	$gap(f) {
		this._tell("gap", f);
	}

	$subscribed({ position }) {
		this.position = position;
		this._live = true;
		if (this._wants) this._held ??= [];
		this._start ??= offset(position);
	}

	$history(f) {
		this._wants = 0;
		this._emit("history", f);
		this._release();
	}

	$orphans(f) {
		this.position = f.position;
		this._start = Math.min(this._start, offset(f.position));
		this._tell("orphans", f);
	}

	$reset(f) {
		this.position = f.position;
		this._release();
		this._emit("reset", f);
		if (!this.history) return;
		this._wants = this.history;
		this.position = this._start = this._end = undefined;
		this._part();
		this._join();
	}

	$ack(f) {
		this._follow(f.position);
		this._ids.delete(f.id);
		this._tell("settled", f);
	}

	$message(f) {
		const { id, from = {}, position, past } = f, { hub } = this, at = offset(position);
		const data = open(f), own = hub._own.has(from.id), key = own && id.slice(from.id.length + 1);
		if (data === undefined || (own && !position)) return;
		if (past ? at > this._start || at <= this._end : !this._follow(position)) return;
		if (past) this._end = at;
		const scope = position ? "cluster" : f.scope ?? "live";
		if (position && this._ids.delete(id)) return this._tell("settled", f);
		if (scope === "hub") {
			if (this._ids.has(id)) return;
			if (this._ids.size >= IDS) return this._part(), this._join();
			this._ids.add(id);
		}
		const time = new Date(f.time), took = clock() + hub._ahead - time;
		const latency = took < 0 || past || (position && !this._live) ? NaN : took;
		const m = { ...f, from, key, own, data, time, scope, latency, history: past };
		this[past || !position ? "_emit" : "_tell"]("message", m);
		if (hub.outbox.has(key)) hub.$ack(m, this);
	}
}

export class Hub extends Target {
	rooms = new Map();
	_own = new Set();
	_wake = () => this.retry();

	constructor(urls, { outbox = [], connect = true, ...options } = {}) {
		super();
		Object.assign(this, {
			name: "", client: {}, WebSocket: globalThis.WebSocket, ping: 15e3, timeout: 1e4, again: 5e3, wait: 500, ...options,
			urls: [urls].flat(), state: "disconnected", hub: "", why: "", rtt: NaN, retryAt: 0,
		});
		this.outbox = new Map(outbox.map((m) => [m.key, m]));
		if (connect) queueMicrotask(() => this.connect());
	}

	connect() {
		if (this._ticker) return;
		this._at = this._waits = this._expired = 0;
		this._ticker = setInterval(() => this._tick(), this.again / 5);
		this._listen("add");
		this._open("connecting");
	}

	disconnect() {
		this._release("disconnected");
	}

	retry() {
		if (this.retryAt) this._open("reconnecting");
		if (this._online && !this._pings[0]) this._ping();
	}

	rename(name) {
		this.name = name;
		this._hello();
		for (const r of this.rooms.values()) this._send({ type: "join", room: r.name });
	}

	join(name, options = {}) {
		return this.rooms.get(name) ?? new Room(this, name, options);
	}

	_publish(r, data) {
		return new Promise((resolve, reject) => {
			const key = crypto.getRandomValues(new Uint32Array(4)).join("-");
			const m = { room: r.name, key, ...encode(data), tries: 0, delay: this.again, resolve, reject };
			if (this.state === "refused" || this.outbox.size >= MOST) return this._fail(m, "not_sent", "not sent");
			m.size = JSON.stringify(m.data).length;
			this.outbox.set(key, m);
			this._mark(m, "queued");
			this._tick();
		});
	}

	_after(ms, act) {
		clearTimeout(this._timer);
		this._timer = setTimeout(act, ms);
	}

	_listen(verb) {
		for (const type of ["online", "visibilitychange"]) globalThis[`${verb}EventListener`]?.(type, this._wake);
	}

	async _open(state) {
		this.retryAt = 0;
		this._after(this.timeout, () => this._drop({}));
		let socket = (this._socket = {});
		this._set(state);
		this.why = "";
		const on = (listener) => (e) => socket === this._socket && listener(e);
		const lost = on((e) => this._drop(e));
		try {
			const token = await this.token?.();
			if (socket !== this._socket) return;
			socket = this._socket = new this.WebSocket((this.url = this.urls[this._at]), "hub.v1");
			socket.onopen = on(() => this._hello(token, this.client.id && this.client, socket));
			socket.onmessage = on((e) => {
				try {
					this._take(decode(e.data));
				} catch {}
			});
			socket.onclose = lost;
			socket.onerror = () => {};
		} catch (e) {
			lost({ reason: `${e}` });
		}
	}

	_send(frame, socket = this._online) {
		if (!(socket?.readyState > 1)) socket?.send(JSON.stringify(frame)); // or the console complains
	}

	_hello(token, client, socket) {
		this._send({ type: "hello", name: this.name, client, token }, socket);
	}

	_take(f) {
		const r = this.rooms.get(f.room), type = `$${f.type}`;
		this._heard = 1;
		if (this[type] && (f.key || type !== "$ack")) this[type](f, r);
		else if (type === "$there" ? this._sent - this._pings.length >= r?._since : r?.joined) r[type]?.(f);
	}

	$welcome({ hub, client, time, expires }) {
		const { id = client.id } = this.client;
		this._own.add(id).add(client.id);
		Object.assign(this, { hub, client });
		// Another id makes them others.
		for (const m of this.outbox.values()) if (m.tries && !this._online && (id !== client.id || !m.log)) this._fail(m);
		this._renew(Date.parse(expires) - Date.parse(time), 0.8);
	}

	_renew(life, part) {
		clearTimeout(this._renewal);
		if (life) this._renewal = setTimeout(async () => {
			const token = await this.token?.().catch(() => {});
			if (!this._online) return;
			if (token) this._hello(token);
			this._renew(life, token ? 0.8 : 0.05);
		}, Math.min(life * part, 2e9));
	}

	$status({ isolated }) {
		if (!this._online) {
			this._online = this._socket;
			this._expired = this._asked = this._sent = 0;
			this._pings = [];
			this._bounds = [];
			for (const r of this.rooms.values()) r._join();
			for (const m of this.outbox.values()) m.due = 0;
			this._tick();
			this._ping();
		}
		this._set(isolated ? "isolated" : "connected");
	}

	$bye({ retry }) {
		this._asked = retry;
	}

	// Hubs may forget keys after 10 minutes.
	_tick() {
		for (const m of this.outbox.values()) {
			const r = this.rooms.get(m.room);
			m.log = r?.log ?? m.log;
			if (m.tries && now() - m.made > 6e5) this._fail(m);
			else if (this._online && !(now() < m.due) && (m.log || !m.tries)) {
				const { room, key, birth, kind, data } = m;
				this._send({ type: "publish", room, key, birth, kind, data });
				if (!m.tries++) Object.assign(m, { made: now(), birth: r?.position ?? "" });
				m.due = now() + m.delay;
				m.delay *= 2;
				this._mark(m, "sending");
			}
		}
	}

	_mark(m, state, why) {
		this._emit("sending", Object.assign(m, { state, why }));
	}

	$ack(f, r) {
		const { room, key, id, position, scope } = f;
		if (r?.joined) r._follow(position);
		if (r) r.log = scope !== "live";
		const m = this.outbox.get(key) ?? { room, key };
		if (scope !== "hub") this.outbox.delete(key);
		m.resolve?.(f);
		this._mark(Object.assign(m, { id, position }), position ? "stored" : scope);
	}

	_fail(m, code = "unknown", message = "may have arrived", fix = "a copy may do harm") {
		this.outbox.delete(m.key);
		m.error = failure(code, message, fix);
		m.reject?.(m.error);
		this._mark(m, "failed");
	}

	$error({ code, message, fix, room, key }, r) {
		const m = this.outbox.get(key);
		if (m?.tries >= { unknown: 1, outbox_full: 1, refused: 2 }[code]) {
			if (r) r.log = true;
			m.due = now() + m.delay / 10;
			this._mark(m, "sending", message);
		} else if (m) this._fail(m, code, message, fix);
		else if (!key) {
			if (!this._online) this.why = `${message}: ${fix}`;
			(room ? r : this)?._emit("error", failure(code, message, fix));
		}
	}

	_ping() {
		if (!this._online) return;
		const due = now() + this.timeout;
		// Who slept, or has much to read, may have a pong to read.
		this._after(this.timeout, () => (this._heard || now() > due + 1e3 ? this._ping() : this._drop({})));
		this._heard = 0;
		this._pings.push(clock());
		this._sent++;
		this._send({ type: "ping" });
	}

	$pong({ time }) {
		const sent = this._pings.shift(), got = clock(), told = Date.parse(time);
		this.rtt = got - sent;
		// Bounds narrow, until a clock is set.
		let low = Math.max(this._bounds[0], told - got), high = Math.min(this._bounds[1], told + 1 - sent);
		if (!(low <= high)) [low, high] = [told - got, told + 1 - sent];
		this._bounds = [low, high];
		this._ahead = (low + high) / 2;
		if (this._sent > 4) this._waits = 0;
		if (!this._pings[0]) this._after(this._sent < 4 ? 100 : this.ping, () => this._ping());
		this._emit("pong", this.rtt);
	}

	_drop({ code = 1006, reason = "no answer" }) {
		this.code = code;
		this.why ||= reason || "closed";
		if (code >= 4500 || (code === 4005 && (this._expired || !this.token))) return this._release("refused");
		this._expired = code === 4005;
		const [m] = [...this.outbox.values()].filter((m) => code === 1009 && m.tries).sort((a, b) => b.size - a.size);
		if (m) this._fail(m, "too_big", "too big", "send less at once");
		this._at = this._online ? 0 : (this._at + 1) % this.urls.length;
		const wait = this.wait * 2 ** Math.min(this._waits++, 5) * (0.5 + Math.random() / 2);
		this._release("reconnecting", Math.min(this._asked || wait, 6e4));
	}

	_release(state, wait) {
		const socket = this._socket;
		clearTimeout(this._renewal);
		this._socket = this._online = undefined;
		this.retryAt = this._asked = 0;
		this.rtt = this._ahead = NaN;
		socket?.close?.(wait ? undefined : 1000);
		this._after(wait, () => this.retry());
		if (wait) this.retryAt = now() + wait;
		else {
			this._ticker = clearInterval(this._ticker);
			this._listen("remove");
		}
		for (const r of this.rooms.values()) {
			if (r.joined) r._lost = now();
			r.joined = r._live = false;
		}
		this._set(state);
		this._tick();
		for (const m of this.outbox.values()) {
			if (state === "refused") this._fail(m, state, this.why);
			// A live room would show it twice.
			else if (m.tries && !m.log) this._fail(m);
			else this._mark(m, "queued");
		}
	}

	_set(state) {
		this.state = state;
		this._emit("state");
	}
}
