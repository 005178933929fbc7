// What the page says of rooms, people and close codes.

export const LOBBY = "lobby";
export const ROOM_RULE = "A room's name is 1 to 128 of A-Z a-z 0-9 . _ : -";
export const MAX_MESSAGE = 65536; // bytes, where the hub has no other --max-message

/** @param {string} name */
export const isRoom = (name) => /^[\w.:-]{1,128}$/.test(name);

/** @param {{id?: string, name?: string}} p */
export const nameOf = ({ id = "", name = "" }) => name.trim() || `Guest ${id.slice(-4)}`;

const WHY = new Map([
  [1006, "the connection broke"],
  [1009, "the message is larger than this hub takes, shorten it"],
  [4001, "the hub is going away"],
  [4008, "this page read too slowly"],
  [4012, "the hub heard nothing of this page in time"],
  [4501, "this page does not speak as the hub does; reload it, it may be older than the hub"],
  [4514, "another tab took this one's place"],
]);

/** @param {Hub} hub */
export const whyClosed = ({ code = 1006, why }) => WHY.get(code) || why || "the hub closed the connection";
