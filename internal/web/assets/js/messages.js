// The messages: their rows, newest on top, a bounded list for each room, and the place where the reader is kept.
//
// A row with data-at has its place: above what has a lower one. A row without waits on top for its place, as do own
// messages until they are stored; in a live room all do.

import { byId, count, hubTag, latency, linked, make } from "./page.js";
import { offset } from "./hub.js";
import { nameOf } from "./protocol.js";

const MOST = 500; // rows of a room, and so of the document
const CLOCK = new Intl.DateTimeFormat([], { hour: "2-digit", minute: "2-digit", second: "2-digit" });
const DAY = new Intl.DateTimeFormat([], { dateStyle: "full" });

/**
 * The row of a message that came.
 * @param {Message} m
 * @param {string} hub that this page is on
 */
export function messageRow(m, hub) {
  const mine = m.own;
  const at = new Date(m.time.getTime() || Date.now());
  const item = row(mine ? "sent" : "received", mine ? "You" : nameOf(m.from), at, body(m));
  const path = make("span", "path", hubTag(m.hub));
  if (mine) tell(item, "stored", path);
  else if (m.scope === "hub") tell(item, "hub", path);
  else howOf(item).append(path);
  if (m.history || mine) return item; // nobody knows how it came
  if (m.hub !== hub) path.append(" → ", hubTag(hub));
  path.after(make("span", "num", latency(m.latency)));
  return item;
}

/**
 * The row of a message that is written here.
 * @param {string} text
 * @param {Date} at
 */
export const sentRow = (text, at) => row("sent", "You", at, plain(text));

/**
 * No ticks, which read as "seen by them".
 * @type {Partial<Record<Progress, string>>}
 */
const WORDS = { sending: "sending…", hub: "this hub only", lost: "lost by Redis:" };

/**
 * Says how far a message came: one's own, or one that is lost.
 * @type {Tell}
 */
export const tell = (row, progress, ...more) => {
  row.dataset.state = progress;
  howOf(row).replaceChildren(make("span", "far", WORDS[progress] ?? progress), ...more);
};

/** @param {HTMLElement} row */
const howOf = (row) => /** @type {HTMLElement} */ (row.querySelector(".how"));

/** @type {MakeRow} */
function row(direction, who, at, content) {
  const time = make("time", "", CLOCK.format(at));
  time.dateTime = at.toISOString();
  time.title = at.toLocaleString();
  content.dir = "auto";
  const item = make("li", "", make("div", "meta", make("bdi", "who", who), time, make("span", "how")), content);
  item.dataset.direction = direction;
  item.dataset.day = DAY.format(at);
  return item;
}

/** @param {Message} m */
function body({ kind, data }) {
  if (kind === "json") return make("p", "text json", JSON.stringify(data, null, 2) ?? "");
  if (kind !== "binary") return plain(data);
  return make("p", "text binary", `Binary data, ${data.length.toLocaleString()} bytes, is not shown here`);
}

/** @param {string} text */
const plain = (text) => make("p", "text", ...linked(text));

/**
 * A line between rows.
 * @param {string} kind
 * @param {string} text
 */
const line = (kind, text) => make("li", `sep ${kind}`, text);

/** @type {RowsOf} */
const rowsOf = (box, which) => /** @type {any} */ ([...box.querySelectorAll(which)]);
const PLACED = "[data-at]";
const LOOSE = "[data-state=failed], [data-direction=received][data-state=hub]";

