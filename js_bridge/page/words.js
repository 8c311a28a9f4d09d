/**
 * @file The words for how the other players are reached: one for the corner of the page, and one line for what a person
 * may wonder about. It shows nothing itself.
 */

/** @typedef {import("./connection.js").LinkState} LinkState */
/** @typedef {import("../messages.js").PeerState["state"]} PeerWord */

/**
 * @typedef {object} Situation by the indices of the other pages
 * @property {ReadonlyMap<number, LinkState>} links
 * @property {ReadonlyMap<number, PeerWord>} peers what the match knows of the players
 * @property {"open" | "lost" | "closed"} line to the server
 * @property {readonly {player_id: string, index: number}[]} players all of them
 * @property {number} index this page's own
 */

/** @typedef {{state: "open" | "connecting" | "closed" | "", text: string, notice: string}} Words */

/** @type {Readonly<Partial<Record<PeerWord, string>>>} */
const PEERS = Object.freeze({
  silent: "is not heard at the moment. The match waits.",
  absent: "is away. The match goes on without them until they return.",
  returning: "is back, and catches up.",
});

/** @type {Readonly<Partial<Record<LinkState, string>>>} */
const LINKS = Object.freeze({
  closed: "has left the page. They can return to it.",
  connecting: "is being connected.",
  relay: "is reached through the server.",
});

/**
 * Says how the other players are reached. Spectators come and go without a word.
 *
 * @param {Situation} situation
 * @returns {Words} empty where there are no other players
 */
export function wordsFor({ links, peers, line, players, index }) {
  const others = players.filter((player) => player.index !== index);
  const states = others.map((player) => links.get(player.index) ?? "closed");
  if (others.length === 0) return { state: "", text: "", notice: "" };
  const notes = others.map((player) => {
    const link = links.get(player.index) ?? "closed";
    const word = PEERS[peers.get(player.index) ?? "here"] ?? LINKS[link];
    const name = others.length === 1 ? "The other player" : player.player_id;
    // Of a single one the corner of the page says as much.
    if (others.length === 1 && word && (word === LINKS.relay || word === LINKS.connecting)) return "";
    return word ? `${name} ${word}` : "";
  });
  if (line === "lost") notes.push("The line to the server was lost, and is being opened again.");
  return { ...summary(states, others.length === 1), notice: notes.filter(Boolean).join(" ") };
}

/**
 * @param {readonly LinkState[]} states
 * @param {boolean} one whether there is one other player
 * @returns {{state: "open" | "connecting" | "closed", text: string}}
 */
function summary(states, one) {
  if (states.includes("closed")) return { state: "closed", text: "Connection lost" };
  const text = one ? "Connecting to the other player" : "Connecting to the other players";
  if (states.includes("connecting")) return { state: "connecting", text };
  return { state: "open", text: states.includes("relay") ? "Connected through the server" : "Connected" };
}
