// What docs/protocol.md asks a client to keep: how far it has the log of each room, what it was shown before the log had
// it, and its own messages, until they are stored, or in a live room taken.

import { sentRow, tell } from "./messages.js";
import { button, byId, count, hubTag, make, now, roundTrip } from "./page.js";
import { MAX_MESSAGE, offsetOf } from "./protocol.js";

const HISTORY = 50; // messages asked for where there is no cursor yet
const MOST = 1000; // ids kept of a room

const AGE = 10 * 60_000; // ms after the first try: hubs may forget the key after that
const DELAY = 5_000; // to the second try where there is no answer, and twice as long to each further one
const CUT = "it may not have arrived, the connection was cut";

/** One room. */
export class Log {
  kept = false; // it is a log room, as far as is known
  known = false; // it was joined before, perhaps in an earlier session
  here = false; // it is joined in this session
  live = false; // all that was missed came, and what comes is new
  cursor = ""; // the position up to which this page has everything
  /** @type {Set<string>} of messages that were shown without a position */
  ids = new Set();

  /**
   * Moves the cursor to the next of the stream. Who is not in the room is answered with positions too, and these are
   * not the next: the cursor would pass over what was missed.
   * @param {string} position
   */
  follow(position) {
    if (this.here && offsetOf(position) > offsetOf(this.cursor)) this.cursor = position;
  }

  /**
   * Keeps the id of a message without a position, and reports whether from now on none is to come.
   * @param {string} id
   */
  keep(id) {
    return this.ids.add(id).size === MOST;
  }
}

/**
 * By room.
 * @extends {Map<string, Log>}
 */
export class Logs extends Map {
  /** @param {string} room */
  of(room) {
    const log = this.get(room) ?? new Log();
    this.set(room, log);
    return log;
  }

  /**
   * The frame that joins, where there is a cursor from there on.
   * @param {string} room
   */
  join(room) {
    const { cursor, ids } = this.of(room);
    const from = cursor ? { position: cursor } : { history: HISTORY };
    return { type: "join", room, ...from, provisional: ids.size < MOST && undefined };
  }
}

/** One's own messages. */
export class Outbox {
  #connection;
  #messages;
  #logs;
  /** @type {Map<string, Outgoing>} by key, in the order of writing */
  #kept = new Map();

  /**
   * @param {Connection} connection
   * @param {Messages} messages
   * @param {Logs} logs
   */
  constructor(connection, messages, logs) {
    this.#connection = connection;
    this.#messages = messages;
    this.#logs = logs;
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
    this.#enter(room, text, sentRow(text, new Date()));
    return "";
  }

