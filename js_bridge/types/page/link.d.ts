/** How long a connection may take to come up, and a repair to help, in milliseconds. */
export const ATTEMPT: 15000;
export const REPAIR: 8000;
/** How long to wait before the next attempt, by the number of those that failed; the last one is repeated. */
export const WAITS: readonly number[];
/** The page that asks waits a little longer than the one that offers, and so need not ask as a rule. */
export const POLITE: 1000;
/** The connection to one page. */
export class Link {
    /**
     * @param {number} peer
     * @param {number} incarnation of the other page
     * @param {LinksOptions} options
     */
    constructor(peer: number, incarnation: number, options: LinksOptions);
    /** How each channel reaches the worker. @type {Record<string, "transferred" | "proxied">} */
    ways: Record<string, "transferred" | "proxied">;
    /**
     * Takes a signal of the other page. One after the other, in the order in which they came: a candidate is never
     * added before the description that it belongs to.
     *
     * @param {any} data
     */
    signal(data: any): void;
    /**
     * @param {ChannelName} name
     * @param {ArrayBuffer} data
     */
    send(name: ChannelName, data: ArrayBuffer): void;
    /**
     * The worker has trouble with the channels: they are silent (`open`), or one of them closed.
     *
     * @param {boolean} open
     */
    trouble(open: boolean): void;
    /** The other page, or the line to the server, was away and is back. */
    resume(): void;
    /** The other page is away: there is nobody to make a connection with. One that stands may go on. */
    pause(): void;
    /** Closes the connection for good, and tells the other page. */
    leave(): void;
    /** Closes the connection for good. */
    close(): void;
    #private;
}
export type ChannelName = import("../messages.js").ChannelName;
export type LinksOptions = import("./links.js").LinksOptions;
