/** @typedef {import("./socket.js").SocketHandlers} SocketHandlers */
/**
 * Opens the line.
 *
 * @param {{room: string, playerId: string, server: string, watch: boolean,
 *   bundle?: import("./bundle.js").Bundle | undefined}} options
 * @param {SocketHandlers} on
 * @returns {Socket | Solo}
 */
export function openLine({ room, playerId, server, watch, bundle }: {
    room: string;
    playerId: string;
    server: string;
    watch: boolean;
    bundle?: import("./bundle.js").Bundle | undefined;
}, on: SocketHandlers): Socket | Solo;
export type SocketHandlers = import("./socket.js").SocketHandlers;
import { Socket } from "./socket.js";
import { Solo } from "./solo.js";
