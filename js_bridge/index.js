/**
 * @file The bridge's public entry: takes a player into a room and through a match, on a canvas of the caller's page.
 * The page that the server hands out is made of nothing else; it sets no style and touches no other element.
 */

import { Bundle } from "./page/bundle.js";
import { Connection } from "./page/connection.js";

export { Bundle, Connection };

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
export function connect(options) {
  const { room, playerId, canvas, bundle } = options;
  if (typeof room !== "string" || room === "") throw new TypeError("connect() needs the name of a room");
  if (typeof playerId !== "string" || playerId === "") throw new TypeError("connect() needs a playerId");
  if (typeof canvas?.getContext !== "function") throw new TypeError("connect() needs a canvas to draw on");
  if (bundle?.fault) throw new Error(bundle.fault);
  return new Connection(options);
}