  /** What a reload is to survive. */
  get leaving() {
    return Array.from(this.#kept.values(), ({ row, ...rest }) => ({ ...rest, log: this.#logs.of(rest.room).kept }));
  }

  /** @param {Leaving["outbox"]} left */
  restore(left) {
    for (const { log, ...rest } of left) {
      const message = { ...rest, row: sentRow(rest.text, new Date(rest.made)) };
      this.#kept.set(message.key, message);
      this.#messages.place(message.room, message.row);
      this.#logs.of(message.room).kept ||= log;
      if (message.why) this.#fail(message, message.why);
    }
    this.lost();
  }

  /**
   * A session began: sends all that waits.
   * @param {boolean} forgotten whether the hub took this page for a new client, under which a key is another
   */
  flush(forgotten) {
    for (const message of this.#kept.values()) {
      message.due = 0;
      message.delay = DELAY;
      if (forgotten && message.tries && !message.why) this.#fail(message, "it may have arrived, the hub forgot this page");
    }
    this.tick();
  }

  /** The session ended. A live room would show again what is sent again. */
  lost() {
    for (const message of this.#kept.values()) {
      if (message.why) continue;
      if (message.tries && !this.#logs.of(message.room).kept) this.#fail(message, CUT);
      else if (message.row.dataset.state !== "hub") tell(message.row, "queued");
    }
    this.#count();
  }

  /** Sends what is due, and gives up what is too old. To be called once a second. */
  tick() {
    for (const message of this.#kept.values()) {
      const { tries, made, due, room, why } = message;
      if (why) continue;
      if (tries && now() - made > AGE) this.#fail(message, "it may have arrived, nobody confirmed it for 10 minutes");
      else if (this.#connection.online && now() >= due && (!tries || this.#logs.of(room).kept)) this.#try(message);
    }
    this.#count();
  }

  /**
   * Reports whether the ack is of a message that is kept here.
   * @param {Frame} f
   */
  acked(f) {
    const message = this.#kept.get(f.key);
    if (!message) return false;
    const { room, row, tries, made, why } = message;
    const kept = f.scope === "hub"; // by the hub alone, so here too
    if (!kept) this.#kept.delete(f.key);
    else if (why) return true;
    const took = make("span", "num", roundTrip(tries === 1 && row.dataset.state === "sending" ? now() - made : NaN));
    took.title = "until the hub confirmed it";
    this.#messages.place(room, row, f.id, f.position);
    const { hub, state } = this.#connection;
    tell(row, f.position ? "stored" : kept || state === "isolated" ? "hub" : "sent", hubTag(hub), took);
    return true;
  }

  /**
   * Lets go of the message that came back from the log under id, which ends with its key, and returns its row.
   * @param {string} id
   */
  stored(id) {
    for (const { key, row } of this.#kept.values()) if (id.endsWith(key) && this.#kept.delete(key)) return row;
    return undefined;
  }

  /**
   * Reports whether the error is about a message that is kept here.
   * @param {Frame} f
   * @param {string} problem
   */
  refused(f, problem) {
    const message = this.#kept.get(f.key);
    if (!message) return false;
    const { room, row, tries, delay } = message;
    const once = f.code === "refused" && tries > 1; // by this try, and an earlier one may be stored
    if (!message.why && this.#logs.of(room).kept && (once || /^(unknown|outbox_full)$/.test(f.code))) {
      message.due = now() + delay / 10;
      if (row.dataset.state !== "hub") tell(row, "sending", f.message);
    } else this.#fail(message, problem);
    return true;
  }

  /**
   * @param {string} room
   * @param {string} text
   * @param {HTMLElement} row
   */
  #enter(room, text, row) {
    const key = crypto.getRandomValues(new Uint32Array(4)).join("-");
    this.#kept.set(key, { room, text, row, key, birth: "", made: now(), tries: 0, due: 0, delay: DELAY, why: "" });
    row.remove();
    delete row.dataset.at;
    this.#messages.place(room, row);
    tell(row, "queued");
    this.tick();
  }

  /** @param {Outgoing} message */
  #try(message) {
    const { room, key, text, row } = message;
    // It cannot be in the log before now, and all that this page has of the log was there before.
    if (!message.tries++) [message.made, message.birth] = [now(), this.#logs.of(room).cursor];
    const birth = message.tries > 1 ? message.birth : undefined;
    message.due = now() + message.delay;
    message.delay *= 2;
    if (row.dataset.state !== "hub") tell(row, "sending");
    this.#connection.send({ type: "publish", room, key, birth, data: text });
  }

  /**
   * @param {Outgoing} message
   * @param {string} why
   */
  #fail(message, why) {
    const { room, row, key } = message;
    message.why = why;
    tell(row, "failed", why, this.again(room, row, key));
    if (this.#connection.online) this.#messages.release();
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
      this.#enter(room, row.querySelector(".text")?.textContent ?? "", row);
    });
  }

  #count() {
    let n = 0;
    for (const { row } of this.#kept.values()) if (row.dataset.state === "queued") n++;
    byId("queue").textContent = n ? `${count(n, "message")} queued` : "";
  }
}
