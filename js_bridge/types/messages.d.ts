/**
 * Says what is wrong with a message.
 *
 * @param {Table} table {@link TO_WORKER}, {@link TO_PAGE} or {@link FROM_SERVER}
 * @param {any} message
 * @returns {string | null} one sentence, or null where the message is as it should be
 */
export function faultOf(table: Table, message: any): string | null;
/**
 * @file The messages between the page and its worker: their names, their fields, and a check that a message is one
 * of them. A message that is not is reported and dropped by whoever got it. Nothing here sends anything.
 */
/**
 * @typedef {object} Config what the server says about the experiment when a player joins
 * @property {string} session
 * @property {{module: string, files: Record<string, string>, requirements: string[], settings: any}} experiment
 * @property {Record<string, string>} sprites name to URL
 * @property {string} distribution URL of the folder with Pyodide and its packages, ending in a slash
 * @property {any[]} ice_servers
 * @property {any} rtc_configuration
 * @property {string | null} uploads URL that chunks are posted under; null: the page keeps them
 */
/**
 * @typedef {object} Start what the server says once every player is ready
 * @property {string} session
 * @property {number} seed
 * @property {{player_id: string, index: number}[]} players
 * @property {number} index this page's own index; a spectator's is not below the number of players
 * @property {number} incarnation how many pages had this place before in this session
 * @property {boolean} running whether the match goes on already
 * @property {{index: number, incarnation: number}[]} peers the other pages that take part, spectators among them
 */
/**
 * @typedef {object} About what the experiment says of itself once Python has opened it
 * @property {string[]} stats names of the numbers in a stats message, in order
 * @property {number} width of the picture, in its own units
 * @property {number} height
 * @property {string[]} keys values of `KeyboardEvent.key` that the experiment listens to
 * @property {string} instructions
 * @property {string} name
 */
/**
 * @typedef {object} Stage one named part of the start-up; times in milliseconds since the page's navigation began
 * @property {string} name
 * @property {number} bytes that have arrived
 * @property {number | null} total bytes to come, null where nobody knows
 * @property {number} start
 * @property {number | null} end null while it lasts
 */
/** @typedef {"input" | "control"} ChannelName */
/**
 * How packets go to another page: directly, through the server, or no more.
 *
 * @typedef {"direct" | "relay" | "closed"} Way
 */
/**
 * What a match does while a player is gone: it ends, waits, or goes on with the default action or with a partner.
 *
 * @typedef {"end" | "pause" | "default" | "partner"} OnDrop
 */
/**
 * What Python knows of the other players. "silent": nothing has come of late; "absent": it is gone; "returning": it
 * is there again and catches up.
 *
 * @typedef {{peer: number, state: "here" | "silent" | "absent" | "returning"}} PeerState
 */
/**
 * @typedef {{type: "prepare", distribution: string, requirements: string[]}
 *   | {type: "load", config: Config}
 *   | {type: "start", start: Start}
 *   | {type: "channel", peer: number, channel: ChannelName, port: RTCDataChannel}
 *   | {type: "proxied", peer: number, channel: ChannelName, state: "made" | "open" | "closed"}
 *   | {type: "packet", peer: number, channel: ChannelName, data: ArrayBuffer}
 *   | {type: "relayed", peer: number, channel: ChannelName, heard: boolean, data: ArrayBuffer}
 *   | {type: "expect", peer: number}
 *   | {type: "link_lost", peer: number, reason: string}
 *   | {type: "link_left", peer: number, reason: string}
 *   | {type: "link_back", peer: number}
 *   | {type: "verdict", gone: [number, number][], granted: boolean}
 *   | {type: "key", key: string, down: boolean}
 *   | {type: "focus", focused: boolean}
 *   | {type: "visibility", hidden: boolean}
 *   | {type: "export", rows: ArrayBuffer}
 *   | {type: "leave", done?: Int32Array}} ToWorker
 */
/**
 * @typedef {{type: "stage", name: string, bytes: number, total: number | null, start: number, end: number | null}
 *   | {type: "ready", about: About}
 *   | {type: "view", payload: ArrayBuffer}
 *   | {type: "stats", values: Float64Array}
 *   | {type: "phase", phase: Phase, error?: string, outcome?: string, detail?: string}
 *   | {type: "paused", players: string[]}
 *   | {type: "appeal", gone: [number, number][]}
 *   | {type: "rejoin", detail: string}
 *   | {type: "link", peer: number, state: Way, reason?: string}
 *   | {type: "trouble", peer: number, open: boolean}
 *   | {type: "peers", peers: PeerState[], on_drop: OnDrop}
 *   | {type: "catching_up", share: number | null}
 *   | {type: "relay", peer: number, channel: ChannelName, heard: boolean, data: ArrayBuffer}
 *   | {type: "packet", peer: number, channel: ChannelName, data: ArrayBuffer}
 *   | {type: "chunk", kind: string, body: ArrayBuffer}
 *   | {type: "exported", csv: ArrayBuffer | null}
 *   | {type: "fetch", url: string, bytes: number, pieces: string[], port: MessagePort}
 *   | {type: "log", text: string}
 *   | {type: "failed", error: string, text: string}} ToPage
 */
/** @typedef {"loading" | "waiting" | "playing" | "finished" | "failed"} Phase */
/** In the order in which a page goes through them; a page ends in one of the last two. */
export const PHASES: readonly string[];
/** @typedef {Readonly<Record<string, Record<string, Check>>>} Table */
/** @type {Table} */
export const TO_WORKER: Table;
/** @type {Table} */
export const TO_PAGE: Table;
/** @type {Table} */
export const FROM_SERVER: Table;
/**
 * what the server says about the experiment when a player joins
 */
