// The chat page: makes its parts and joins them. Each part owns its elements; what crosses over does so here.

import { Clock, Connection } from "./connection.js";
import { Messages, messageRow, tell } from "./messages.js";
import { Logs, Outbox } from "./outbox.js";
import { byId, count, duration, hubTag, load, now, save } from "./page.js";
import { Announcer, People, Rooms, Stats, Status } from "./panels.js";
import { offsetOf } from "./protocol.js";

const name = byId("name");
const message = byId("message");
const help = byId("help");

// The server wrote into the page where the hubs are, home first; a path is one at this page's own address.
const urls = document.querySelector("meta[name=hub-urls]")?.getAttribute("content") ?? "";
const base = location.href.replace(/^http/, "ws");

const announcer = new Announcer();
const clock = new Clock();
const stats = new Stats();
const logs = new Logs();
const messages = new Messages();
const connection = new Connection(urls.split(" ").map((url) => new URL(url, base).href), clock, {
  changed: () => status.draw(),
  ready,
  lost() {
    for (const log of logs.values()) log.here = log.live = false;
    outbox.lost();
    people.clear();
  },
  frame,
});
const people = new People(connection);
const status = new Status(connection, clock, people, announcer);
const outbox = new Outbox(connection, messages, logs);
const rooms = new Rooms({
  shown(room) {
    messages.show(room);
    people.show(room);
    byId("room-title").textContent = `#${room} · newest first`;
    message.placeholder = `Message #${room}`;
  },
  joined: (room) => connection.send(logs.join(room)),
  left(room) {
    connection.send({ type: "leave", room });
    logs.delete(room);
    messages.forget(room);
  },
});
/** This page's ids in its sessions: a message of one of them is one's own. */
const own = new Set();

function ready() {
  const { id } = connection.client;
  const forgotten = own.size > 0 && !own.has(id);
  own.add(id);
  if (connection.sessions > 1) messages.release(); // before that the history has its place below
  for (const room of rooms.names) connection.send(logs.join(room));
  outbox.flush(forgotten);
}

/** @param {Frame} f */
function frame(f) {
  const problem = `${f.message}. ${f.fix}`;
  if (/^(there|joined|updated|left)$/.test(f.type)) people.apply(f);
  if (f.type === "error") {
    if (outbox.refused(f, problem)) return;
    if (f.room) rooms.complain(`#${f.room}: ${problem}`);
    else complain(problem);
  } else if (rooms.names.includes(f.room)) follow(f, logs.of(f.room));
  else if (f.type === "ack") outbox.acked(f);
}

/**
 * What is told of a room that this page is in.
 * @type {OfRoom<Frame>}
 */
function follow(f, log) {
  const { room, position } = f;
  if (f.type === "message") receive(f, log);
  else if (f.type === "ack") acked(f, log);
  else if (f.type === "there") there(f, log);
  else if (f.type === "history") messages.recalled(room);
  else if (f.type === "subscribed") {
    log.cursor = position;
    log.live = true;
  } else if (f.type === "orphans") {
    log.cursor = position;
    messages.gap(room, `Redis lost the last ${count(f.count, "message")} here`);
    for (const row of messages.unplace(room, offsetOf(position))) {
      if (/failed|hub/.test(row.dataset.state ?? "")) continue; // it had none
      if (row.dataset.direction === "sent") tell(row, "lost", "it is not stored", outbox.again(room, row));
      else tell(row, "lost", "it may be sent again");
    }
  } else if (f.type === "reset") {
    messages.gap(room, "messages were missed here: the history does not reach back");
    messages.unplace(room, -1);
    log.cursor = ""; // and what history there is comes as on a first visit
    rejoin(room, log);
  }
}

/** @type {OfRoom<Frame>} */
function there(f, log) {
  if (log.known && !log.here && !f.log) {
    const gone = duration(now() - connection.lostAt);
    messages.gap(f.room, `disconnected for ${gone} – messages in between are not shown: this room keeps no history`);
  }
  log.known = log.here = true;
  log.kept = f.log;
}

/** @type {OfRoom<string>} */
function rejoin(room, log) {
  log.here = log.live = false;
  connection.send({ type: "leave", room });
  connection.send(logs.join(room));
}

/** @type {OfRoom<Frame>} */
function acked(f, log) {
  log.follow(f.position);
  if (outbox.acked(f) || !f.position) return;
  log.ids.delete(f.id);
  const row = messages.find(f.room, f.id);
  if (row) messages.place(f.room, row, f.id, f.position);
}

/** @type {OfRoom<Frame>} */
function receive(m, log) {
  const { room, id, position, past } = m;
  const mine = own.has(m.from.id);
  if (mine && !position) return;
  if (!past) log.follow(position);
  let row = (mine && outbox.stored(id)) || messages.find(room, id);
  if (row?.dataset.state === "lost") {
    row.remove();
    row = undefined;
  }
  const held = position ? log.ids.delete(id) : log.ids.has(id);
  if (row && position) {
    if (mine && row.dataset.state !== "stored") tell(row, "stored", hubTag(m.hub));
    messages.place(room, row, id, position, past);
  }
  if (row || held) return;

  // What is made up for took as long as this page was away, which says nothing about hubs.
  const ms = past || (position && !log.live) ? NaN : clock.since(m.time);
  row = messageRow(m, mine, connection.hub, ms);
  messages.place(room, row, position || m.scope === "hub" ? id : "", position, past);
  if (past || mine) return;
  if (m.scope === "hub" && log.keep(id)) {
    messages.release();
    rejoin(room, log);
  }
  const looking = room === rooms.current && !document.hidden;
  messages.notice(room, row, looking);
  if (!looking) rooms.miss(room);
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
  const { client, idle } = connection;
  save("sessionStorage", "tab", { connected: !idle, draft: message.value, client, outbox: outbox.leaving });
});
addEventListener("pageshow", () => save("sessionStorage", "tab", null)); // taken
setInterval(() => {
  stats.tick();
  status.draw();
  outbox.tick();
}, 1000);

name.value = load("localStorage", "name") ?? "";
connection.rename(name.value);
rooms.start();
/** @type {Leaving | null} */
const before = load("sessionStorage", "tab");
message.value ||= before?.draft ?? "";
if (before?.client?.id) {
  connection.client = before.client;
  own.add(before.client.id);
}
outbox.restore(before?.outbox ?? []);
if (before?.connected) connection.connect();
else status.draw();
