// The messages: their rows, newest on top, a bounded list for each room, and the place where the reader is kept.

import { byId, count, hubTag, latency, linked, make } from "./page.js";
import { nameOf } from "./protocol.js";

const MOST = 500; // rows of a room, and so of the document
const CLOCK = new Intl.DateTimeFormat([], { hour: "2-digit", minute: "2-digit", second: "2-digit" });
const DAY = new Intl.DateTimeFormat([], { dateStyle: "full" });

/**
 * The row of somebody else's message.
 * @param {Frame} m
 * @param {string} hub that this page is on
 * @param {number} ms that it took
 */
export function receivedRow(m, hub, ms) {
  const path = make("span", "path", ...(m.hub === hub ? [] : [hubTag(m.hub), " → "]), hubTag(hub));
  const how = make("span", "how", path, make("span", "num", latency(ms)));
  return row("received", nameOf(m.from), new Date(Date.parse(m.time) || Date.now()), how, body(m));
}

/**
 * The row of one's own message.
 * @param {string} text
 */
export const sentRow = (text) => row("sent", "You", new Date(), make("span", "how"), plain(text));

/** No ticks, which read as "seen by them". */
const WORDS = { queued: "queued", sending: "sending…", sent: "sent", hub: "this hub only", failed: "failed" };

/**
 * Says how far one's own message came.
 * @type {Tell}
 */
export const tell = (row, progress, ...more) => {
  row.dataset.state = progress;
  row.querySelector(".how")?.replaceChildren(make("span", "", WORDS[progress]), ...more);
};

/** @type {MakeRow} */
function row(direction, who, at, how, content) {
  const time = make("time", "", CLOCK.format(at));
  time.dateTime = at.toISOString();
  time.title = at.toLocaleString();
  content.dir = "auto";
  const item = make("li", "", make("div", "meta", make("bdi", "who", who), time, how), content);
  item.dataset.direction = direction;
  return item;
}

/** @param {Frame} m */
function body(m) {
  if (m.kind === "json") return make("p", "text json", JSON.stringify(m.data, null, 2) ?? "");
  const text = typeof m.data === "string" ? m.data : "";
  if (m.kind !== "binary") return plain(text);
  const size = Math.floor(text.replace(/=+$/, "").length * 0.75);
  return make("p", "text binary", `Binary data, ${size.toLocaleString()} bytes, is not shown here`);
}

/** @param {string} text */
const plain = (text) => make("p", "text", ...linked(text));

export class Messages {
  #list = byId("messages");
  #jump = byId("jump");
  /** @type {Map<string, MessageList>} by room */
  #lists = new Map();
  #shown = "";
  #atTop = true;
  #missed = 0; // above what the reader sees

  constructor() {
    this.#jump.onclick = () => this.toTop();
    // Read here, where the layout is done anyway: asked at each message, it would be done for each.
    addEventListener("scroll", () => {
      this.#atTop = scrollY < 8;
      if (this.#atTop) this.#seen();
    });
    byId("show").onchange = (e) => {
      this.#list.dataset.show = /** @type {HTMLInputElement} */ (e.target).value;
    };
  }

  /** @param {string} room */
  show(room) {
    const was = this.#lists.get(this.#shown);
    if (was) {
      was.box = new DocumentFragment();
      was.box.append(...this.#list.childNodes);
    }
    const list = this.#of(room);
    this.#list.replaceChildren(list.box);
    list.box = this.#list;
    this.#shown = room;
    this.toTop();
  }

  /** @param {string} room which is not shown */
  forget(room) {
    this.#lists.delete(room);
  }

  /**
   * Puts somebody else's message on top.
   * @param {string} room
   * @param {HTMLElement} row
   * @param {boolean} looking whether anybody looks at that room
   */
  receive(room, row, looking) {
    const list = this.#of(room);
    if (!looking && !list.away) {
      list.mark?.remove();
      list.mark = this.#separate(list, "new", "new since you looked away");
    }
    list.away = !looking;
    this.put(room, row);
    if (room !== this.#shown || this.#atTop) return; // the browser itself holds the place of who reads further down
    this.#jump.textContent = `↑ ${count(++this.#missed, "new message")}`;
    this.#jump.hidden = false;
  }

  /**
   * Puts row on top, or moves it there.
   * @param {string} room
   * @param {HTMLElement} row
   */
  put(room, row) {
    const list = this.#of(room);
    const day = DAY.format(Date.parse(row.querySelector("time")?.dateTime ?? ""));
    if (list.day && list.day !== day) this.#separate(list, "", list.day);
    list.day = day;
    list.box.prepend(row);
    while (list.box.childElementCount > MOST) list.box.lastElementChild?.remove();
  }

  /** @param {string} text that says why messages may be missing, wherever there are some */
  gap(text) {
    for (const list of this.#lists.values()) this.#separate(list, "gap", text);
  }

  toTop() {
    scrollTo(0, 0);
    this.#atTop = true;
    this.#seen();
  }

  #seen() {
    this.#missed = 0;
    this.#jump.hidden = true;
  }

  /**
   * Puts a line between what is there, if anything is, and what comes.
   * @param {MessageList} list
   * @param {string} kind
   * @param {string} text
   */
  #separate(list, kind, text) {
    if (list.box.hasChildNodes()) list.box.prepend(make("li", `sep ${kind}`, text));
    return list.box.firstElementChild;
  }

  /** @param {string} room */
  #of(room) {
    let list = this.#lists.get(room);
    if (!list) this.#lists.set(room, (list = { box: new DocumentFragment(), day: "", mark: null, away: false }));
    return list;
  }
}
