/**
 * @file What a static folder says of the experiment that it holds: the files that are pinned there take the place of a
 * server's, and where there is a match server, both must have the same experiment. It starts nothing.
 */
/** @typedef {import("../messages.js").Config} Config */
/**
 * @typedef {object} Told the folder's experiment.json; addresses in it are relative to its own
 * @property {1} bundle
 * @property {number} pages how many browsers make a session
 * @property {number | null} seed of every session; null: drawn
 * @property {string | null} server origin of the match server; null: there is none
 * @property {string} distribution
 * @property {Record<string, string>} sprites
 * @property {Config["experiment"]} experiment
 */
/** One bundle. */
export class Bundle {
    /**
     * Reads the bundle whose experiment.json is at an address.
     *
     * @param {string} url
     * @returns {Promise<Bundle>}
     * @throws {Error} where it cannot be had, or is none
     */
    static read(url: string): Promise<Bundle>;
    /**
     * @param {Told} told
     * @param {string} base address of the experiment.json that says it
     */
    constructor(told: Told, base: string);
    /** Origin of the match server; null where there is none. */
    get server(): string | null;
    /** Of every session; null: each has one of its own. */
    get seed(): number | null;
    /** The experiment's name. @returns {string} */
    get name(): string;
    /** Why nobody can play this bundle, for a person to read; empty where it can be played. */
    get fault(): string;
    /**
     * What the worker is told where no server says it: what is played is kept by the page.
     *
     * @param {string} session
     * @returns {Config}
     */
    alone(session: string): Config;
    /**
     * What the worker is told where a match server says it: the bundle's own files, the server's everything else.
     *
     * @param {Config} config the server's
     * @returns {Config}
     * @throws {Error} where the server has another experiment
     */
    with(config: Config): Config;
    #private;
}
export type Config = import("../messages.js").Config;
/**
 * the folder's experiment.json; addresses in it are relative to its own
 */
export type Told = {
    bundle: 1;
    /**
     * how many browsers make a session
     */
    pages: number;
    /**
     * of every session; null: drawn
     */
    seed: number | null;
    /**
     * origin of the match server; null: there is none
     */
    server: string | null;
    distribution: string;
    sprites: Record<string, string>;
    experiment: Config["experiment"];
};
