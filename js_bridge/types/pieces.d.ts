/**
 * @typedef {object} Expected
 * @property {number} bytes in all
 * @property {readonly string[]} pieces the sha256 of each piece, in hex
 */
/**
 * Reads an answer, and gives its pieces one after the other as they arrive.
 *
 * @param {Expected} expected
 * @param {Promise<Response>} response
 * @param {(number: number, bytes: Uint8Array<ArrayBuffer>) => void} give gets each piece, to keep
 * @param {(bytes: number) => void} arrived told of bytes as they come
 * @throws {Error} where they do not arrive, or a piece is not what was expected; those before it were given
 */
export function readPieces({ bytes, pieces }: Expected, response: Promise<Response>, give: (number: number, bytes: Uint8Array<ArrayBuffer>) => void, arrived: (bytes: number) => void): Promise<void>;
/**
 * @file A large file that comes in pieces, each of which is known to be the right one before anybody has it. It reads
 * none of them.
 */
/** Bytes of a piece; the last one may have fewer. */
export const PIECE: number;
export type Expected = {
    /**
     * in all
     */
    bytes: number;
    /**
     * the sha256 of each piece, in hex
     */
    pieces: readonly string[];
};
