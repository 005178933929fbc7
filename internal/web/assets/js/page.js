// What the parts of the page are made with: elements, words, and what outlives the page.

/** @type {ById} */
export const byId = (id) => /** @type {any} */ (document.getElementById(id));

/** @type {Make} */
export const make = (tag, className, ...children) => {
  const element = document.createElement(tag);
  element.className = className;
  element.append(...children); // text goes in as text: nothing on this page parses markup
  return element;
};

/**
 * @param {string} text
 * @param {() => void} onclick
 */
export function button(text, onclick) {
  const element = make("button", "btn", text);
  element.type = "button";
  element.onclick = onclick;
  return element;
}

/**
 * The name of a hub, in its colour.
 * @param {string} name
 */
export function hubTag(name) {
  const tag = make("span", "hub", name || "?");
  tag.dataset.h = String(Number(/\d+$/.exec(name) ?? name.length) % 4);
  return tag;
}

/**
 * Text with its links, http and https alone.
 * @param {string} text
 */
export function linked(text) {
  const parts = [];
  let from = 0;
  for (const { 0: url, index } of text.matchAll(/https?:\/\/[^\s<>"']+[^\s<>"'.,;:!?)\]}]/gi)) {
    const link = make("a", "", url);
    link.href = url;
    link.target = "_blank";
    link.rel = "noopener noreferrer nofollow ugc";
    parts.push(text.slice(from, index), link);
    from = index + url.length;
  }
  return [...parts, text.slice(from)];
}

/**
 * 1 message, 2 messages.
 * @param {number} n
 * @param {string} noun
 */
export const count = (n, noun) => `${n} ${noun}${n === 1 ? "" : "s"}`;

/** Milliseconds since 1970, finer than Date.now() and never set back. */
export const now = () => performance.timeOrigin + performance.now();

/** @param {number} ms from times of whole milliseconds, so no finer */
export const latency = (ms) => (isNaN(ms) ? "–" : ms < 1 ? "<1 ms" : `${Math.floor(ms)} ms`);

/** @param {number} ms measured here */
export const roundTrip = (ms) => (isNaN(ms) ? "–" : `${ms < 10 ? ms.toFixed(1) : Math.round(ms)} ms`);

/** @param {number} ms */
export function duration(ms) {
  const s = Math.max(1, Math.round(ms / 1000));
  return s < 100 ? `${s} s` : s < 6000 ? `${Math.round(s / 60)} min` : `${Math.round(s / 3600)} h`;
}

// Storage may be forbidden or full: the page then works, and forgets.

/** @type {Load} */
export const load = (where, key) => {
  try {
    return JSON.parse(window[where].getItem(`hub.${key}`) ?? "null");
  } catch {
    return null;
  }
};

/** @type {Save} */
export const save = (where, key, value) => {
  try {
    window[where].setItem(`hub.${key}`, JSON.stringify(value));
  } catch {}
};
