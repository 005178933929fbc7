// The types that the page's modules share. Browsers never see this file; tsc looks at the modules with it.

/** How the connection is: the attribute data-state of #status. */
type State = "disconnected" | "connecting" | "connected" | "reconnecting" | "isolated" | "refused";

/** How far a message of one's own came, as far as is known: the attribute data-state of its row. */
type Progress = "queued" | "sending" | "hub" | "stored" | "sent" | "failed" | "lost";

interface Person {
  id: string;
  name: string;
}

/** How a hub knows a client, and what the client shows to be that client again. */
interface Credentials {
  id: string;
  secret: string;
}

/** One frame of a hub. Where a member is absent or of another type, the empty value of its type stands. */
interface Frame {
  type: string;
  room: string;
  id: string;
  key: string;
  position: string;
  scope: string;
  hub: string;
  time: string;
  kind: string;
  code: string;
  message: string;
  fix: string;
  isolated: boolean;
  log: boolean;
  past: boolean;
  /** NaN where absent. */
  count: number;
  /** NaN where absent. */
  retry: number;
  from: Person;
  person: Person;
  client: Credentials;
  /** Null where absent. */
  people: Person[] | null;
  data: unknown;
}

/** What a connection tells. */
interface ConnectionListener {
  /** The state, or what belongs to it, is another. */
  changed(): void;
  /** A session began. */
  ready(): void;
  /** A session ended. */
  lost(): void;
  /** A frame came that is not about the connection itself. */
  frame(frame: Frame): void;
}

/** What the rooms tell. */
interface RoomsListener {
  /** Another room is shown. */
  shown(room: string): void;
  /** A room is new in the list. */
  joined(room: string): void;
  /** A room is no longer in the list. */
  left(room: string): void;
}

/** A room in the list of rooms. */
interface RoomEntry {
  item: HTMLElement;
  button: HTMLButtonElement;
  badge: HTMLElement;
  unread: number;
}

/** The messages of one room. */
interface MessageList {
  /** Where the rows are: the list in the page, or a fragment outside. */
  box: ParentNode & Node;
  /** Those of messages whose id matters, by it. */
  rows: Map<string, HTMLElement>;
  /** The newest row of the history that is coming. */
  past: HTMLElement | null;
  /** The line "new since you looked away". */
  mark: Element | null;
  /** Whether the reader is still away since that line. */
  away: boolean;
}

/** A message of one's own. */
interface Outgoing {
  room: string;
  text: string;
  row: HTMLElement;
  /** Which makes its id, together with this page's. */
  key: string;
  /** How far this page had the room's log when it was first sent. */
  birth: string;
  /** When it was first sent, or written. */
  made: number;
  tries: number;
  /** When the next try is due, and how long to wait after that. */
  due: number;
  delay: number;
  /** Why it was given up; "" while it is not. */
  why: string;
}

/** The people of one room on this hub. */
interface Crowd {
  count: number;
  /** By id; null where the room is too big to list them. */
  names: Map<string, string> | null;
  /** It is a log room. */
  log: boolean;
}

/** What a tab hands to itself over a reload. */
interface Leaving {
  connected: boolean;
  draft: string;
  client: Credentials;
  outbox: (Omit<Outgoing, "row"> & { log: boolean })[];
}

/** The elements of chat.html, by id. */
interface Elements {
  "add-room": HTMLFormElement;
  announcer: HTMLElement;
  banner: HTMLElement;
  "banner-more": HTMLElement;
  "banner-what": HTMLElement;
  "c-hub": HTMLElement;
  "c-re": HTMLElement;
  "c-rtt": HTMLElement;
  "c-up": HTMLElement;
  composer: HTMLFormElement;
  connect: HTMLButtonElement;
  help: HTMLDialogElement;
  "help-close": HTMLButtonElement;
  jump: HTMLButtonElement;
  message: HTMLTextAreaElement;
  "message-error": HTMLElement;
  messages: HTMLOListElement;
  name: HTMLInputElement;
  "new-room": HTMLInputElement;
  p50: HTMLElement;
  p99: HTMLElement;
  people: HTMLUListElement;
  "people-note": HTMLElement;
  "people-title": HTMLElement;
  queue: HTMLElement;
  rate: HTMLElement;
  retry: HTMLButtonElement;
  "room-error": HTMLElement;
  "room-title": HTMLElement;
  rooms: HTMLUListElement;
  show: HTMLFieldSetElement;
  "spark-area": SVGPathElement;
  "spark-line": SVGPathElement;
  status: HTMLElement;
  "status-text": HTMLElement;
}

// Short names for the classes, for the modules that get them from main.js and do not import them.
type Announcer = import("./assets/js/panels.js").Announcer;
type Clock = import("./assets/js/connection.js").Clock;
type Connection = import("./assets/js/connection.js").Connection;
type Log = import("./assets/js/outbox.js").Log;
type Logs = import("./assets/js/outbox.js").Logs;
type Messages = import("./assets/js/messages.js").Messages;
type People = import("./assets/js/panels.js").People;

/** For all tabs and for long, or for this tab and a reload. */
type Where = "localStorage" | "sessionStorage";

// Functions that say more in a line of types than in a comment in front of each.
type ById = <K extends keyof Elements>(id: K) => Elements[K];
type Make = <K extends keyof HTMLElementTagNameMap>(
  tag: K,
  className: string,
  ...children: (Node | string)[]
) => HTMLElementTagNameMap[K];
/** Returns what is kept under key, or null. */
type Load = (where: Where, key: string) => any;
type Save = (where: Where, key: string, value: unknown) => void;
type RowsOf = (box: ParentNode, which: string) => HTMLElement[];
type OfRoom<T> = (what: T, log: Log) => void;
type Tell = (row: HTMLElement, progress: Progress, ...more: (Node | string)[]) => void;
type MakeRow = (
  direction: "received" | "sent",
  who: string,
  at: Date,
  content: HTMLElement,
) => HTMLElement;
