// The chat page: makes its parts and joins them. Each part owns its elements; what crosses over does so here.

import { Hub, offset } from "./hub.js";
import { Messages, messageRow, tell } from "./messages.js";
import { byId, count, duration, hubTag, load, save } from "./page.js";
import { Announcer, People, Rooms, Stats, Status } from "./panels.js";
import { Sent } from "./sent.js";

const HISTORY = 50; // messages asked for in a room

const name = byId("name");
const message = byId("message");
const help = byId("help");

// The server wrote into the page where the hubs are, home first; a path is one at this page's own address.
const urls = document.querySelector("meta[name=hub-urls]")?.getAttribute("content") ?? "";
const base = location.href.replace(/^http/, "ws");

/** @type {Partial<Leaving>} */
const before = load("sessionStorage", "tab") ?? {};
name.value = load("localStorage", "name") ?? "";

const announcer = new Announcer();
const stats = new Stats();
const messages = new Messages();
const hub = new Hub(
  urls.split(" ").map((url) => new URL(url, base).href),
  { name: name.value, connect: false, ping: 5_000, client: before.client ?? {}, outbox: before.outbox ?? [] },
);
const people = new People(hub);
const sent = new Sent(hub, messages);
const status = new Status(hub, people, announcer);
const rooms = new Rooms({
  shown(room) {
    messages.show(room);
    people.show(hub.join(room));
    byId("room-title").textContent = `#${room} · newest first`;
    message.placeholder = `Message #${room}`;
  },
  joined: enter,
  left(room) {
    hub.join(room).leave();
    messages.forget(room);
  },
});

let sessions = 0;
hub.on("state", ({ state }) => {
  // Before the first session the history has its place below.
  if (state === "reconnecting" && !hub.retryAt) return;
  if (state === "connected" && sessions++) messages.release();
  for (const room of hub.rooms.values()) people.changed(room);
});
hub.on("error", ({ message, fix }) => complain(`${message}. ${fix}`));

/**
 * A room is to be joined.
 * @param {string} name
 */
function enter(name) {
  const room = hub.join(name, { history: HISTORY });
  room.on("message", (m) => receive(name, m));
  room.on("people", () => people.changed(room));
  room.on("history", () => messages.recalled(name));
  room.on("error", ({ message, fix }) => rooms.complain(`#${name}: ${message}. ${fix}`));
  room.on("settled", ({ id, position }) => {
    const row = messages.find(name, id);
    if (row) messages.place(name, row, id, position);
  });
  room.on("gap", ({ count: n = 0, away = 0 }) => {
    const gone = `disconnected for ${duration(away)} – messages in between are not shown: this room keeps no history`;
    messages.gap(name, away ? gone : `${count(n, "message")} ${n === 1 ? "was" : "were"} lost here: this page read too slowly`);
  });
  room.on("orphans", ({ count: n, position }) => {
    messages.gap(name, `Redis lost the last ${count(n, "message")} here`);
    for (const row of messages.unplace(name, offset(position))) {
      if (/failed|hub/.test(row.dataset.state ?? "")) continue; // it had none
      if (row.dataset.direction === "sent") tell(row, "lost", "it is not stored", sent.again(name, row));
      else tell(row, "lost", "it may be sent again");
    }
  });
  room.on("reset", () => {
    messages.gap(name, "messages were missed here: the history does not reach back");
    messages.unplace(name, -1);
  });
}

/**
 * @param {string} room
 * @param {Message} m
 */
function receive(room, m) {
  const { id, own, position, history, scope } = m;
  let row = sent.row(m.key) ?? messages.find(room, id);
  if (row?.dataset.state === "lost") {
    row.remove();
    row = undefined;
  }
  if (row && position) {
    if (own && row.dataset.state !== "stored") tell(row, "stored", hubTag(m.hub));
    messages.place(room, row, id, position, history);
  }
  if (row) return;
  row = messageRow(m, hub.hub);
  messages.place(room, row, scope === "live" ? "" : id, position, history);
  if (history || own) return;
  const looking = room === rooms.current && !document.hidden;
  messages.notice(room, row, looking);
  if (!looking) rooms.miss(room);
  stats.add(m.latency);
  announcer.message();
}

function send() {
  const text = message.value;
  if (!text.trim()) return;
  const problem = sent.write(rooms.current, text);
  complain(problem);
  if (problem) return;
  stats.add(NaN);
  message.value = "";
  messages.toTop();
}

/** @param {string} problem */
function complain(problem) {
  byId("message-error").textContent = problem;
}

/** @param {KeyboardEvent} e */
function key(e) {
  const field = e.target === message || (e.target instanceof HTMLInputElement && e.target.type !== "radio");
  if (help.open || e.isComposing) return;
  if (e.altKey && /^Arrow(Up|Down)$/.test(e.key)) rooms.step(e.key === "ArrowUp" ? -1 : 1);
  else if (e.altKey || e.ctrlKey || e.metaKey) return;
  else if (e.target === message && e.key === "Enter" && !e.shiftKey) send();
  else if (field && e.key === "Escape") byId("messages").focus({ preventScroll: true });
  else if (field) return;
  else if (e.key === "/") message.focus();
  else if (e.key === "Home") messages.toTop();
  else if (e.key === "?") help.showModal();
  else return;
  e.preventDefault();
}

addEventListener("keydown", key);
// Programs that type send this even where the keydown was dealt with.
message.onkeypress = (e) => e.key !== "Enter" || e.shiftKey;
byId("help-close").onclick = () => help.close();
byId("composer").onsubmit = (e) => {
  e.preventDefault();
  send();
  message.focus();
};
name.onchange = () => {
  save("localStorage", "name", name.value);
  hub.rename(name.value);
};
document.onvisibilitychange = () => rooms.read();
// Handed over as late as this: a duplicated tab gets a copy of sessionStorage, and is not to connect by itself.
addEventListener("pagehide", () => {
  const { client } = hub;
  const outbox = [...hub.outbox.values()];
  save("sessionStorage", "tab", { connected: !status.idle, draft: message.value, client, outbox, sent: sent.leaving });
});
addEventListener("pageshow", () => save("sessionStorage", "tab", null)); // taken
setInterval(() => {
  stats.tick();
  status.draw();
}, 1000);

rooms.start();
message.value ||= before.draft ?? "";
sent.restore(before.sent ?? []);
if (before.connected) hub.connect();
else status.draw();
