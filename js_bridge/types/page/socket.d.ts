/**
 * Makes the address where a player joins a room.
 *
 * @param {string} room
 * @param {string} playerId
 * @param {string} server the server's address, such as `https://example.org`
 * @param {boolean} [watch] as a spectator
 * @returns {string}
 */
export function socketUrl(room: string, playerId: string, server: string, watch?: boolean): string;
/** @typedef {import("../messages.js").Config} Config */
/** @typedef {import("../messages.js").Start} Start */
/** @typedef {{player_id: string, index: number, ready: boolean}} Player */
/**
 * @typedef {{type: "joined", player_id: string, index: number, player_count: number, key: string,
 *     running: boolean, config: Config}
 *   | {type: "roster", players: Player[]}
 *   | {type: "start", start: Start}
 *   | {type: "signal", from: number, data: any}
 *   | {type: "left", index: number, lost: boolean}
 *   | {type: "rejoined", index: number, incarnation: number}
 *   | {type: "resumed"}
 *   | {type: "verdict", gone: [number, number][], granted: boolean}
 *   | {type: "refused", error: string}
 *   | {type: "error", error: string}} FromServer
 */
/**
 * @typedef {{type: "ready"} | {type: "signal", to: number, data: any}
 *   | {type: "failed", error: string, text: string, outcome: string | null}
 *   | {type: "appeal", gone: [number, number][]}} ToServer
 */
/**
 * @typedef {object} SocketHandlers
 * @property {(message: FromServer) => void} message
 * @property {(data: ArrayBuffer) => void} packet what is binary
 * @property {() => void} [lost] the line broke off, and is being opened again
 * @property {() => void} closed the line is gone for good; called once, unless the page itself closed it
 * @property {(text: string) => void} log
 */
/** How long to wait before a lost line is opened again, in milliseconds, by attempts; the last is repeated. */
export const WAITS: readonly number[];
/** How many attempts there are. */
export const ATTEMPTS: 60;
/** The line to the server, for as long as the page lives. */
export class Socket {
    /**
     * @param {string} url
     * @param {SocketHandlers} on
     */
    constructor(url: string, on: SocketHandlers);
    /**
     * From now on a line that is lost is opened again.
     *
     * @param {string} key as the server told it on joining
     */
    keep(key: string): void;
    /** Whether messages can be sent. */
    get open(): boolean;
    /** Bytes that were sent and have not left the browser. */
    get waiting(): number;
    /**
     * Sends a message, where the line is open.
     *
     * @param {ToServer} message
     * @returns {boolean} whether it went out
     */
    send(message: ToServer): boolean;
    /**
     * Sends a packet to be relayed, where the line is open.
     *
     * @param {Uint8Array<ArrayBuffer>} data
     */
    sendBytes(data: Uint8Array<ArrayBuffer>): void;
    /** Closes the line. */
    close(): void;
    #private;
}
export type Config = import("../messages.js").Config;
export type Start = import("../messages.js").Start;
export type Player = {
    player_id: string;
    index: number;
    ready: boolean;
};
export type FromServer = {
    type: "joined";
    player_id: string;
    index: number;
    player_count: number;
    key: string;
    running: boolean;
    config: Config;
} | {
    type: "roster";
    players: Player[];
} | {
    type: "start";
    start: Start;
} | {
    type: "signal";
    from: number;
    data: any;
} | {
    type: "left";
    index: number;
    lost: boolean;
} | {
    type: "rejoined";
    index: number;
    incarnation: number;
} | {
    type: "resumed";
} | {
    type: "verdict";
    gone: [number, number][];
    granted: boolean;
} | {
    type: "refused";
    error: string;
} | {
    type: "error";
    error: string;
};
export type ToServer = {
    type: "ready";
} | {
    type: "signal";
    to: number;
    data: any;
} | {
    type: "failed";
    error: string;
    text: string;
    outcome: string | null;
} | {
    type: "appeal";
    gone: [number, number][];
};
export type SocketHandlers = {
    message: (message: FromServer) => void;
    /**
     * what is binary
     */
    packet: (data: ArrayBuffer) => void;
    /**
     * the line broke off, and is being opened again
     */
    lost?: () => void;
    /**
     * the line is gone for good; called once, unless the page itself closed it
     */
    closed: () => void;
    log: (text: string) => void;
};
