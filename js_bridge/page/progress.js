/**
 * @file How far the start-up has come: the stages as the worker reports them, one fraction and one line of text for
 * a person. It draws nothing.
 */

/** @typedef {import("../messages.js").Stage} Stage */

/**
 * The share of the whole that each part takes, found by measuring; packages share theirs by bytes. Python from a memory
 * image comes with "image" and "waking", which are passed over where there is none.
 */
const SHARES = Object.freeze({
  join: 3, lock: 1, image: 32, core: 28, waking: 4, runtime: 6, packages: 8, install: 4, experiment: 14,
});

/** @type {Readonly<Record<string, string>>} */
const LABELS = Object.freeze({
  page: "Loading the page",
  join: "Joining the room",
  lock: "Reading the list of packages",
  image: "Loading Python and packages",
  core: "Loading Python",
  waking: "Starting Python",
  runtime: "Starting the runtime",
  packages: "Loading packages",
  install: "Installing packages",
  experiment: "Opening the experiment",
  picture: "Starting the match",
});

/** The start-up of one page. */
export class Progress {
  /** Every stage so far, in the order in which they began; times in ms since the navigation. @type {Stage[]} */
  stages = [];
  #furthest = 0;

  /**
   * Takes a stage's newest state.
   *
   * @param {Stage} stage
   */
  update(stage) {
    const known = this.stages.findIndex(({ name }) => name === stage.name);
    if (known === -1) this.stages.push(stage);
    else this.stages[known] = stage;
  }

  /**
   * The news that a part of the page's own has begun.
   *
   * @param {string} name
   * @param {number} [start] now, if it is not said
   * @returns {(progress: Progress) => void}
   */
  static begun(name, start = performance.now()) {
    return (progress) => progress.update({ name, bytes: 0, total: null, start, end: null });
  }

  /**
   * The news that a part has ended now, if it has begun and not ended.
   *
   * @param {string} name
   * @returns {(progress: Progress) => void}
   */
  static ended(name) {
    return (progress) => {
      const stage = progress.stages.find((known) => known.name === name);
      if (stage?.end === null) progress.update({ ...stage, end: performance.now() });
    };
  }

  /**
   * From 0 to 1; it never goes back.
   *
   * @returns {number}
   */
  get fraction() {
    let sum = 0;
    for (const [name, share] of Object.entries(SHARES)) sum += share * this.#part(name);
    const whole = Object.values(SHARES).reduce((total, share) => total + share, 0);
    this.#furthest = Math.max(this.#furthest, Math.min(1, sum / whole));
    return this.#furthest;
  }

  /**
   * What is going on, for a person to read: of what goes on at once, that which has most bytes to come, and where
   * nothing has, what began last. Empty once all is done.
   *
   * @returns {string}
   */
  get label() {
    const running = this.stages.filter(({ end }) => end === null);
    const [most] = running.filter((stage) => left(stage) > 0).sort((one, other) => left(other) - left(one));
    const stage = running.find(({ name }) => name.startsWith("package ")) ?? most ?? running.at(-1);
    if (!stage) return this.fraction === 1 ? "" : "Loading";
    const label = stage.name.startsWith("package ")
      ? `Loading ${stage.name.slice("package ".length)}`
      : LABELS[stage.name] ?? stage.name;
    if (stage.bytes === 0) return label;
    if (stage.name === "core" && stage.bytes === stage.total) return "Starting Python";
    const total = stage.total !== null && stage.total >= stage.bytes ? ` of ${megabytes(stage.total)}` : "";
    return `${label}: ${megabytes(stage.bytes)}${total} MB`;
  }

  /**
   * How much of one part is done, from 0 to 1.
   *
   * @param {string} name
   */
  #part(name) {
    const stage = this.stages.find((known) => known.name === name);
    if (stage?.end !== null && stage?.end !== undefined) return 1;
    // What is still to come is not over, though something else has begun beside it.
    if (!(stage && left(stage) > 0) && this.#passed(name)) return 1;
    if (name === "packages") {
      const packages = this.stages.filter((known) => known.name.startsWith("package "));
      return stage ? 0.9 * ratio(packages) : 0;
    }
    return stage ? 0.9 * ratio([stage]) : 0;
  }

  /**
   * Whether a later part has begun, so that this one was not needed or is over. Python's own files are fetched from the
   * first moment on, which tells nothing of the rest.
   *
   * @param {string} name
   */
  #passed(name) {
    const order = Object.keys(SHARES).filter((part) => part !== "core" || part === name);
    return order.slice(order.indexOf(name) + 1).some((later) => this.stages.some((stage) => stage.name === later));
  }
}

/** @param {Stage[]} stages */
function ratio(stages) {
  let [bytes, total] = [0, 0];
  for (const stage of stages) {
    bytes += stage.bytes;
    total += stage.end === null ? (stage.total ?? 2 * stage.bytes) : stage.bytes;
  }
  return total > 0 ? Math.min(1, bytes / total) : 0;
}

/** @param {Stage} stage */
function left({ bytes, total }) {
  return Math.max(0, (total ?? 0) - bytes);
}

/** @param {number} bytes */
function megabytes(bytes) {
  return (bytes / 1e6).toFixed(1);
}
