// The rooms that this page is in, which of them is shown, and what in them was not read.

import { button, byId, load, make, save } from "./page.js";
import { LOBBY, ROOM_RULE, isRoom } from "./protocol.js";

export class Rooms {
  current = "";

  #on;
  /** @type {Map<string, RoomEntry>} in the order of joining */
  #entries = new Map();

  /** @param {RoomsListener} on */
  constructor(on) {
    this.#on = on;
    byId("add-room").onsubmit = (e) => {
      e.preventDefault();
      const field = byId("new-room");
      const name = field.value.trim().replace(/^#/, "");
      if (this.#try(name)) field.value = "";
    };
    addEventListener("hashchange", () => this.#follow());
  }

  /** Enters the rooms of the last time, and shows the one in the address, or the lobby. */
  start() {
    const kept = load("localStorage", "rooms");
    if (Array.isArray(kept)) kept.map(String).filter(isRoom).forEach((name) => this.#add(name));
    this.#follow();
  }

  get names() {
    return [...this.#entries.keys()];
  }

  /** @param {string} name of a room, which is joined where that is still to be done */
  show(name) {
    const { item, button } = this.#add(name);
    save("localStorage", "rooms", this.names);
    if (name !== this.current) {
      this.#entries.get(this.current)?.button.removeAttribute("aria-current");
      this.current = name;
      button.setAttribute("aria-current", "page");
      item.scrollIntoView({ block: "nearest", inline: "nearest" });
      const hash = `#room=${name}`;
      if (location.hash !== hash) history[location.hash ? "pushState" : "replaceState"](null, "", hash);
      this.#on.shown(name);
    }
    this.read();
  }

  /** @param {number} by how far down the list */
  step(by) {
    const { names } = this;
    this.show(names[(names.indexOf(this.current) + by + names.length) % names.length]);
  }

  /** @param {string} name of a room with a message that nobody looked at */
  miss(name) {
    const entry = this.#entries.get(name);
    if (entry) this.#count(entry, entry.unread + 1);
  }

  /** The room that is shown is looked at. */
  read() {
    const entry = this.#entries.get(this.current);
    if (entry && !document.hidden) this.#count(entry, 0);
  }

  /** @param {string} text that says what is wrong with a room */
  complain(text) {
    byId("room-error").textContent = text;
  }

  /** @param {string} name */
  #leave(name) {
    this.#entries.get(name)?.item.remove();
    this.#entries.delete(name);
    this.show(name === this.current ? this.names[0] : this.current);
    this.#on.left(name);
  }

  #follow() {
    const [, name = LOBBY] = /^#room=(.*)/.exec(location.hash) ?? [];
    if (!this.#try(name)) this.show(this.current || LOBBY);
  }

  /** @param {string} name that somebody wrote */
  #try(name) {
    const good = isRoom(name);
    this.complain(good ? "" : ROOM_RULE);
    if (good) this.show(name);
    return good;
  }

  /** @param {string} name */
  #add(name) {
    let entry = this.#entries.get(name);
    if (entry) return entry;
    const badge = make("span", "badge");
    badge.title = "unread";
    const open = button("", () => this.show(name));
    open.className = "room";
    open.append(make("span", "", `#${name}`), badge);
    const leave = button("×", () => this.#leave(name));
    leave.className = "leave";
    leave.ariaLabel = `Leave #${name}`;
    const item = make("li", "", open, leave);
    entry = { item, button: open, badge, unread: 0 };
    this.#entries.set(name, entry);
    byId("rooms").append(item);
    this.#on.joined(name);
    return entry;
  }

  /**
   * @param {RoomEntry} entry
   * @param {number} unread
   */
  #count(entry, unread) {
    entry.unread = unread;
    entry.badge.textContent = unread ? String(unread) : "";
    let all = 0;
    for (const { unread } of this.#entries.values()) all += unread;
    document.title = `${all ? `(${all}) ` : ""}#${this.current} · Realtime Hub`;
  }
}
