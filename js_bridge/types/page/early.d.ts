/**
 * @file The worker in which Python runs. The page's first lines may have made it, before any module was there, so that
 * Python loads meanwhile (`play.html`); else it is made here. It reads no message.
 */
/**
 * @typedef {object} Early a worker that was made before
 * @property {Worker} worker
 * @property {(MessageEvent | ErrorEvent)[]} heard what it has said and nobody has taken yet, in order
 */
/**
 * Makes the worker, or takes over the one that is there, with what it has said so far.
 *
 * @param {Early | undefined} early
 * @param {(data: any) => void} take gets every message; none before this has returned
 * @param {(error: ErrorEvent) => void} fail the worker cannot run
 * @returns {Worker}
 */
export function takeWorker(early: Early | undefined, take: (data: any) => void, fail: (error: ErrorEvent) => void): Worker;
/**
 * a worker that was made before
 */
export type Early = {
    worker: Worker;
    /**
     * what it has said and nobody has taken yet, in order
     */
    heard: (MessageEvent | ErrorEvent)[];
};
