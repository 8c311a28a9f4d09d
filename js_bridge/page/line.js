/**
 * @file Which line a page has to whoever brings players together: to the server that it came from, to a bundle's match
 * server, or, in a bundle for one player, to nobody.
 */

import { Solo } from "./solo.js";
import { Socket, socketUrl } from "./socket.js";

/** @typedef {import("./socket.js").SocketHandlers} SocketHandlers */

/**
 * Opens the line.
 *
 * @param {{room: string, playerId: string, server: string, watch: boolean,
 *   bundle?: import("./bundle.js").Bundle | undefined}} options
 * @param {SocketHandlers} on
 * @returns {Socket | Solo}
 */
export function openLine({ room, playerId, server, watch, bundle }, on) {
  if (!bundle) return new Socket(socketUrl(room, playerId, server, watch), on);
  if (bundle.server === null) return new Solo(playerId, bundle, on.message);
  let heard = false;
  const socket = new Socket(socketUrl(room, playerId, bundle.server, watch), {
    ...on,
    message: (message) => {
      heard = true;
      if (message.type !== "joined") {
        on.message(message);
        return;
      }
      try {
        on.message({ ...message, config: bundle.with(message.config) });
      } catch (error) {
        // Without a word: to the others in the room nothing is wrong with the experiment.
        socket.close();
        on.message({ type: "refused", error: error instanceof Error ? error.message : String(error) });
      }
    },
    closed: () => {
      if (heard) on.closed();
      else on.message({ type: "refused", error: unheard(bundle.server ?? "") });
    },
  });
  return socket;
}

/**
 * A browser does not say why a socket was not opened.
 *
 * @param {string} server
 */
function unheard(server) {
  return `The match server ${server} is not reached, or lets nobody in from here. Reload the page to try again.\n\n`
    + `Whoever made it: serve the experiment there with --allow-origin ${globalThis.location?.origin ?? "ORIGIN"}`;
}
