/**
 * @file What a `Connection` is told to do, and what it calls when something changed that a person may want to see.
 * Nothing but types.
 */

/** @typedef {import("../messages.js").About} About */
/** @typedef {import("../messages.js").OnDrop} OnDrop */
/** @typedef {import("../messages.js").PeerState} PeerState */
/** @typedef {import("../messages.js").Phase} Phase */
/** @typedef {import("./connection.js").LinkState} LinkState */
/** @typedef {import("./socket.js").Player} Player */

/**
 * @typedef {object} ConnectionOptions
 * @property {string} room
 * @property {string} playerId
 * @property {HTMLCanvasElement} canvas it fills its parent as far as the picture's proportions allow
 * @property {string} [server] address of the server; default: the page's own
 * @property {import("./early.js").Early} [early] a worker that was made before, and told to `prepare` what it will need
 * @property {import("./bundle.js").Bundle} [bundle] what is played comes from a static folder, which names its server
 * @property {boolean} [proxyChannels] let the page hand all packets on to the worker; default: only where it has to
 * @property {boolean} [watch] join as a spectator, who sees the match and has no part in it
 * @property {RTCIceTransportPolicy} [iceTransportPolicy] "relay": connect through TURN servers only; default: as the
 *   server says
 */

/**
 * @typedef {object} Handlers called when something changed that a person may want to see; all may be left out
 * @property {(phase: Phase) => void} [onPhase] `error`, `outcome` and `detail` of the connection are set by then
 * @property {(progress: {fraction: number, label: string}) => void} [onProgress] fraction from 0 to 1
 * @property {(running: boolean) => void} [onJoined] the page has its place; whether the match goes on already
 * @property {(about: About) => void} [onAbout] the experiment has been opened
 * @property {(players: Player[], count: number) => void} [onPlayers] who is in the room, and how many it takes
 * @property {(players: readonly string[]) => void} [onPaused] all wait for these, whose pages are hidden; none: no more
 * @property {(links: ReadonlyMap<number, LinkState>) => void} [onLinks] by the other pages' indices
 * @property {(peers: ReadonlyMap<number, PeerState["state"]>, onDrop: OnDrop) => void} [onPeers] what the match knows
 *   of the other players, and what it does while one is gone
 * @property {(share: number | null) => void} [onCatchingUp] this page came late: how far it is, from 0 to 1; null: it
 *   is with the others
 * @property {() => void} [onRejoin] the others went on without this page, which is about to be loaded again
 * @property {(line: "open" | "lost" | "closed") => void} [onLine] the line to the server, once the match has begun
 * @property {(text: string) => void} [onWarning] something could not be drawn
 */

export {};
