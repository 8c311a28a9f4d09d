/**
 * @file Calls the tick at the time that the last tick asked for. It knows no frame rate and counts nothing: the
 * time to wake at is Python's to say.
 */

/** One pending call at most; it never calls while the tick that it called still runs. */
export class Clock {
  #tick;
  #wakeAt = Infinity;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer;
  #soon = new MessageChannel();
  #posted = false;
  #stopped = false;
  #ringing = false;

  #now;

  /**
   * @param {() => number} tick returns the next time to wake at, in milliseconds of `now`; Infinity = never
   * @param {() => number} [now]
   */
  constructor(tick, now = () => performance.now()) {
    this.#tick = tick;
    this.#now = now;
    this.#soon.port1.onmessage = () => {
      this.#posted = false;
      this.ring();
    };
  }

  /** Whether nothing but {@link Clock.wake} will call the tick. */
  get asleep() {
    return this.#wakeAt === Infinity && !this.#posted;
  }

  /** Calls the tick as soon as what has already arrived has been delivered. */
  wake() {
    if (this.#stopped || this.#posted) return;
    clearTimeout(this.#timer);
    this.#posted = true;
    this.#soon.port2.postMessage(null);
  }

  /** Never calls the tick again. */
  stop() {
    this.#stopped = true;
    clearTimeout(this.#timer);
    this.#soon.port1.close();
  }

  /** Calls the tick before this returns. A tick cannot ring its own clock. */
  ring() {
    if (this.#stopped || this.#ringing) return;
    clearTimeout(this.#timer);
    this.#ringing = true;
    this.#wakeAt = Infinity;
    this.#wakeAt = this.#tick();
    this.#ringing = false;
    if (this.#stopped || this.#posted || this.#wakeAt === Infinity) return;
    const rest = this.#wakeAt - this.#now();
    // Rounded up, for a timer that rings early costs a tick that finds nothing to do. A timer cannot wait longer
    // than 2^31 ms; a wake before its time is harmless.
    if (rest <= 0) this.wake();
    else this.#timer = setTimeout(() => this.ring(), Math.min(Math.ceil(rest), 0x7fffffff));
  }
}
