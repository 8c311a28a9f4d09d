/**
 * @file The data of a match that no server keeps: chunks as the worker cut them, held by the page until a person takes
 * them away. It looks into none of them; the table is made of them by Python.
 */
/** @typedef {import("../messages.js").ToWorker} ToWorker */
/** How long the worker may take to make the table, in milliseconds. One that has crashed never does. */
export const PATIENCE: 20000;
/** @typedef {{name: string, blob: Blob}} DataFile */
/** What one page keeps. */
export class Keeping {
    /** @param {(message: ToWorker, transfer?: Transferable[]) => void} post to the worker */
    constructor(post: (message: ToWorker, transfer?: Transferable[]) => void);
    /** Whether nothing is kept. */
    get empty(): boolean;
    /**
     * Takes a message of the worker: a chunk, which goes behind those of its kind, or the table that was asked for.
     *
     * @param {Extract<import("../messages.js").ToPage, {type: "chunk" | "exported"}>} message
     */
    take(message: Extract<import("../messages.js").ToPage, {
        type: "chunk" | "exported";
    }>): void;
    /**
     * All that is kept by now, as files: those that a server would have. Where Python is no more, the rows come as they
     * are, which `rerun` of the record makes a table of.
     *
     * @returns {Promise<DataFile[]>}
     */
    collect(): Promise<DataFile[]>;
    #private;
}
export type ToWorker = import("../messages.js").ToWorker;
export type DataFile = {
    name: string;
    blob: Blob;
};