export type Config = {
    session: string;
    experiment: {
        module: string;
        files: Record<string, string>;
        requirements: string[];
        settings: any;
    };
    /**
     * name to URL
     */
    sprites: Record<string, string>;
    /**
     * URL of the folder with Pyodide and its packages, ending in a slash
     */
    distribution: string;
    ice_servers: any[];
    rtc_configuration: any;
    /**
     * URL that chunks are posted under; null: the page keeps them
     */
    uploads: string | null;
};
/**
 * what the server says once every player is ready
 */
export type Start = {
    session: string;
    seed: number;
    players: {
        player_id: string;
        index: number;
    }[];
    /**
     * this page's own index; a spectator's is not below the number of players
     */
    index: number;
    /**
     * how many pages had this place before in this session
     */
    incarnation: number;
    /**
     * whether the match goes on already
     */
    running: boolean;
    /**
     * the other pages that take part, spectators among them
     */
    peers: {
        index: number;
        incarnation: number;
    }[];
};
/**
 * what the experiment says of itself once Python has opened it
 */
export type About = {
    /**
     * names of the numbers in a stats message, in order
     */
    stats: string[];
    /**
     * of the picture, in its own units
     */
    width: number;
    height: number;
    /**
     * values of `KeyboardEvent.key` that the experiment listens to
     */
    keys: string[];
    instructions: string;
    name: string;
};
/**
 * one named part of the start-up; times in milliseconds since the page's navigation began
 */
export type Stage = {
    name: string;
    /**
     * that have arrived
     */
    bytes: number;
    /**
     * bytes to come, null where nobody knows
     */
    total: number | null;
    start: number;
    /**
     * null while it lasts
     */
    end: number | null;
};
export type ChannelName = "input" | "control";
/**
 * How packets go to another page: directly, through the server, or no more.
 */
export type Way = "direct" | "relay" | "closed";
/**
 * What a match does while a player is gone: it ends, waits, or goes on with the default action or with a partner.
 */
export type OnDrop = "end" | "pause" | "default" | "partner";
/**
 * What Python knows of the other players. "silent": nothing has come of late; "absent": it is gone; "returning": it
 * is there again and catches up.
 */
export type PeerState = {
    peer: number;
    state: "here" | "silent" | "absent" | "returning";
};
export type ToWorker = {
    type: "prepare";
    distribution: string;
    requirements: string[];
} | {
    type: "load";
    config: Config;
} | {
    type: "start";
    start: Start;
} | {
    type: "channel";
    peer: number;
    channel: ChannelName;
    port: RTCDataChannel;
} | {
    type: "proxied";
    peer: number;
    channel: ChannelName;
    state: "made" | "open" | "closed";
} | {
    type: "packet";
    peer: number;
    channel: ChannelName;
    data: ArrayBuffer;
} | {
    type: "relayed";
    peer: number;
    channel: ChannelName;
    heard: boolean;
    data: ArrayBuffer;
} | {
    type: "expect";
    peer: number;
} | {
    type: "link_lost";
    peer: number;
    reason: string;
} | {
    type: "link_left";
    peer: number;
    reason: string;
} | {
    type: "link_back";
    peer: number;
} | {
    type: "verdict";
    gone: [number, number][];
    granted: boolean;
} | {
    type: "key";
    key: string;
    down: boolean;
} | {
    type: "focus";
    focused: boolean;
} | {
    type: "visibility";
    hidden: boolean;
} | {
    type: "export";
    rows: ArrayBuffer;
} | {
    type: "leave";
    done?: Int32Array;
};
export type ToPage = {
    type: "stage";
    name: string;
    bytes: number;
    total: number | null;
    start: number;
    end: number | null;
} | {
    type: "ready";
    about: About;
} | {
    type: "view";
    payload: ArrayBuffer;
} | {
    type: "stats";
    values: Float64Array;
} | {
    type: "phase";
    phase: Phase;
    error?: string;
    outcome?: string;
    detail?: string;
} | {
    type: "paused";
    players: string[];
} | {
    type: "appeal";
    gone: [number, number][];
} | {
    type: "rejoin";
    detail: string;
} | {
    type: "link";
    peer: number;
    state: Way;
    reason?: string;
} | {
    type: "trouble";
    peer: number;
    open: boolean;
} | {
    type: "peers";
    peers: PeerState[];
    on_drop: OnDrop;
} | {
    type: "catching_up";
    share: number | null;
} | {
    type: "relay";
    peer: number;
    channel: ChannelName;
    heard: boolean;
    data: ArrayBuffer;
} | {
    type: "packet";
    peer: number;
    channel: ChannelName;
    data: ArrayBuffer;
} | {
    type: "chunk";
    kind: string;
    body: ArrayBuffer;
} | {
    type: "exported";
    csv: ArrayBuffer | null;
} | {
    type: "fetch";
    url: string;
    bytes: number;
    pieces: string[];
    port: MessagePort;
} | {
    type: "log";
    text: string;
} | {
    type: "failed";
    error: string;
    text: string;
};
export type Phase = "loading" | "waiting" | "playing" | "finished" | "failed";
export type Check = (value: any) => boolean;
export type Table = Readonly<Record<string, Record<string, Check>>>;
