/**
 * @file The words for how the other players are reached: one for the corner of the page, one line for what a person
 * may wonder about, a few over the picture for why it stands still or runs ahead; and for how it all ended. It shows
 * nothing itself.
 */

/** @typedef {import("./connection.js").LinkState} LinkState */
/** @typedef {import("../messages.js").OnDrop} OnDrop */
/** @typedef {import("../messages.js").PeerState["state"]} PeerWord */

/**
 * @typedef {object} Situation by the indices of the other pages
 * @property {ReadonlyMap<number, LinkState>} links
 * @property {ReadonlyMap<number, PeerWord>} peers what the match knows of the players
 * @property {OnDrop} onDrop what it does while one of them is gone
 * @property {readonly string[]} paused players for whose sake nobody goes on, as their pages are hidden
 * @property {number | null} share how far this page is that catches up, from 0 to 1; null if it does not
 * @property {"open" | "lost" | "closed"} line to the server
 * @property {readonly {player_id: string, index: number}[]} players the pages that play, each by one name
 * @property {number} perPage how many players share a page
 * @property {number} index this page's own
 */

/** What a participant reads when the match has ended, by outcome. @type {Readonly<Record<string, [string, string]>>} */
const ENDINGS = Object.freeze({
  completed: ["Thank you!", "You have reached the end, and your data have been saved. You may close this page."],
  hidden: [
    "The match has ended",
    "This page was hidden for too long, so the match ended early. Nothing more is asked of you.",
  ],
  dropped: [
    "The match went on without you",
    "Your connection was lost for a while. Reload the page to come back to the match.",
  ],
  left: ["You left the match", "Nothing more is asked of you."],
});

/** @typedef {{state: "open" | "connecting" | "closed" | "away" | "", text: string, notice: string}} Words */

/** @type {Readonly<Record<OnDrop, string>>} */
const ABSENT = Object.freeze({
  end: "is gone, and the match ends.",
  pause: "is away. The match waits for them.",
  default: "is away. The match goes on without them until they return.",
  partner: "is away. The computer plays in their place until they return.",
});

/** @type {Readonly<Partial<Record<PeerWord, string>>>} */
const PEERS = Object.freeze({
  silent: "is not heard at the moment. The match waits.",
  returning: "is back, and catches up.",
});

/** @type {Readonly<Partial<Record<LinkState, string>>>} */
const LINKS = Object.freeze({
  closed: "has left the page.",
  connecting: "is being connected.",
  relay: "is reached through the server.",
});

/**
 * Says how the other players are reached. Spectators come and go without a word.
 *
 * @param {Situation} situation
 * @returns {Words} empty where there are no other players
 */
export function wordsFor({ links, peers, onDrop, line, players, perPage, index }) {
  const others = players.filter((player) => player.index !== index);
  const states = others.map((player) => links.get(player.index) ?? "closed");
  if (others.length === 0) return { state: "", text: "", notice: "" };
  const notes = others.map((player) => {
    const link = links.get(player.index) ?? "closed";
    const state = peers.get(player.index) ?? "here";
    const word = state === "absent" ? ABSENT[onDrop] : PEERS[state] ?? LINKS[link];
    // Of a single one the corner of the page says as much.
    if (others.length === 1 && word && (word === LINKS.relay || word === LINKS.connecting)) return "";
    if (!word) return "";
    return others.length === 1 ? about(perPage, "The", word) : `${player.player_id} ${word}`;
  });
  if (line === "lost") notes.push("The line to the server was lost, and is being opened again.");
  const notice = notes.filter(Boolean).join(" ");
  const away = others.some((player) => ["absent", "returning"].includes(peers.get(player.index) ?? "here"));
  if (away && onDrop !== "end") {
    return { state: "away", text: onDrop === "pause" ? "Paused" : "Playing on", notice };
  }
  return { ...summary(states, others.length === 1 && perPage === 1), notice };
}

/**
 * Says over the picture why it stands still, or runs ahead; nothing where the match goes on as usual.
 *
 * @param {Pick<Situation, "peers" | "onDrop" | "paused" | "share" | "players" | "perPage" | "index">} situation
 * @returns {string}
 */
export function bannerFor({ peers, onDrop, paused, share, players, perPage, index }) {
  if (share !== null) return `Catching up: ${Math.floor(share * 100)} %`;
  if (paused.length > 0) {
    const names = list(paused.map((name) => `${name}'s`));
    return `Paused: ${names} ${paused.length > 1 ? "pages are" : "page is"} hidden`;
  }
  const others = players.filter((player) => player.index !== index);
  const away = others.filter((player) => ["absent", "returning"].includes(peers.get(player.index) ?? "here"));
  if (onDrop !== "pause" || away.length === 0) return "";
  if (others.length === 1) return `Paused until ${about(perPage, "the", "is back")}`;
  return `Paused until ${list(away.map(({ player_id: id }) => id))} ${away.length > 1 ? "are" : "is"} back`;
}

/**
 * Says how a match has ended, as a title and a text, for whoever played.
 *
 * @param {string} outcome
 * @param {Pick<Situation, "players" | "perPage">} match
 * @returns {[string, string] | undefined} nothing where the outcome's own words are all there is to say
 */
export function endingFor(outcome, { players, perPage }) {
  /** @param {string} verb */
  const who = (verb) => (players.length > 2 ? `Another player ${verb}` : about(perPage, "The", verb));
  const whom = players.length > 2 ? "another player" : `the other player${perPage > 1 ? "s" : ""}`;
  switch (outcome) {
    case "peer_left":
      return [who("left"), "The match ended early. Nothing more is asked of you."];
    case "peer_lost":
      return [
        who("was lost"),
        `The connection to ${whom} broke off, so the match ended early. Nothing more is asked of you.`,
      ];
    default:
      return ENDINGS[outcome];
  }
}

/**
 * @param {number} count of players at the only other page
 * @param {"The" | "the"} article
 * @param {string} verb and what follows it, of one player
 */
function about(count, article, verb) {
  if (count === 1) return `${article} other player ${verb}`;
  const plural = verb.replace(/^(is|has|was)\b/, (word) => ({ is: "are", has: "have", was: "were" }[word] ?? word));
  return `${article} other players ${plural}`;
}

/** @param {readonly string[]} names */
function list(names) {
  return names.length < 2 ? names.join("") : `${names.slice(0, -1).join(", ")} and ${names.at(-1)}`;
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
