// The connection to a hub: opens the WebSocket, keeps it alive, and opens it again when it is lost.

import { now } from "./page.js";
import { SUBPROTOCOL, decode, isFinal, whyClosed } from "./protocol.js";

const ANSWER = 10_000; // ms: longest wait for the hub's welcome, and for a pong
const PING = 5_000; // between a pong and the next ping
const FIRST_PINGS = 4; // these follow at once, as the clock's offset is wanted
const MIN_DELAY = 500;
const MAX_DELAY = 15_000;
const STEADY = 5_000; // a session of this length starts over with short delays
const TRIES = 2; // at a hub, before it is the next one's turn

/**
 * How far the hub's clock is ahead. A hub tells whole milliseconds, so a ping only says that the offset lies between
 * two bounds; those of several pings together are narrower.
 */
export class Clock {
  rtt = NaN; // ms
  #offset = NaN;
  /** @type {number[][]} bounds, the newest first */
  #bounds = [];

  /**
   * @param {number} sent
   * @param {number} got
   * @param {string} time what the pong says
   */
  sample(sent, got, time) {
    this.rtt = got - sent;
    const told = Date.parse(time);
    if (isNaN(told)) return;
    this.#bounds = [[told - got, told + 1 - sent], ...this.#bounds.slice(0, 7)];
    let [low, high] = this.#bounds[0];
    for (const [l, h] of this.#bounds) {
      if (Math.max(low, l) > Math.min(high, h)) break; // a clock was set: what is older says nothing any more
      [low, high] = [Math.max(low, l), Math.min(high, h)];
    }
    this.#offset = (low + high) / 2;
  }

  /** Forgets: another hub has another clock. */
  reset() {
    this.rtt = this.#offset = NaN;
    this.#bounds = [];
  }

  /**
   * How long ago the hub told time, in ms; NaN where that is unknown, or wrong because it is negative.
   * @param {string} time
   */
  since(time) {
    const ms = now() + this.#offset - Date.parse(time);
    return ms < 0 ? NaN : ms;
  }
}

export class Connection {
  /** @type {State} */
  state = "disconnected";
  online = false; // there is a session
  hub = ""; // its name, kept when the session is gone
  client = { id: "", secret: "" }; // this page, as the last welcome named it
  sessions = 0; // so far
  since = 0; // when the session began
  lostAt = 0; // when the last one ended
  why = ""; // why it ended, or why there is none
  failures = 0; // handshakes that failed in a row
  retryAt = 0; // when the next try is due; 0 while it is under way

  #urls;
  #clock;
  #on;
  #name = "";
  #at = 0; // index of the URL in use
  #failuresHere = 0;
  #delays = 0; // exponent of the next delay
  #asked = NaN; // the delay that bye asked for
  #complaint = ""; // of the hub, about no message and no room
  /** @type {WebSocket | undefined} */
  #socket;
  #timer = 0; // of the next try, the welcome, the pong, or the next ping: there is one at a time
  #pingAt = 0; // 0: none is under way
  #pings = 0;

  /**
   * @param {string[]} urls home first
   * @param {Clock} clock
   * @param {ConnectionListener} on
   */
  constructor(urls, clock, on) {
    this.#urls = urls;
    this.#clock = clock;
    this.#on = on;
  }

