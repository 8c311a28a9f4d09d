/**
 * @file What has been loaded and how long it took: named stages of the start-up, with bytes where bytes arrive. It
 * loads nothing itself.
 */

/** @typedef {import("../messages.js").Stage} Stage */

/** How often a stage in progress is reported, in milliseconds. */
const REPORT_EVERY = 50;

/**
 * A stage, when its growth was last reported, and the timer until what has grown since is. That is reported late rather
 * than left out: else nobody would hear what a line that then stands still has brought last.
 *
 * @typedef {Stage & {reported: number, timer?: ReturnType<typeof setTimeout>}} Growing
 */

/** The stages of one start-up, reported as they change. */
export class Stages {
  /** @type {Map<string, Growing>} */
  #stages = new Map();
  #report;
  #now;

  /**
   * @param {(stage: Stage) => void} report gets a copy whenever a stage begins or ends, and at times while it grows
   * @param {() => number} [now] milliseconds
   */
  constructor(report, now = () => performance.timeOrigin + performance.now()) {
    this.#report = report;
    this.#now = now;
  }

  /**
   * Runs a part of the start-up as a stage of this name.
   *
   * @template T
   * @param {string} name
   * @param {() => T | Promise<T>} work
   * @returns {Promise<T>}
   */
  async run(name, work) {
    this.begin(name);
    const result = await work();
    this.end(name);
    return result;
  }

  /**
   * Begins a stage, unless it has begun.
   *
   * @param {string} name
   */
  begin(name) {
    if (this.#stages.has(name)) return;
    /** @type {Growing} */
    const stage = { name, bytes: 0, total: null, start: this.#now(), end: null, reported: -Infinity };
    this.#stages.set(name, stage);
    this.#tell(stage);
  }

  /**
   * Ends a stage that has begun.
   *
   * @param {string} name
   */
  end(name) {
    const stage = this.#stages.get(name);
    if (!stage || stage.end !== null) return;
    stage.end = this.#now();
    this.#tell(stage);
  }

  /**
   * Says that more bytes are to come in a stage.
   *
   * @param {string} name
   * @param {number} bytes
   */
  expect(name, bytes) {
    const stage = this.#stages.get(name);
    if (stage) stage.total = (stage.total ?? 0) + bytes;
  }

  /**
   * Says that bytes have arrived in a stage.
   *
   * @param {string} name
   * @param {number} bytes
   */
  add(name, bytes) {
    const stage = this.#stages.get(name);
    if (!stage) return;
    stage.bytes += bytes;
    if (this.#now() - stage.reported >= REPORT_EVERY) this.#grown(stage);
    else stage.timer ??= setTimeout(() => this.#grown(stage), REPORT_EVERY);
  }

  /** @param {Growing} stage */
  #grown(stage) {
    stage.reported = this.#now();
    this.#tell(stage);
  }

  /** @param {Growing} stage */
  #tell(stage) {
    clearTimeout(stage.timer);
    delete stage.timer;
    const { name, bytes, total, start, end } = stage;
    this.#report({ name, bytes, total, start, end });
  }
}

/**
 * Wraps `fetch` so that every response's bytes are counted in a stage. A response is passed on as it came, so that
 * a browser can keep the compiled form of a WebAssembly module; its bytes are counted on a copy.
 *
 * @param {typeof fetch} inner
 * @param {Stages} stages
 * @param {(url: string) => {name: string, whole: boolean}} stageOf `whole`: the stage ends with this download
 * @returns {typeof fetch}
 */
export function countingFetch(inner, stages, stageOf) {
  return async (input, init) => {
    const url = input instanceof Request ? input.url : String(input);
    const { name, whole } = stageOf(url);
    stages.begin(name);
    const response = await inner(input, init);
    if (response.ok && response.body) {
      const length = Number(response.headers.get("content-length"));
      if (length > 0 && !response.headers.get("content-encoding")) stages.expect(name, length);
      void count(response.clone(), name, whole, stages);
    }
    return response;
  };
}

/**
 * @param {Response} copy
 * @param {string} name
 * @param {boolean} whole
 * @param {Stages} stages
 */
async function count(copy, name, whole, stages) {
  const reader = copy.body?.getReader();
  try {
    for (let part = await reader?.read(); part && !part.done; part = await reader?.read()) {
      stages.add(name, part.value.length);
    }
  } catch {
    // A download that breaks off is reported by whoever asked for it.
  }
  if (whole) stages.end(name);
}
