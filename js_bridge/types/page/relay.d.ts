/**
 * Takes a message of the server apart.
 *
 * @param {ArrayBuffer} message
 * @returns {Relayed | null} null where it is none
 */
export function parseRelayed(message: ArrayBuffer): Relayed | null;
/** Bytes that wait in the browser beyond which packets are lost that may be: they would come too late in any case. */
export const MOST_WAITING_BYTES: number;
/** Most control packets that are kept while there is no line. */
export const MOST_KEPT: 64;
/**
 * @typedef {object} Line
 * @property {boolean} open
 * @property {number} waiting bytes that were sent and have not left the browser
 * @property {(data: Uint8Array<ArrayBuffer>) => void} sendBytes
 */
/**
 * @typedef {object} Relayed
 * @property {number} peer
 * @property {ChannelName} channel
 * @property {boolean} heard
 * @property {ArrayBuffer} data
 */
/** The way through the server. */
export class Relay {
    /** @param {Line} line to the server */
    constructor(line: Line);
    /**
     * Sends a packet, or keeps it if it is not to be lost and there is no line at the moment.
     *
     * @param {Relayed} packet
     */
    send({ peer, channel, heard, data }: Relayed): void;
    /** The line is there again: sends what was kept. */
    resume(): void;
    #private;
}
export type ChannelName = import("../messages.js").ChannelName;
export type Line = {
    open: boolean;
    /**
     * bytes that were sent and have not left the browser
     */
    waiting: number;
    sendBytes: (data: Uint8Array<ArrayBuffer>) => void;
};
export type Relayed = {
    peer: number;
    channel: ChannelName;
    heard: boolean;
    data: ArrayBuffer;
};
