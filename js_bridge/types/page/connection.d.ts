/** A player in a room. Made by `connect`. */
export class Connection {
    /** @param {ConnectionOptions & Handlers} options */
    constructor(options: ConnectionOptions & Handlers);
    /** @type {Phase} */
    phase: Phase;
    /** What went wrong, in one message; null while nothing has. @type {string | null} */
    error: string | null;
    /** How the match ended, such as "completed"; null until it has. @type {string | null} */
    outcome: string | null;
    /** More about the outcome, for a person to read. */
    detail: string;
    /** What the experiment says of itself; null until it has been opened. @type {About | null} */
    about: About | null;
    /** What the server said on joining. @type {Config | null} */
    config: Config | null;
    /** What the server said when the match began. @type {Start | null} */
    start: Start | null;
    /**
     * The parts of the start-up, in the order in which they began; times in milliseconds since the navigation. The last,
     * "picture", goes from the moment when all are ready to the first playable frame on the canvas.
     */
    get stages(): import("../messages.js").Stage[];
    /** How each channel reaches the worker: by player and name, "transferred" or "proxied". */
    get channels(): {
        [k: string]: Record<string, "proxied" | "transferred">;
    };
    /** Whether this page only watches. */
    get watching(): boolean;
    /**
     * The newest numbers of the match, by name, and in `links` how packets go to each other page, by its index; empty
     * until there are any.
     *
     * @returns {Stats}
     */
    stats(): Stats;
    /** The data that the page keeps where no server does; null elsewhere. */
    get data(): Keeping | null;
    /** Leaves the match for good: the others are told as well as can be, and everything is released. */
    close(): void;
    #private;
}
export type About = import("../messages.js").About;
export type Config = import("../messages.js").Config;
export type Phase = import("../messages.js").Phase;
export type Start = import("../messages.js").Start;
export type ConnectionOptions = import("./handlers.js").ConnectionOptions;
export type Handlers = import("./handlers.js").Handlers;
/**
 * How packets go to another page: not yet, directly, through the server, or no more, because it has left.
 */
export type LinkState = "connecting" | import("../messages.js").Way;
export type Stats = Record<string, number> & {
    links?: Record<string, LinkState>;
};
import { Keeping } from "./keeping.js";
