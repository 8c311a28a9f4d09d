/** The start-up of one page. */
export class Progress {
    /**
     * The news that a part of the page's own has begun.
     *
     * @param {string} name
     * @param {number} [start] now, if it is not said
     * @returns {(progress: Progress) => void}
     */
    static begun(name: string, start?: number): (progress: Progress) => void;
    /**
     * The news that a part has ended now, if it has begun and not ended.
     *
     * @param {string} name
     * @returns {(progress: Progress) => void}
     */
    static ended(name: string): (progress: Progress) => void;
    /** Every stage so far, in the order in which they began; times in ms since the navigation. @type {Stage[]} */
    stages: Stage[];
    /**
     * Takes a stage's newest state.
     *
     * @param {Stage} stage
     */
    update(stage: Stage): void;
    /**
     * From 0 to 1; it never goes back.
     *
     * @returns {number}
     */
    get fraction(): number;
    /**
     * What is going on, for a person to read: of what goes on at once, that which has most bytes to come, and where
     * nothing has, what began last. Empty once all is done.
     *
     * @returns {string}
     */
    get label(): string;
    #private;
}
export type Stage = import("../messages.js").Stage;
