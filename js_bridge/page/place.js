/**
 * @file Which room and which player an address names, and the address at which the others join. A server's page has
 * the room in its path; a bundle's, whose path is its host's, in its query, and names it makes itself where they lack.
 */

/**
 * @typedef {object} Place
 * @property {string} room
 * @property {string} playerId
 * @property {string} address of the room, for the others
 * @property {boolean} inviting whether to show it: who came without a name may not know how the others come
 */

const CONSONANTS = "bdfgklmnprstvz";
const VOWELS = "aeiou";

/**
 * Reads the address of a page that a server handed out.
 *
 * @param {URL} url
 * @returns {Place}
 */
export function placeOnServer(url) {
  return {
    room: decodeURIComponent(url.pathname.split("/").filter(Boolean).at(-1) ?? ""),
    playerId: url.searchParams.get("player_id") ?? "",
    address: `${url.origin}${url.pathname}`,
    inviting: url.searchParams.get("invite") === "1",
  };
}

/**
 * Reads the address of a bundle's page.
 *
 * @param {URL} url
 * @returns {Place & {url: URL}} `url` is the address that brings the same player to the same room
 */
export function placeInBundle(url) {
  const named = new URL(url);
  const { searchParams: query } = named;
  if (!query.get("player_id")) {
    query.set("player_id", `player-${random().toString(16).padStart(8, "0")}`);
    query.set("invite", "1");
  }
  if (!query.get("room")) query.set("room", newRoom());
  const room = query.get("room") ?? "";
  const address = new URL(url.pathname, url.origin);
  address.searchParams.set("room", room);
  const inviting = query.get("invite") === "1";
  return { room, playerId: query.get("player_id") ?? "", address: address.href, inviting, url: named };
}

/** A name for a room that can be said aloud, such as "mako-ruti". */
function newRoom() {
  const syllables = Array.from({ length: 4 }, () => pick(CONSONANTS) + pick(VOWELS));
  return `${syllables.slice(0, 2).join("")}-${syllables.slice(2).join("")}`;
}

/** @param {string} letters */
function pick(letters) {
  return letters[random() % letters.length] ?? "";
}

/** A whole number below 2^32, by chance. */
function random() {
  return crypto.getRandomValues(new Uint32Array(1))[0] ?? 0;
}