  get host() {
    return new URL(this.#urls[this.#at]).host;
  }

  /** Whether it stays without a session until somebody connects. */
  get idle() {
    return this.state === "disconnected" || this.state === "refused";
  }

  get home() {
    return this.#at === 0;
  }

  connect() {
    this.failures = this.#delays = 0;
    this.#goHome();
    this.#open("connecting");
  }

  disconnect() {
    this.#release("disconnected");
  }

  /** Tries now, not later. */
  retry() {
    if (this.retryAt) this.#open("reconnecting");
  }

  /** Asks now whether the hub is there. */
  probe() {
    if (this.online && !this.#pingAt) this.#ping();
  }

  /** @param {string} name */
  rename(name) {
    this.#name = name;
    this.send({ type: "hello", name });
  }

  /** @param {object} frame which goes nowhere without a session */
  send(frame) {
    if (this.online) this.#socket?.send(JSON.stringify(frame));
  }

  /** @param {State} state */
  #open(state) {
    clearTimeout(this.#timer);
    this.retryAt = 0;
    this.#complaint = "";
    this.#timer = setTimeout(() => this.#drop(1006, ""), ANSWER);
    this.#set(state);
    let /** @type {WebSocket} */ socket;
    try {
      socket = new WebSocket(this.#urls[this.#at], SUBPROTOCOL);
    } catch {
      this.#drop(1006, ""); // the browser forbids it, as from https to ws
      return;
    }
    this.#socket = socket;
    // A socket that was given up is not listened to any more.
    socket.onopen = () => {
      const client = this.client.id ? this.client : undefined;
      if (socket === this.#socket) socket.send(JSON.stringify({ type: "hello", name: this.#name, client }));
    };
    socket.onclose = (e) => socket === this.#socket && this.#drop(e.code, whyClosed(e));
    socket.onmessage = (e) => {
      const frame = socket === this.#socket && decode(e.data);
      if (frame) this.#receive(frame);
    };
  }

  /** @param {Frame} f */
  #receive(f) {
    if (f.type === "welcome") {
      this.hub = f.hub;
      this.client = f.client;
    } else if (f.type === "status") {
      const state = f.isolated ? "isolated" : "connected";
      if (this.online) this.#set(state);
      else this.#begin(state);
    } else if (f.type === "pong") {
      if (this.#pingAt) this.#pong(f.time);
    } else if (f.type === "bye") {
      this.#asked = f.retry;
    } else if (this.online) {
      this.#on.frame(f);
    } else if (f.type === "error") {
      this.#complaint = `${f.message}. ${f.fix}`;
    }
  }

  /** @param {State} state */
  #begin(state) {
    this.online = true;
    this.failures = this.#failuresHere = this.#pings = 0;
    this.#asked = NaN;
    this.since = now();
    this.sessions++;
    this.#set(state);
    this.#on.ready();
    this.#ping();
  }

  #ping() {
    clearTimeout(this.#timer);
    const due = now() + ANSWER;
    this.#pingAt = now();
    this.#timer = setTimeout(() => {
      // Where this is late the browser had stopped the page, and the pong may wait to be read.
      if (now() > due + 1000) this.#ping();
      else this.#drop(1006, "the hub did not answer for 10 s");
    }, ANSWER);
    this.send({ type: "ping" });
  }

  /** @param {string} time */
  #pong(time) {
    clearTimeout(this.#timer);
    this.#clock.sample(this.#pingAt, now(), time);
    this.#pingAt = 0;
    this.#timer = setTimeout(() => this.#ping(), ++this.#pings < FIRST_PINGS ? 100 : PING);
    this.#on.changed();
  }

  /**
   * The connection ended, or is given up.
   * @param {number} code
   * @param {string} why
   */
  #drop(code, why) {
    if (isFinal(code)) {
      this.why = this.#complaint || why;
      this.#release("refused");
      return;
    }
    if (this.online) {
      this.why = `Connection lost (${code}): ${why}`;
      if (now() - this.since > STEADY) this.#delays = 0;
      this.#goHome();
    } else {
      this.why = `No connection to ${this.host}`;
      this.failures++;
      if (++this.#failuresHere === TRIES) {
        this.#failuresHere = 0;
        this.#at = (this.#at + 1) % this.#urls.length;
      }
    }
    const backoff = Math.min(MAX_DELAY, MIN_DELAY * 2 ** this.#delays++) * (0.5 + Math.random() / 2);
    const delay = isNaN(this.#asked) ? backoff : Math.min(this.#asked, 60_000);
    this.#asked = NaN;
    this.#release("reconnecting", delay);
  }

  #goHome() {
    this.#at = this.#failuresHere = 0;
  }

  /**
   * Lets go of the socket, and of the session where there is one.
   * @param {State} state
   * @param {number} [delay] to the next try
   */
  #release(state, delay) {
    clearTimeout(this.#timer);
    const socket = this.#socket;
    const was = this.online;
    this.#socket = undefined;
    this.online = false;
    this.#pingAt = this.retryAt = 0;
    this.#clock.reset();
    socket?.close(); // where the hub is gone this takes its time, and nobody waits
    if (delay !== undefined) {
      this.retryAt = now() + delay;
      this.#timer = setTimeout(() => this.retry(), delay);
    }
    if (was) this.lostAt = now();
    this.#set(state);
    if (was) this.#on.lost();
  }

  /** @param {State} state */
  #set(state) {
    this.state = state;
    this.#on.changed();
  }
}
