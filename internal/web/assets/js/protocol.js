// The subprotocol hub.v1, as docs/protocol.md has it.

export const SUBPROTOCOL = "hub.v1";
export const LOBBY = "lobby";
export const ROOM_RULE = "A room's name is 1 to 128 of A-Z a-z 0-9 . _ : -";
export const MAX_MESSAGE = 65536; // bytes, where the hub has no other --max-message

/** @param {string} name */
export const isRoom = (name) => /^[\w.:-]{1,128}$/.test(name);

const NOBODY = { id: "", name: "" };
const EMPTY = {
  type: "", room: "", id: "", key: "", position: "", scope: "", hub: "", time: "", kind: "", code: "", message: "",
  fix: "", isolated: false, log: false, past: false, count: NaN, retry: NaN, from: NOBODY, person: NOBODY,
  client: { id: "", secret: "" },
};

/**
 * Reads a frame; null where text is none. Members are looked at here, once: all the rest relies on their types.
 * @param {unknown} text
 * @returns {Frame | null}
 */
export function decode(text) {
  try {
    const raw = JSON.parse(String(text));
    const people = Array.isArray(raw.people) ? raw.people.map((/** @type {unknown} */ p) => fill(NOBODY, p)) : null;
    return { ...fill(EMPTY, raw), people, data: raw.data };
  } catch {
    return null;
  }
}

/**
 * Takes of raw the members that empty has, where they are of the same type.
 * @template {Record<string, any>} T
 * @param {T} empty
 * @param {any} raw
 * @returns {T}
 */
function fill(empty, raw) {
  /** @type {Record<string, any>} */
  const full = { ...empty };
  for (const key in empty) {
    const value = raw?.[key];
    if (typeof value === typeof empty[key]) full[key] = typeof value === "object" ? fill(empty[key], value) : value;
  }
  return /** @type {T} */ (full);
}

/** @param {Person} p */
export const nameOf = (p) => p.name.trim() || `Guest ${p.id.slice(-4)}`;

/**
 * The number of a position, the one thing that may be read in it: it counts up along the room. NaN where there is none.
 * @param {string} position
 */
export const offsetOf = (position) => parseInt(position.slice(position.indexOf(":") + 1));

const WHY = new Map([
  [1006, "the connection broke"],
  [1009, "the message is larger than this hub takes, shorten it"],
  [4001, "the hub is going away"],
  [4008, "this page read too slowly"],
  [4012, "the hub heard nothing of this page in time"],
  [4501, "this page does not speak as the hub does; reload it, it may be older than the hub"],
  [4514, "another tab took this one's place"],
]);

/** @param {CloseEvent} e */
export const whyClosed = (e) => WHY.get(e.code) || e.reason || "the hub closed the connection";

/** @param {number} code */
export const isFinal = (code) => code >= 4500 && code <= 4999;
