/**
 * @typedef {object} Order
 * @property {string} url
 * @property {number} bytes of the file
 * @property {string[]} pieces the sha256 of each of its pieces, in hex
 * @property {MessagePort} port where it is to be brought: `{piece, bytes}`, one after the other, `{arrived}`, how many
 *   bytes came since that was told last, and `{error}`, once, if there will be no more
 */
/**
 * Fetches a file, and brings it piece by piece.
 *
 * @param {Order} order
 * @param {(url: string) => Promise<Response>} [get]
 * @returns {Promise<void>} resolved when all is brought, or why it cannot be
 */
export function carry({ url, bytes, pieces, port }: Order, get?: (url: string) => Promise<Response>): Promise<void>;
export type Order = {
    url: string;
    /**
     * of the file
     */
    bytes: number;
    /**
     * the sha256 of each of its pieces, in hex
     */
    pieces: string[];
    /**
     * where it is to be brought: `{piece, bytes}`, one after the other, `{arrived}`, how many
     * bytes came since that was told last, and `{error}`, once, if there will be no more
     */
    port: MessagePort;
};
