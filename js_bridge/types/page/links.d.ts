/**
 * @typedef {object} LinksOptions
 * @property {number} index this player's
 * @property {number[]} peers the other players' indices
 * @property {RTCConfiguration} configuration
 * @property {boolean} proxy relay every channel, even where it could be transferred
 * @property {(to: number, data: any) => void} signal
 * @property {(message: ToWorker, transfer?: Transferable[]) => void} post to the worker
 * @property {(text: string) => void} log
 */
/** All connections of this player. */
export class Links {
    /** @param {LinksOptions} options */
    constructor(options: LinksOptions);
    /**
     * Takes what another player's page sent for this one.
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
    /** Closes every connection. */
    close(): void;
    #private;
}
export type ChannelName = import("../messages.js").ChannelName;
export type ToWorker = import("../messages.js").ToWorker;
export type LinksOptions = {
    /**
     * this player's
     */
    index: number;
    /**
     * the other players' indices
     */
    peers: number[];
    configuration: RTCConfiguration;
    /**
     * relay every channel, even where it could be transferred
     */
    proxy: boolean;
    signal: (to: number, data: any) => void;
    /**
     * to the worker
     */
    post: (message: ToWorker, transfer?: Transferable[]) => void;
    log: (text: string) => void;
};
