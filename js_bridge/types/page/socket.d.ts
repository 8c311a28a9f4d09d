/**
 * Makes the address where a player joins a room.
 *
 * @param {string} room
 * @param {string} playerId
 * @param {string} server the server's address, such as `https://example.org`
 * @returns {string}
 */
export function socketUrl(room: string, playerId: string, server: string): string;
/** @typedef {import("../messages.js").Config} Config */
/** @typedef {import("../messages.js").Start} Start */
/** @typedef {{player_id: string, index: number, ready: boolean}} Player */
/**
 * @typedef {{type: "joined", player_id: string, index: number, player_count: number, config: Config}
 *   | {type: "roster", players: Player[]}
 *   | {type: "start", start: Start}
 *   | {type: "signal", from: number, data: any}
 *   | {type: "left", index: number}
 *   | {type: "refused", error: string}
 *   | {type: "error", error: string}} FromServer
 */
/**
 * @typedef {{type: "ready"} | {type: "signal", to: number, data: any}
 *   | {type: "failed", error: string, outcome: string | null}} ToServer
 */
/** One WebSocket, for as long as the page lives. */
export class Socket {
    /**
     * @param {string} url
     * @param {{message: (message: FromServer) => void, closed: () => void, log: (text: string) => void}} on `closed` is
     *   called once, unless the page itself closed the line
     */
    constructor(url: string, on: {
        message: (message: FromServer) => void;
        closed: () => void;
        log: (text: string) => void;
    });
    /**
     * Sends a message, where the line is open.
     *
     * @param {ToServer} message
     * @returns {boolean} whether it went out
     */
    send(message: ToServer): boolean;
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
    outcome: string | null;
};
