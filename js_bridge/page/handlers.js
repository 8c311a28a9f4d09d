/**
 * @file What a `Connection` calls when something changed that a person may want to see. Nothing but types.
 */

/** @typedef {import("../messages.js").About} About */
/** @typedef {import("../messages.js").PeerState} PeerState */
/** @typedef {import("../messages.js").Phase} Phase */
/** @typedef {import("./connection.js").LinkState} LinkState */
/** @typedef {import("./socket.js").Player} Player */

/**
 * @typedef {object} Handlers called when something changed that a person may want to see; all may be left out
 * @property {(phase: Phase) => void} [onPhase] `error`, `outcome` and `detail` of the connection are set by then
 * @property {(progress: {fraction: number, label: string}) => void} [onProgress] fraction from 0 to 1
 * @property {(about: About) => void} [onAbout] the experiment has been opened
 * @property {(players: Player[], count: number) => void} [onPlayers] who is in the room, and how many it takes
 * @property {(players: readonly string[]) => void} [onPaused] all wait for these, whose pages are hidden; none: no more
 * @property {(links: ReadonlyMap<number, LinkState>) => void} [onLinks] by the other pages' indices
 * @property {(peers: ReadonlyMap<number, PeerState["state"]>) => void} [onPeers] what the match knows of the other
 *   players
 * @property {(line: "open" | "lost" | "closed") => void} [onLine] the line to the server, once the match has begun
 * @property {(text: string) => void} [onWarning] something could not be drawn
 */

export {};
