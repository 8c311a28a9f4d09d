/** @typedef {import("./page/handlers.js").ConnectionOptions} ConnectionOptions */
/** @typedef {import("./page/handlers.js").Handlers} Handlers */
/** @typedef {import("./page/keeping.js").DataFile} DataFile */
/** @typedef {import("./page/connection.js").LinkState} LinkState */
/** @typedef {import("./page/socket.js").Player} Player */
/** @typedef {import("./messages.js").About} About */
/** @typedef {import("./messages.js").Phase} Phase */
/** @typedef {import("./messages.js").Stage} Stage */
/**
 * Joins a room and plays the match that begins once all its players are there.
 *
 * @param {ConnectionOptions & Handlers} options
 * @returns {Connection} its `phase` goes from "loading" over "waiting" and "playing" to "finished" or "failed"
 * @throws {TypeError} where `room`, `playerId` or `canvas` is missing
 * @throws {Error} where a bundle cannot be played, because it lacks a match server
 */
export function connect(options: ConnectionOptions & Handlers): Connection;
export type ConnectionOptions = import("./page/handlers.js").ConnectionOptions;
export type Handlers = import("./page/handlers.js").Handlers;
export type DataFile = import("./page/keeping.js").DataFile;
export type LinkState = import("./page/connection.js").LinkState;
export type Player = import("./page/socket.js").Player;
export type About = import("./messages.js").About;
export type Phase = import("./messages.js").Phase;
export type Stage = import("./messages.js").Stage;
import { Connection } from "./page/connection.js";
import { Bundle } from "./page/bundle.js";
export { Bundle, Connection };
