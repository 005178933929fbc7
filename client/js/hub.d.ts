// The types of hub.js, and what each thing is for.

/** What a message carries: a string is text, bytes are binary, and everything else is JSON. */
export type Data = string | ArrayBuffer | ArrayBufferView | number | boolean | null | object;

/**
 * - `disconnected`: nobody wants a connection
 * - `connecting`: the first try after connect()
 * - `connected`
 * - `isolated`: connected, to a hub that cannot reach the other hubs now
 * - `reconnecting`: the connection was lost, or could not be made; see {@link Hub.retryAt}
 * - `refused`: a hub said not to come back (codes 4500–4999, or a token that is expired and cannot be renewed); see
 *   {@link Hub.code} and {@link Hub.why}. connect() tries again.
 */
export type State = "disconnected" | "connecting" | "connected" | "isolated" | "reconnecting" | "refused";

/** Who a client is to hubs, and what it shows to be that client again. */
export interface Credentials {
	id?: string;
	secret?: string;
}

export interface Person {
	id: string;
	/** A label, not unique; may be empty. */
	name: string;
	/** The name of the hub that the person is on. */
	hub: string;
}

/** Errors by which promises are rejected. */
export interface HubError extends Error {
	/**
	 * That of the hub (docs/protocol.md), or one of: `unknown`: it was sent and may have arrived, and cannot be sent again
	 * safely; `refused`: the hub refused the client; `not_sent`: so it did before, or 10,000 messages wait; `too_big`;
	 * `too_slow`: 10,000 messages wait for an iteration.
	 */
	code: string;
	/** What to do about it. */
	fix: string;
}

export interface HubOptions {
	/** What others see beside one's messages; at most 128 bytes. */
	name?: string;
	/** Returns a token. It is called before each connection, and again after four fifths of the life of the last one. */
	token?: () => Promise<string>;
	/** False where the program calls connect() itself. By default the client connects by itself, after the current task. */
	connect?: boolean;
	/** Who this client was before: see {@link Hub.client}. */
	client?: Credentials;
	/** What waited in the outbox before: see {@link Hub.outbox}. */
	outbox?: Outgoing[];
	/** Where there is none of that name, as in Node 20: the package ws has one. */
	WebSocket?: unknown;
	/** Milliseconds between a pong and the next ping; 15,000 by default. The first four pings follow each other at once. */
	ping?: number;
	/** Milliseconds to wait for a welcome and for a pong; 10,000 by default. */
	timeout?: number;
	/** Milliseconds to wait for an acknowledgement before sending again; 5,000 by default, and twice as long each time. */
	again?: number;
	/** Milliseconds to wait at most before the first reconnect; 500 by default, and twice as long each time, up to 32 times. */
	wait?: number;
}

export interface RoomOptions {
	/** How many of the newest messages to begin with; in a log room. A hub gives at most 256. */
	history?: number;
	/** Where to resume, as {@link Room.position} was; there is no history then. */
	position?: string;
}

export interface Message {
	data: any;
	kind: "text" | "json" | "binary";
	from: { id: string; name?: string };
	/** The name of the hub that took it. */
	hub: string;
	/** When that was, by that hub's clock. */
	time: Date;
	/** Milliseconds since; NaN where that is unknown, and of what is made up for after a reconnect. */
	latency: number;
	/** It was published before the room was joined. */
	history?: boolean;
	/** Made of sender and key: the same everywhere. */
	id: string;
	/** In the room's log. */
	position?: string;
	/** `cluster`: it is in the log; `hub`: the hub cannot reach the log, and stores it later; `live`: of a live room. */
	scope: "cluster" | "hub" | "live";
	/** It is one's own: in the history, or after a hub forgot who this client was. */
	own: boolean;
	/** Under which it was published, where it is one's own. */
	key: string | false;
}

/** How far a message came that was sent. */
export interface Ack {
	id: string;
	/** `hub`: it is kept here and there, and stored later; the client goes on trying. */
	scope: "cluster" | "hub" | "live";
	/** In scope `cluster`. */
	position?: string;
	/** An earlier try had stored it. */
	duplicate?: boolean;
}

/** A message of one's own on its way. All but plain values is for the client. */
export interface Outgoing {
	room: string;
	key: string;
	kind: "text" | "json" | "binary";
	/** As it stands in a frame: base64 where it is binary. */
	data: any;
	/**
	 * `queued`: it waits for a connection; `sending`; `hub`, `live`: so acknowledged; `stored`; `failed`: given up, or
	 * refused.
	 */
	state: "queued" | "sending" | "hub" | "live" | "stored" | "failed";
	/** Why it is sent again. */
	why?: string;
	/** Why it failed. */
	error?: HubError;
	/** When it was first sent, in milliseconds since 1970. */
	made?: number;
	tries: number;
	/** As the acknowledgement says. */
	id?: string;
	position?: string;
}

