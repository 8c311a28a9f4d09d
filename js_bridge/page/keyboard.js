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
  #keys;
  #on;
  /** Which key each button holds down: released under the name it was pressed under. @type {Map<string, string>} */
  #held = new Map();
  #focused;
  #visible;
  #stop = new AbortController();

  /**
   * @param {readonly string[]} keys values of `KeyboardEvent.key`
   * @param {KeyboardHandlers} handlers
   * @param {Window} [target]
   */
  constructor(keys, handlers, target = window) {
    this.#keys = keys;
    this.#on = handlers;
    this.#focused = target.document.hasFocus();
    this.#visible = target.document.visibilityState === "visible";
    const options = { signal: this.#stop.signal };
    target.addEventListener("keydown", (event) => this.#down(event), options);
    target.addEventListener("keyup", (event) => this.#up(event), options);
    target.addEventListener("blur", () => this.#attend({ focused: false }), options);
    target.addEventListener("focus", () => this.#attend({ focused: true }), options);
    target.document.addEventListener("visibilitychange", () => {
      this.#attend({ visible: target.document.visibilityState === "visible" });
    }, options);
  }

  /** Whether the page has the player's attention. */
  get focused() {
    return this.#focused && this.#visible;
  }

  /** Whether nothing of the page can be seen. */
  get hidden() {
    return !this.#visible;
  }

  /** Listens no more; keys that are down are released. */
  stop() {
    this.#stop.abort();
    this.#release();
  }

  /** @param {KeyboardEvent} event */
  #down(event) {
    const key = this.#named(event.key);
    if (key === undefined || event.ctrlKey || event.metaKey || event.altKey || writes(event.target)) return;
    event.preventDefault();
    if (event.repeat || this.#held.has(event.code)) return;
    const already = [...this.#held.values()].includes(key);
    this.#held.set(event.code, key);
    if (!already) this.#on.key(key, true);
  }

  /** @param {KeyboardEvent} event */
  #up(event) {
    const key = this.#held.get(event.code);
    if (key === undefined) return;
    event.preventDefault();
    this.#held.delete(event.code);
    if (![...this.#held.values()].includes(key)) this.#on.key(key, false);
  }

  /** @param {{focused?: boolean, visible?: boolean}} change */
  #attend({ focused = this.#focused, visible = this.#visible }) {
    const [before, seen] = [this.focused, this.#visible];
    this.#focused = focused;
    this.#visible = visible;
    if (this.focused !== before) {
      // A page that is not attended does not hear a key go up.
      if (!this.focused) this.#release();
      this.#on.focus(this.focused);
    }
    if (visible !== seen) this.#on.visibility(!visible);
  }

  #release() {
    const held = new Set(this.#held.values());
    this.#held.clear();
    for (const key of held) this.#on.key(key, false);
  }

  /**
   * The experiment's name for a key. Shift and caps lock do not make another key of a letter.
   *
   * @param {string} key
   */
  #named(key) {
    if (this.#keys.includes(key)) return key;
    if (key.length !== 1) return undefined;
    return this.#keys.find((known) => known.length === 1 && known.toLowerCase() === key.toLowerCase());
  }
}

/**
 * Whether keys go into a field of the page that a person writes in.
 *
 * @param {EventTarget | null} target
 */
function writes(target) {
  const { tagName = "", isContentEditable = false } = /** @type {Partial<HTMLElement>} */ (target ?? {});
  return isContentEditable || tagName === "INPUT" || tagName === "TEXTAREA" || tagName === "SELECT";
}
