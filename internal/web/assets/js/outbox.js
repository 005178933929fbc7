// One's own messages: kept until there is a session, sent, and followed until the hub says how far they came.

import { sentRow, tell } from "./messages.js";
import { button, byId, count, hubTag, make, now, roundTrip } from "./page.js";
import { MAX_MESSAGE } from "./protocol.js";

export class Outbox {
  #connection;
  #messages;
  /** @type {Outgoing[]} in the order of writing */
  #queued = [];
  /** @type {Map<string, Outgoing>} by key, until the hub answers */
  #sending = new Map();

  /**
   * @param {Connection} connection
   * @param {Messages} messages
   */
  constructor(connection, messages) {
    this.#connection = connection;
    this.#messages = messages;
  }

  get queued() {
    return this.#queued.map(({ room, text }) => ({ room, text }));
  }

  /**
   * Sends text, now or later, and returns what is wrong with it, if anything is.
   * @param {string} room
   * @param {string} text
   */
  write(room, text) {
    const size = new TextEncoder().encode(text).length;
    if (size > MAX_MESSAGE) {
      return `This has ${size.toLocaleString()} bytes, and a hub takes ${MAX_MESSAGE.toLocaleString()}: shorten it, or send it in parts.`;
    }
    this.#enter({ room, text, row: sentRow(text), at: 0 });
    return "";
  }

  /** Sends what waits. */
  flush() {
    for (const message of this.#queued.splice(0)) this.#enter(message);
    this.#count();
  }

  /** The session ended: what became of messages that the hub did not answer, nobody knows. */
  lost() {
    for (const key of this.#sending.keys()) this.refused(key, "it may not have arrived, the connection was cut");
  }

  /** @param {string} key */
  acked(key) {
    const message = this.#take(key);
    if (!message) return;
    const took = make("span", "num", roundTrip(now() - message.at));
    took.title = "until the hub confirmed it";
    tell(message.row, this.#connection.state === "isolated" ? "hub" : "sent", hubTag(this.#connection.hub), took);
  }

  /**
   * Reports whether there is a message of that key.
   * @param {string} key
   * @param {string} why
   */
  refused(key, why) {
    const message = this.#take(key);
    if (message) tell(message.row, "failed", why, button("Try again", () => this.#enter(message)));
    return !!message;
  }

  /** @param {string} key */
  #take(key) {
    const message = this.#sending.get(key);
    this.#sending.delete(key);
    return message;
  }

  /** @param {Outgoing} message */
  #enter(message) {
    const { room, text, row } = message;
    this.#messages.put(room, row);
    if (this.#connection.online) {
      const key = crypto.getRandomValues(new Uint32Array(4)).join("-");
      this.#sending.set(key, message);
      message.at = now();
      tell(row, "sending");
      this.#connection.send({ type: "publish", room, key, data: text });
    } else {
      this.#queued.push(message);
      tell(row, "queued");
      this.#count();
    }
  }

  #count() {
    const n = this.#queued.length;
    byId("queue").textContent = n ? `${count(n, "message")} queued` : "";
  }
}