interface HubEvents {
	/** {@link Hub.state} changed; told with the hub. */
	state: Hub;
	/** A message of one's own came a step further. Also where an acknowledgement came after it was given up. */
	sending: Outgoing;
	/** A complaint of the hub about no message and no room. */
	error: HubError;
	/** A round trip was measured: {@link Hub.rtt}. */
	pong: number;
}

interface RoomEvents {
	/** Of others; of oneself where {@link Message.own}. Those of a log room come once, in the order of the log. */
	message: Message;
	/**
	 * In a live room messages were lost: `count` of them because this client read too slowly, or so many as there were while
	 * it was `away`, in milliseconds. In a log room the latter, where the client did not know yet where the log was.
	 */
	gap: { count?: number; away?: number };
	/** The log lost its end: the last `count` messages that came are void, and may come again. */
	orphans: { count: number; position: string };
	/**
	 * The log does not go on from here: messages are missing, and some may come again. A room that was joined with history
	 * gets what there is of it now.
	 */
	reset: { position: string };
	/** A message that came with scope `hub` is stored at this position; `id` is empty where no hub can read what is there. */
	settled: { id: string; position: string };
	/** The history that was asked for came, so many. */
	history: { count: number };
	/** {@link Room.people} or {@link Room.count} changed; told with the room. Also when the room was joined. */
	people: Room;
	/** The hub does not let us join. */
	error: HubError;
	/** {@link Room.leave} was called. */
	left: Room;
}

/** The number in a position: it counts up along a room, and tells which of two is the later one. NaN where there is none. */
export function offset(position: string | undefined): number;

declare class Target<Events> extends EventTarget {
	/** Calls listener with each event of a type, and returns what ends that. Also as events, with the same as `detail`. */
	on<T extends keyof Events>(type: T, listener: (detail: Events[T]) => void): () => void;
}

/** A connection to a hub that comes back by itself, to another hub where need be. */
export class Hub extends Target<HubEvents> {
	/** urls are those of hubs, ws:// or wss://, home first; the others are for when home is away. */
	constructor(urls: string | string[], options?: HubOptions);

	readonly state: State;
	/** Why, in words; may be empty. */
	readonly why: string;
	/** The last close code. */
	readonly code?: number;
	/** The name of the hub, or of the last one. */
	readonly hub: string;
	/** Its address. */
	readonly url?: string;
	readonly urls: string[];
	readonly name: string;
	/** Who this client is to hubs. Kept by the program it makes a new Hub the same client. */
	readonly client: Credentials;
	/** The last round trip, in milliseconds; NaN where there is none. */
	readonly rtt: number;
	/** When the next try is due, in milliseconds since 1970; 0 while it is under way, or none is planned. */
	readonly retryAt: number;
	readonly rooms: Map<string, Room>;
	/** By key, what is not stored yet; `JSON.stringify([...hub.outbox.values()])` keeps it over the end of the program. */
	readonly outbox: Map<string, Outgoing>;

	/** Connects, and stays connected. */
	connect(): void;
	/** Leaves. What waits in the outbox waits for connect(). */
	disconnect(): void;
	/** Tries now, where it waits to reconnect; otherwise asks now whether the hub is there. */
	retry(): void;
	rename(name: string): void;
	/** The room; joined as soon as there is a connection, and again with each. Listen to it before anything is awaited. */
	join(name: string, options?: RoomOptions): Room;
}

/**
 * A room that was joined. Iterated, it gives messages from then on until it is left; for what is missing between them
 * listen to `gap`, `orphans` and `reset`.
 */
export class Room extends Target<RoomEvents> implements AsyncIterable<Message> {
	private constructor();

	readonly hub: Hub;
	readonly name: string;
	/** Up to here the client has everything of a log room. */
	readonly position?: string;
	/** The hub said that we are in, on this connection. */
	readonly joined?: boolean;
	/** Whether it is a log room; unknown before it was joined. */
	readonly log?: boolean;
	/** Who is there, by id, oneself included; undefined where there are too many to tell. */
	readonly people?: Map<string, Person>;
	/** How many they are. */
	readonly count: number;

	/**
	 * Publishes data. The promise is kept with the first acknowledgement, however long that takes: what was written offline
	 * is sent later, and in a log room sent again until it is stored, for 10 minutes at most. It is rejected with a
	 * {@link HubError}, or a TypeError where data cannot be JSON.
	 */
	send(data: Data): Promise<Ack>;
	leave(): void;
	[Symbol.asyncIterator](): AsyncGenerator<Message, void>;
}
