/**
 * @file Passes what is to be measured to a module worker, and hands out what it answers. Only what crosses between the
 * two is measured here.
 */

const worker = new Worker("worker.js", { type: "module" });

/** @type {{resolve: (value: unknown) => void, reject: (error: Error) => void} | undefined} */
let waiting;

worker.onmessage = ({ data }) => {
  if (data.type === "said") console.info(data.text);
  else if (data.type === "done") waiting?.resolve(data.value);
  else waiting?.reject(new Error(data.error));
};
worker.onerror = (event) => waiting?.reject(new Error(event.message));

/**
 * Has the worker do one thing, and waits for its answer.
 *
 * @param {object} request
 */
globalThis.ask = (request) => new Promise((resolve, reject) => {
  waiting = { resolve, reject };
  worker.postMessage(request);
});

/** @param {object} message for `bench.inside.messages` */
const operate = (message) => ask({ operate: JSON.stringify(message) });

/** @param {() => Promise<unknown>} work @returns {Promise<number>} microseconds */
async function timed(work) {
  const began = performance.now();
  await work();
  return (performance.now() - began) * 1000;
}

/**
 * Times rollbacks by one message with one batch, and by one message for each operation with snapshots as JSON, in turns.
 *
 * @param {{depth: number, rounds: number, actions: number[], snapshots: string[]}} given
 * @returns {Promise<[number, number][]>} pairs, in microseconds
 */
globalThis.measureMessages = async ({ depth, rounds, actions, snapshots }) => {
  /** @type {[number, number][]} */
  const pairs = [];
  for (let round = 0; round < rounds; round += 1) {
    const [start, end] = [round, round + depth];
    const batch = () => timed(() => operate({ op: "batch", operations: [{
      op: "rollback", frame: start, actions: actions.slice(start, end).map((action) => ({ player_0: action })),
      stop_at_end: true, save_all: true,
    }] }));
    const messages = () => timed(async () => {
      await operate({ op: "restore", snapshot: snapshots[start] });
      for (let frame = start; frame < end; frame += 1) {
        await operate({ op: "step", action: actions[frame] });
        snapshots[frame + 1] = await operate({ op: "save" });
      }
    });
    if (round % 2) {
      const second = await messages();
      pairs.push([await batch(), second]);
    } else {
      pairs.push([await batch(), await messages()]);
    }
    snapshots[end + 1] = await operate({ op: "advance", frame: end });
  }
  return pairs;
};

/** How many turns are timed together, for the clock of a page that is not isolated ticks every 100 us. */
const BLOCK = 50;

/**
 * Times how bytes come from the worker when they are asked for: in a message, or through memory that both share.
 *
 * @param {{bytes: number, blocks: number, shared: boolean}} given
 * @returns {Promise<number[]>} microseconds for one turn, for each block
 */
globalThis.measurePassing = async ({ bytes, blocks, shared }) => {
  const memory = shared ? new SharedArrayBuffer(4 + bytes) : null;
  const flag = memory && new Int32Array(memory, 0, 1);
  let round = 0;
  const turn = async () => {
    if (!memory || !flag) {
      await ask({ pass: { bytes } });
      return;
    }
    round += 1;
    worker.postMessage({ pass: { bytes, memory, round } });
    const seen = Atomics.waitAsync(flag, 0, round - 1);
    if (seen.async) await seen.value;
    new Uint8Array(bytes).set(new Uint8Array(memory, 4));
  };
  const times = [];
  for (let block = 0; block < blocks; block += 1) {
    times.push(await timed(async () => {
      for (let count = 0; count < BLOCK; count += 1) await turn();
    }) / BLOCK);
  }
  return times;
};
