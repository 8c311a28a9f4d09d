/** A line to nobody, which is never lost. */
export class Solo {
    /**
     * @param {string} playerId
     * @param {import("./bundle.js").Bundle} bundle
     * @param {(message: FromServer) => void} take gets what a server would say, the first of it after this has returned
     */
    constructor(playerId: string, bundle: import("./bundle.js").Bundle, take: (message: FromServer) => void);
    open: boolean;
    waiting: number;
    /**
     * Takes a message, of which only that the page is ready means anything here.
     *
     * @param {ToServer} message
     * @returns {boolean} whether it was taken
     */
    send(message: ToServer): boolean;
    /** There is nobody to send a packet to. */
    sendBytes(): void;
    /** There is no seat to come back to. */
    keep(): void;
    /** Says no more. */
    close(): void;
    #private;
}
export type Config = import("../messages.js").Config;
export type FromServer = import("./socket.js").FromServer;
export type ToServer = import("./socket.js").ToServer;