/** @param {HTMLElement} row */
const placeOf = (row) => Number(row.dataset.at ?? Infinity);

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
   * Has the reader notice a row that is new.
   * @param {string} room
   * @param {HTMLElement} row
   * @param {boolean} looking whether anybody looks at that room
   */
  notice(room, row, looking) {
    const list = this.#of(room);
    if (!looking && !list.away) {
      list.mark?.remove();
      list.mark = line("new", "new since you looked away");
      if (row.nextElementSibling) row.after(list.mark);
    }
    list.away = !looking;
    if (room !== this.#shown || this.#atTop) return; // the browser itself holds the place of who reads further down
    this.#jump.textContent = `↑ ${count(++this.#missed, "new message")}`;
    this.#jump.hidden = false;
  }

  /**
   * The row of the message called id.
   * @param {string} room
   * @param {string} id
   */
  find(room, id) {
    return this.#of(room).rows.get(id);
  }

  /**
   * Puts row where it belongs in the log, and as long as that is unknown on top, where it then stays.
   * @param {string} room
   * @param {HTMLElement} row
   * @param {string} [id] of which there is one row
   * @param {string} [position]
   * @param {boolean} [past] whether it is history
   */
  place(room, row, id = "", position = "", past = false) {
    const list = this.#of(room);
    const { box, rows } = list;
    rows.delete(row.dataset.id ?? "");
    rows.get(id)?.remove();
    if (id) rows.set(id, row);
    row.dataset.id = id;
    if (past && !row.dataset.at) list.past = row;
    if (position) row.dataset.at = `${offset(position)}`;
    if (position && row.dataset.direction === "received") {
      delete row.dataset.state;
      row.querySelector(".far")?.remove();
    }
    let /** @type {Element | null} */ above = null;
    for (const other of /** @type {Iterable<HTMLElement>} */ (box.children)) {
      if (other === row || !other.dataset.day) continue;
      if (placeOf(other) <= placeOf(row)) break;
      above = other;
    }
    let before = row.previousElementSibling;
    while (before?.matches(".sep")) before = before.previousElementSibling;
    if (row.parentNode === box && (before === above || !row.dataset.at)) return; // somebody may be selecting it
    above ? above.after(row) : box.prepend(row);
    const below = /** @type {HTMLElement | null} */ (row.nextElementSibling);
    if (below?.dataset.day !== row.dataset.day) this.#date(box);
    while (box.childElementCount > MOST) {
      const last = /** @type {HTMLElement} */ (box.lastElementChild);
      rows.delete(last.dataset.id ?? "");
      last.remove();
      if (last.matches(LOOSE) && !last.dataset.at) this.release(); // or what has a place goes next
    }
  }

  /** What failed, or is known to a hub alone, waits for no place any more: what comes is above it. */
  release() {
    for (const { box } of this.#lists.values()) {
      const top = Number(rowsOf(box, PLACED)[0]?.dataset.at ?? 0);
      for (const row of rowsOf(box, LOOSE)) row.dataset.at ??= `${top + 0.5}`;
    }
  }

  /**
   * The history that was asked for is there: its end is marked, where any of it is new.
   * @param {string} room
   */
  recalled(room) {
    const list = this.#of(room);
    list.past?.before(line("", "earlier messages"));
    list.past = null;
    this.release();
  }

  /**
   * @param {string} room
   * @param {string} text that says what is missing below what comes
   */
  gap(room, text) {
    const { box } = this.#of(room);
    (rowsOf(box, PLACED)[0] ?? box.firstChild)?.before(line("gap", text));
  }

  /**
   * What has a place beyond offset does not have it any more: it stays, below what comes. Returns the rows of that.
   * @param {string} room
   * @param {number} offset
   */
  unplace(room, offset) {
    const rows = rowsOf(this.#of(room).box, PLACED).filter((row) => placeOf(row) > offset);
    for (const row of rows) row.dataset.at = `${offset + 0.5}`;
    return rows;
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

  /** @param {ParentNode} box which gets a line with the day above the rows of each day but the newest */
  #date(box) {
    for (const day of box.querySelectorAll(".day")) day.remove();
    let above = "";
    for (const other of rowsOf(box, "[data-day]")) {
      const { day = "" } = other.dataset;
      if (above && day !== above) other.before(line("day", day));
      above = day;
    }
  }

  /** @param {string} room */
  #of(room) {
    let list = this.#lists.get(room);
    if (!list) {
      list = { box: new DocumentFragment(), rows: new Map(), past: null, mark: null, away: false };
      this.#lists.set(room, list);
    }
    return list;
  }
}
