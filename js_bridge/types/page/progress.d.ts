/** The start-up of one page. */
export class Progress {
    /** Every stage so far, in the order in which they began; times in ms since the navigation. @type {Stage[]} */
    stages: Stage[];
    /**
     * Takes a stage's newest state.
     *
     * @param {Stage} stage
     */
    update(stage: Stage): void;
    /**
     * Begins a part that is the page's own, now.
     *
     * @param {string} name
     */
    begin(name: string): void;
    /**
     * Ends a part that has begun and not ended, now.
     *
     * @param {string} name
     */
    end(name: string): void;
    /**
     * From 0 to 1; it never goes back.
     *
     * @returns {number}
     */
    get fraction(): number;
    /**
     * What is going on, for a person to read.
     *
     * @returns {string}
     */
    get label(): string;
    #private;
}
export type Stage = import("../messages.js").Stage;
