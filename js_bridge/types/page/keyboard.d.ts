/**
 * @file The player's keys and attention: says when a key that the experiment listens to goes down or up, when the
 * page gains or loses the focus, and when it is hidden or seen again. It knows no actions; what a key means is the
 * experiment's.
 */
/**
 * @typedef {object} KeyboardHandlers
 * @property {(key: string, down: boolean) => void} key `key` as the experiment spells it
 * @property {(focused: boolean) => void} focus
 * @property {(hidden: boolean) => void} visibility the page is hidden, as in another tab, which is more than unfocused
 */
/** Listens on a window until told to stop. */
export class Keyboard {
    /**
     * @param {readonly string[]} keys values of `KeyboardEvent.key`
     * @param {KeyboardHandlers} handlers
     * @param {Window} [target]
     */
    constructor(keys: readonly string[], handlers: KeyboardHandlers, target?: Window);
    /** Whether the page has the player's attention. */
    get focused(): boolean;
    /** Whether nothing of the page can be seen. */
    get hidden(): boolean;
    /** Listens no more; keys that are down are released. */
    stop(): void;
    #private;
}
export type KeyboardHandlers = {
    /**
     * `key` as the experiment spells it
     */
    key: (key: string, down: boolean) => void;
    focus: (focused: boolean) => void;
    /**
     * the page is hidden, as in another tab, which is more than unfocused
     */
    visibility: (hidden: boolean) => void;
};
