// The types that the page's modules share. Browsers never see this file; tsc looks at the modules with it.

/** How the connection is: the attribute data-state of #status. */
type State = import("./assets/js/hub.js").State;

/** How far a message of one's own came, as far as is known: the attribute data-state of its row. */
type Progress = "queued" | "sending" | "hub" | "stored" | "sent" | "failed" | "lost";

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

/** A message of one's own, as the page keeps it. */
interface Own {
  key: string;
  room: string;
  text: string;
  row: HTMLElement;
  /** When it was written. */
  at: number;
  /** Why it was given up; "" while it is not. */
  why: string;
}

/** What a tab hands to itself over a reload. */
interface Leaving {
  connected: boolean;
  draft: string;
  client: import("./assets/js/hub.js").Credentials;
  outbox: Outgoing[];
  sent: Own[];
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

// Short names for what comes from other modules.
type Hub = import("./assets/js/hub.js").Hub;
type Message = import("./assets/js/hub.js").Message;
type Outgoing = import("./assets/js/hub.js").Outgoing;
type Person = import("./assets/js/hub.js").Person;
type Room = import("./assets/js/hub.js").Room;
type Announcer = import("./assets/js/panels.js").Announcer;
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
type Tell = (row: HTMLElement, progress: Progress, ...more: (Node | string)[]) => void;
type MakeRow = (
  direction: "received" | "sent",
  who: string,
  at: Date,
  content: HTMLElement,
) => HTMLElement;
