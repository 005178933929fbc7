// What stands around the messages: the rooms, how the connection is, who is there, and the last 60 seconds in figures.

import { button, byId, count, duration, hubTag, latency, load, make, now, roundTrip, save } from "./page.js";
import { LOBBY, ROOM_RULE, isRoom, nameOf, whyClosed } from "./protocol.js";

/** The voice for those who do not see the page: at most once a second, and not of one's own messages. */
export class Announcer {
  #said = "";
  #messages = 0;
  #timer = 0;

  /** @param {string} text of which the latest alone is told */
  say(text) {
    this.#said = text;
    this.#plan();
  }

  /** A message came. */
  message() {
    this.#messages++;
    this.#plan();
  }

  #plan() {
    this.#timer ||= setTimeout(() => {
      const news = this.#messages ? count(this.#messages, "new message") : "";
      byId("announcer").textContent = `${this.#said} ${news}`;
      this.#said = "";
      this.#messages = this.#timer = 0;
    }, 1000);
  }
}

export class Status {
  #hub;
  #people;
  #announcer;
  #sessions = 0; // so far
  #since = 0; // when the last one began
  #online = false; // there is one
  #failures = 0; // tries that failed in a row
  #why = ""; // there is none

  /**
   * @param {Hub} hub
   * @param {People} people
   * @param {Announcer} announcer
   */
  constructor(hub, people, announcer) {
    this.#hub = hub;
    this.#people = people;
    this.#announcer = announcer;
    hub.on("state", () => this.#change());
    hub.on("pong", () => this.draw());
    byId("retry").onclick = () => hub.retry();
    byId("connect").onclick = () => (this.idle ? hub.connect() : hub.disconnect());
  }

  /** Whether it stays without a session until somebody connects. */
  get idle() {
    return /^(disconnected|refused)$/.test(this.#hub.state);
  }

  /** Where the hub is, in a few letters. */
  get #host() {
    return new URL(this.#hub.url ?? this.#hub.urls[0]).host;
  }

  #change() {
    const { state, retryAt, code } = this.#hub;
    const online = state === "connected" || state === "isolated";
    if (online && !this.#online) {
      this.#sessions++;
      this.#since = now();
    }
    if (online || this.idle) this.#failures = 0;
    if (state === "refused") this.#why = whyClosed(this.#hub);
    else if (retryAt && this.#online) this.#why = `Connection lost (${code}): ${whyClosed(this.#hub)}`;
    else if (retryAt) {
      this.#failures++;
      this.#why = `No connection to ${this.#host}`;
    }
    this.#online = online;
    this.draw();
  }

  /** To be called once a second. */
  draw() {
    const { state, hub, url, urls, rtt } = this.#hub;
    const [text, what = "", more = ""] = this.#words();
    if (byId("status").dataset.state !== state) this.#enter(state, what || text);
    const trip = roundTrip(rtt);
    this.#write("status-text", state === "connected" ? `${text} · ${trip}` : text);
    byId("banner").hidden = !what;
    this.#write("banner-what", what);
    this.#write("banner-more", more);
    const away = this.#online && url !== urls[0];
    byId("c-hub").replaceChildren(hub ? hubTag(hub) : "–", away ? " (home does not answer)" : "");
    this.#write("c-rtt", trip);
    this.#write("c-up", this.#online ? duration(now() - this.#since) : "–");
    this.#write("c-re", String(Math.max(0, this.#sessions - 1)));
  }

  /**
   * @param {State} state
   * @param {string} text
   */
  #enter(state, text) {
    const { idle } = this;
    const button = byId("connect");
    button.textContent = idle ? "Connect" : state === "connecting" ? "Cancel" : "Disconnect";
    button.classList.toggle("primary", idle);
    byId("banner").classList.toggle("bad", idle);
    byId("retry").hidden = state !== "reconnecting";
    byId("status").dataset.state = state;
    document.body.toggleAttribute("data-idle", idle);
    this.#announcer.say(text);
    this.#people.draw();
  }

  /** What the status says, and the banner where there is one: first what is, then what follows. */
  #words() {
    const { state, hub, retryAt } = this.#hub;
    const host = this.#host;
    switch (state) {
      case "connecting":
        return [`Connecting to ${hub || host}…`];
      case "connected":
        return [`Connected · ${hub}`];
      case "isolated":
        return [
          `Connected · ${hub} is isolated`,
          `${hub} is cut off from the other hubs.`,
          `You can talk to the ${count(this.#people.others, "other")} in this room on ${hub}. People on other hubs cannot read you, nor you them, ${this.#people.log ? "until Redis is back: what you write is kept for 10 minutes, stored then, and shown to them" : "and it is not made up for later"}.`,
        ];
      case "reconnecting": {
        const wait = `in ${Math.max(1, Math.ceil((retryAt - now()) / 1000))} s`;
        const hint = `The hub cannot be reached or does not accept this page: is one running at ${host}, and may pages of ${location.origin} use it (--allowed-origins)?`;
        return [
          retryAt ? `Reconnecting ${wait}` : "Reconnecting…",
          `${this.#why}.`,
          `Try ${this.#failures + 1} ${retryAt ? wait : "is under way"}. What you type is kept and sent after reconnecting. ${this.#failures < 3 ? "" : hint}`,
        ];
      }
      case "refused":
        return [`Refused: ${this.#why}`, "The hub refused this page:", `${this.#why}. It is not tried again by itself.`];
      default:
        return ["Disconnected"];
    }
  }

