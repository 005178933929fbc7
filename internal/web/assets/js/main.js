// The chat page: makes its parts and joins them. Each part owns its elements; what crosses over does so here.

import { Clock, Connection } from "./connection.js";
import { Messages, receivedRow } from "./messages.js";
import { Outbox } from "./outbox.js";
import { byId, duration, load, now, save } from "./page.js";
import { Announcer, People, Rooms, Stats, Status } from "./panels.js";

const name = byId("name");
const message = byId("message");
const help = byId("help");

// The server wrote into the page where the hubs are, home first; a path is one at this page's own address.
const urls = document.querySelector("meta[name=hub-urls]")?.getAttribute("content") ?? "";
const base = location.href.replace(/^http/, "ws");

const announcer = new Announcer();
const clock = new Clock();
const stats = new Stats();
const messages = new Messages();
const connection = new Connection(urls.split(" ").map((url) => new URL(url, base).href), clock, {
  changed: () => status.draw(),
  ready,
  lost() {
    outbox.lost();
    people.clear();
  },
  frame,
});
const people = new People(connection);
const status = new Status(connection, clock, people, announcer);
const outbox = new Outbox(connection, messages);
const rooms = new Rooms({
  shown(room) {
    messages.show(room);
    people.show(room);
    byId("room-title").textContent = `#${room} · newest first`;
    message.placeholder = `Message #${room}`;
  },
  joined: (room) => connection.send({ type: "join", room }),
  left(room) {
    connection.send({ type: "leave", room });
    messages.forget(room);
  },
});
/** This page's ids in its sessions: a message of one of them is one's own. */
const own = new Set();

function ready() {
  own.add(connection.client);
  for (const room of rooms.names) connection.send({ type: "join", room });
  if (connection.lostAt) {
    const gone = duration(now() - connection.lostAt);
    messages.gap(`disconnected for ${gone} – messages in between are not shown: this room keeps no history`);
  }
  outbox.flush();
}

/** @param {Frame} f */
function frame(f) {
  const problem = `${f.message}. ${f.fix}`;
  if (f.type === "message") receive(f);
  else if (f.type === "ack") outbox.acked(f.key);
  else if (f.type !== "error") /^(there|joined|updated|left)$/.test(f.type) && people.apply(f);
  else if (outbox.refused(f.key, problem)) return;
  else if (f.room) rooms.complain(`#${f.room}: ${problem}`);
  else complain(problem);
}

/** @param {Frame} m */
function receive(m) {
  if (!rooms.names.includes(m.room) || own.has(m.from.id)) return;
  const ms = clock.since(m.time);
  const looking = m.room === rooms.current && !document.hidden;
  messages.receive(m.room, receivedRow(m, connection.hub, ms), looking);
  if (!looking) rooms.miss(m.room);
  stats.add(ms);
  announcer.message();
}

function send() {
  const text = message.value;
  if (!text.trim()) return;
  const problem = outbox.write(rooms.current, text);
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
  connection.rename(name.value);
  people.rename(name.value);
};
addEventListener("online", () => connection.retry());
document.onvisibilitychange = () => {
  if (document.hidden) return;
  rooms.read();
  connection.retry();
  connection.probe();
};
// Handed over as late as this: a duplicated tab gets a copy of sessionStorage, and is not to connect by itself.
addEventListener("pagehide", () => {
  save("sessionStorage", "tab", { connected: !connection.idle, draft: message.value, queued: outbox.queued });
});
addEventListener("pageshow", () => save("sessionStorage", "tab", null)); // taken
setInterval(() => {
  stats.tick();
  status.draw();
}, 1000);

name.value = load("localStorage", "name") ?? "";
connection.rename(name.value);
rooms.start();
/** @type {Leaving | null} */
const before = load("sessionStorage", "tab");
message.value ||= before?.draft ?? "";
for (const { room, text } of before?.queued ?? []) outbox.write(room, text);
if (before?.connected) connection.connect();
else status.draw();
