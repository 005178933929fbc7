// One's own messages: their rows, from when they are written until they are stored. The client of the hub sends them.

import { sentRow, tell } from "./messages.js";
import { button, byId, count, hubTag, make, now, roundTrip } from "./page.js";
import { MAX_MESSAGE } from "./protocol.js";

const CUT = "it may not have arrived, the connection was cut";

export class Sent {
  #hub;
  #messages;
  /** @type {Map<string, Own>} by key: those that are not known to be stored */
  #kept = new Map();
  /** @type {HTMLElement | undefined} of the message that is being sent again */
  #row;

  /**
   * @param {Hub} hub
   * @param {Messages} messages
   */
  constructor(hub, messages) {
    this.#hub = hub;
    this.#messages = messages;
    hub.on("sending", (m) => this.#step(m));
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
    this.#hub.join(room).send(text).catch(() => {}); // it is told below
    return "";
  }

  /** What a reload is to survive. */
  get leaving() {
    return Array.from(this.#kept.values(), ({ row, ...rest }) => rest);
  }

  /** @param {Own[]} left */
  restore(left) {
    for (const { key, room, text, at, why } of left) {
      const row = this.#enter(key, room, text, at);
      if (why) this.#fail(key, why);
      else if (!this.#hub.outbox.has(key)) this.#fail(key, CUT);
      else tell(row, "queued");
    }
    this.#count();
  }

  /**
   * The row of the message with this key.
   * @param {string | false} key
   */
  row(key) {
    return this.#kept.get(key || "")?.row;
  }

  /**
   * The button that sends the message of a row again, as a new one.
   * @param {string} room
   * @param {HTMLElement} row
   * @param {string} [key] under which it is kept
   */
  again(room, row, key = "") {
    return button("Try again", () => {
      this.#kept.delete(key);
      row.remove();
      delete row.dataset.at;
      this.#row = row;
      this.write(room, row.querySelector(".text")?.textContent ?? "");
      this.#row = undefined;
    });
  }

  /**
   * @param {string} key
   * @param {string} room
   * @param {string} text
   * @param {number} at when it was written
   */
  #enter(key, room, text, at) {
    const row = this.#row ?? sentRow(text, new Date(at));
    this.#kept.set(key, { key, room, text, at, row, why: "" });
    this.#messages.place(room, row);
    return row;
  }

  /**
   * A message came a step further.
   * @param {Outgoing} m
   */
  #step(m) {
    const { key, room, state, why = "", error } = m;
    const row = this.row(key) ?? (state === "queued" || state === "failed" ? this.#enter(key, room, m.data, now()) : null);
    if (!row) return;
    if (state === "failed") {
      const { code, message, fix } = error ?? { code: "", message: "", fix: "" };
      const lost = /^(con|iso)/.test(this.#hub.state) ? "it may have arrived, nobody confirmed it" : CUT;
      this.#fail(key, code === "unknown" ? lost : `${message}. ${fix}`);
    } else if (state === "queued" || state === "sending") {
      if (row.dataset.state !== "hub") tell(row, state, why);
    } else this.#acked(m, row);
    this.#count();
  }

  /**
   * @param {Outgoing} m
   * @param {HTMLElement} row
   */
  #acked({ key, room, id, position, state, tries, made }, row) {
    if (state !== "hub") this.#kept.delete(key);
    else if (row.dataset.state === "failed") return;
    const took = make("span", "num", roundTrip(tries === 1 && made && row.dataset.state === "sending" ? now() - made : NaN));
    took.title = "until the hub confirmed it";
    this.#messages.place(room, row, id, position);
    const alone = state === "hub" || this.#hub.state === "isolated";
    tell(row, position ? "stored" : alone ? "hub" : "sent", hubTag(this.#hub.hub), took);
  }

  /**
   * @param {string} key
   * @param {string} why
   */
  #fail(key, why) {
    const own = this.#kept.get(key);
    if (!own) return;
    own.why = why;
    tell(own.row, "failed", why, this.again(own.room, own.row, key));
    if (/^(con|iso).*d$/.test(this.#hub.state)) this.#messages.release();
  }

  #count() {
    let n = 0;
    for (const { row } of this.#kept.values()) if (row.dataset.state === "queued") n++;
    byId("queue").textContent = n ? `${count(n, "message")} queued` : "";
  }
}