  /**
   * Leaves alone what is right already: somebody may be selecting it.
   * @param {keyof Elements} id
   * @param {string} text
   */
  #write(id, text) {
    if (byId(id).textContent !== text) byId(id).textContent = text;
  }
}

/** The rooms that this page is in, which of them is shown, and what in them was not read. */
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

/** Who is in the room that is shown: those on this hub first, then those on each other one. */
export class People {
  #hub;
  /** @type {Room | undefined} */
  #room;
  #timer = 0;

  /** @param {Hub} hub */
  constructor(hub) {
    this.#hub = hub;
  }

  /** How many others are in the room on this hub, or where that is not known, in all. */
  get others() {
    const { hub } = this.#hub;
    const here = [...(this.#room?.people?.values() ?? [])].filter((p) => p.hub === hub).length;
    return Math.max(1, here || (this.#room?.count ?? 1)) - 1;
  }

  /** Whether it is a log room. */
  get log() {
    return !!this.#room?.log;
  }

  /** @param {Room} room */
  show(room) {
    this.#room = room;
    this.draw();
  }

  /** @param {Room} room whose people are others */
  changed(room) {
    if (room === this.#room) this.#timer ||= setTimeout(() => this.draw(), 50); // many may come at once
  }

  draw() {
    clearTimeout(this.#timer);
    this.#timer = 0;
    const { client, hub, state } = this.#hub;
    const { count = 0, people = new Map(), joined } = this.#room ?? {};
    byId("people-title").textContent = joined ? `People · ${count}` : "People";
    const list = joined ? [...people.values()] : [];
    /** @param {Person} p */
    const elsewhere = (p) => Number(p.hub !== hub);
    list.sort((a, b) => elsewhere(a) - elsewhere(b) || a.hub.localeCompare(b.hub) || nameOf(a).localeCompare(nameOf(b)));
    byId("people").replaceChildren(
      ...list.map((p) => {
        const name = nameOf(p);
        const initial = make("i", "", [...name][0]);
        initial.ariaHidden = "true";
        const who = make("span", "grow", make("bdi", "", name), p.id === client.id ? " (you)" : "");
        const item = make("li", "", initial, who, hubTag(p.hub));
        item.toggleAttribute("data-away", state === "isolated" && p.hub !== hub);
        return item;
      }),
    );
    byId("people-note").textContent = joined && !this.#room?.people ? `${count} people, too many to list.` : "";
  }
}

const SECONDS = 60;
const MOST = 1000; // latencies kept of a second

export class Stats {
  /** @type {{messages: number, took: number[]}[]} the oldest first */
  #seconds = Array.from({ length: SECONDS }, () => ({ messages: 0, took: [] }));

  /** @param {number} ms that a message took; NaN where that is unknown */
  add(ms) {
    const second = this.#seconds[SECONDS - 1];
    second.messages++;
    if (ms >= 0 && second.took.length < MOST) second.took.push(ms);
  }

  /** To be called once a second. */
  tick() {
    const rates = this.#seconds.map((second) => second.messages);
    const top = Math.max(4, ...rates);
    const line = rates.map((rate, x) => `${x ? "L" : "M"}${x * 2} ${Math.round(47 - (44 * rate) / top)}`).join("");
    byId("spark-line").setAttribute("d", line);
    byId("spark-area").setAttribute("d", `${line}V50H0Z`);
    byId("rate").textContent = (rates.reduce((a, b) => a + b) / SECONDS).toFixed(1);
    const took = this.#seconds.flatMap((second) => second.took).sort((a, b) => a - b);
    /** @param {number} part */
    const percentile = (part) => latency(took[Math.ceil(took.length * part) - 1]);
    byId("p50").textContent = percentile(0.5);
    byId("p99").textContent = percentile(0.99);
    this.#seconds.push({ messages: 0, took: [] });
    this.#seconds.shift();
  }
}
