/** @typedef {import("../messages.js").ChannelName} ChannelName */
/** @typedef {import("../messages.js").ToWorker} ToWorker */
/**
 * @typedef {object} LinksOptions
 * @property {number} index this page's
 * @property {number} incarnation this page's
 * @property {RTCConfiguration} configuration
 * @property {boolean} proxy keep every channel in the page, even where it could be transferred
 * @property {(to: number, data: any) => void} signal
 * @property {(message: ToWorker, transfer?: Transferable[]) => void} post to the worker
 * @property {(text: string) => void} log
 */
/**
 * How long a page whose line to the server broke off may take to open another one, in milliseconds. It is less than
 * three quarters of a player's patience (`disconnect_after_ms`), so that a page that crashed is surely gone to the
 * others.
 */
export const GRACE: 3000;
/** All direct connections of this page. */
export class Links {
    /** @param {LinksOptions} options */
    constructor(options: LinksOptions);
    /**
     * Connects to a page that takes part from now on. The one that had its place before is forgotten; one that is known
     * already, and was away, is connected to again where need be.
     *
     * @param {number} peer
     * @param {number} incarnation
     * @returns {boolean} whether it is a page that was not known
     */
    add(peer: number, incarnation: number): boolean;
    /**
     * A page has left: there is nobody to make a connection with, as long as it does not come back.
     *
     * @param {number} peer
     * @param {boolean} lost its line to the server broke off; then it has some time to come back
     */
    left(peer: number, lost: boolean): void;
    /** The line to the server is there again: connections that broke meanwhile can be made anew. */
    resume(): void;
    /**
     * The worker has trouble with the direct way.
     *
     * @param {number} peer
     * @param {boolean} open whether the channels are open, though nothing comes
     */
    trouble(peer: number, open: boolean): void;
    /**
     * Takes what another page sent for this one.
     *
     * @param {number} from
     * @param {any} data
     */
    signal(from: number, data: any): void;
    /**
     * Sends a packet of the worker on a channel that the page kept.
     *
     * @param {number} peer
     * @param {ChannelName} channel
     * @param {ArrayBuffer} data
     */
    send(peer: number, channel: ChannelName, data: ArrayBuffer): void;
    /** How the channels reach the worker, by player: "transferred" or "proxied". */
    get ways(): {
        [k: string]: Record<string, "proxied" | "transferred">;
    };
    /** Closes every connection, and tells the other pages that this is for good. */
    close(): void;
    /** Closes every connection without a word: the other pages have somebody else in this one's place. */
    abandon(): void;
    #private;
}
export type ChannelName = import("../messages.js").ChannelName;
export type ToWorker = import("../messages.js").ToWorker;
export type LinksOptions = {
    /**
     * this page's
     */
    index: number;
    /**
     * this page's
     */
    incarnation: number;
    configuration: RTCConfiguration;
    /**
     * keep every channel in the page, even where it could be transferred
     */
    proxy: boolean;
    signal: (to: number, data: any) => void;
    /**
     * to the worker
     */
    post: (message: ToWorker, transfer?: Transferable[]) => void;
    log: (text: string) => void;
};
