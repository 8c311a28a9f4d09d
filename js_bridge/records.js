/**
 * @file The flat records that cross between JavaScript and Python: what arrived (the inbox) and what is to be done
 * (the outbox). One record is `u8 kind, u8 peer, u8 channel, u8 0, u32 length, payload`, little-endian; an outbox
 * opens with `f64 wake_at_ms`. It never knows what a payload means to the game.
 */

/**
 * What a record holds. PACKET: bytes from or for a player. EVENT: UTF-8 JSON. VIEW: the picture to draw.
 * UPLOAD: a chunk for the server. STATS: a Float64Array.
 */
export const Kind = Object.freeze({ PACKET: 1, EVENT: 2, VIEW: 3, UPLOAD: 4, STATS: 5 });

/** The two data channels of a pair of players. */
export const Channel = Object.freeze({ INPUT: 0, CONTROL: 1 });

/** How a VIEW is given: a scene as JSON, or the pixels of a picture. */
export const Form = Object.freeze({ SCENE: 0, PIXELS: 1 });

const HEADER_BYTES = 8;
const WAKE_BYTES = 8;
const decoder = new TextDecoder("utf-8", { fatal: true });
const encoder = new TextEncoder();

/**
 * @typedef {object} FlatRecord
 * @property {number} kind one of {@link Kind}
 * @property {number} peer index of the other player; 0 where none is meant
 * @property {number} channel one of {@link Channel}; 0 where none is meant
 * @property {Uint8Array} payload
 */

/** Bytes that are not records: cut off, or with a part that cannot be. */
export class RecordError extends Error {
  /** @param {string} message what is wrong, and where */
  constructor(message) {
    super(message);
    this.name = "RecordError";
  }
}

/**
 * Lays records end to end.
 *
 * @param {readonly FlatRecord[]} records
 * @returns {Uint8Array<ArrayBuffer>} the inbox as Python takes it; empty for no records
 * @throws {RecordError} where a kind, peer or channel does not fit a byte
 */
export function encodeRecords(records) {
  let length = 0;
  for (const record of records) length += HEADER_BYTES + record.payload.length;
  const bytes = new Uint8Array(length);
  const view = new DataView(bytes.buffer);
  let at = 0;
  for (const { kind, peer, channel, payload } of records) {
    for (const [name, value] of Object.entries({ kind, peer, channel })) {
      if (!Number.isInteger(value) || value < 0 || value > 255) {
        throw new RecordError(`${name} ${value} does not fit a byte`);
      }
    }
    bytes[at] = kind;
    bytes[at + 1] = peer;
    bytes[at + 2] = channel;
    view.setUint32(at + 4, payload.length, true);
    bytes.set(payload, at + HEADER_BYTES);
    at += HEADER_BYTES + payload.length;
  }
  return bytes;
}

/**
 * Takes records apart.
 *
 * @param {Uint8Array} bytes
 * @param {number} [from] where the first record begins
 * @returns {FlatRecord[]} payloads are windows into `bytes`, not copies
 * @throws {RecordError} where the bytes end inside a record
 */
export function decodeRecords(bytes, from = 0) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  /** @type {FlatRecord[]} */
  const records = [];
  let at = from;
  while (at < bytes.length) {
    if (bytes.length - at < HEADER_BYTES) throw new RecordError(`record ${records.length} ends inside its header`);
    const length = view.getUint32(at + 4, true);
    const start = at + HEADER_BYTES;
    if (bytes.length - start < length) {
      throw new RecordError(`record ${records.length} says ${length} bytes, ${bytes.length - start} are there`);
    }
    records.push({
      kind: view.getUint8(at),
      peer: view.getUint8(at + 1),
      channel: view.getUint8(at + 2),
      payload: bytes.subarray(start, start + length),
    });
    at = start + length;
  }
  return records;
}

/**
 * Takes the answer of a tick apart.
 *
 * @param {Uint8Array} bytes
 * @returns {{wakeAt: number, records: FlatRecord[]}} wakeAt in milliseconds of `performance.now()`; Infinity = never
 * @throws {RecordError} where the bytes are cut off, or the time is not a number
 */
export function decodeOutbox(bytes) {
  if (bytes.length < WAKE_BYTES) throw new RecordError(`an outbox has at least 8 bytes, not ${bytes.length}`);
  const wakeAt = new DataView(bytes.buffer, bytes.byteOffset).getFloat64(0, true);
  if (Number.isNaN(wakeAt)) throw new RecordError("the time to wake at is not a number");
  return { wakeAt, records: decodeRecords(bytes, WAKE_BYTES) };
}

/**
 * The inverse of {@link decodeOutbox}, for tests and stand-ins.
 *
 * @param {number} wakeAt
 * @param {readonly FlatRecord[]} records
 * @returns {Uint8Array<ArrayBuffer>}
 */
export function encodeOutbox(wakeAt, records) {
  const tail = encodeRecords(records);
  const bytes = new Uint8Array(WAKE_BYTES + tail.length);
  new DataView(bytes.buffer).setFloat64(0, wakeAt, true);
  bytes.set(tail, WAKE_BYTES);
  return bytes;
}

/**
 * Makes the payload of an EVENT.
 *
 * @param {unknown} event any JSON value
 * @returns {Uint8Array}
 */
export function encodeEvent(event) {
  return encoder.encode(JSON.stringify(event));
}

/**
 * Reads the payload of an EVENT, or of a scene.
 *
 * @param {Uint8Array} payload
 * @returns {any}
 * @throws {RecordError} where it is not UTF-8 JSON
 */
export function decodeJson(payload) {
  try {
    return JSON.parse(decoder.decode(payload));
  } catch (error) {
    throw new RecordError(`not JSON in UTF-8: ${error instanceof Error ? error.message : String(error)}`);
  }
}

/**
 * @typedef {object} Upload
 * @property {number} upload the number by which Python knows it
 * @property {string} kind rows, record, diagnostics or outcome
 * @property {number} sequence counts from 0 per kind
 * @property {Uint8Array} body
 */

/**
 * Reads the payload of an UPLOAD: `u32 upload, u32 header length, JSON {"kind", "sequence"}, body`.
 *
 * @param {Uint8Array} payload
 * @returns {Upload}
 * @throws {RecordError}
 */
export function decodeUpload(payload) {
  if (payload.length < 8) throw new RecordError(`an upload has at least 8 bytes, not ${payload.length}`);
  const view = new DataView(payload.buffer, payload.byteOffset);
  const body = 8 + view.getUint32(4, true);
  if (body > payload.length) throw new RecordError("an upload ends inside its header");
  const { kind, sequence } = decodeJson(payload.subarray(8, body)) ?? {};
  if (typeof kind !== "string" || !/^[a-z]+$/.test(kind)) throw new RecordError("an upload's kind is not a word");
  if (!Number.isInteger(sequence) || sequence < 0) throw new RecordError("an upload's sequence is not a count");
  return { upload: view.getUint32(0, true), kind, sequence, body: payload.subarray(body) };
}

/**
 * @typedef {object} Pixels
 * @property {number} width
 * @property {number} height
 * @property {3 | 4} channels
 * @property {Uint8Array} pixels row by row from the top, `width * height * channels` bytes
 */

/**
 * @typedef {{form: "scene", scene: any} | ({form: "pixels"} & Pixels)} View
 */

/**
 * Reads the payload of a VIEW: `u8 form`, then JSON, or `u16 width, u16 height, u8 channels`, pixels from byte 8 on.
 *
 * @param {Uint8Array} payload
 * @returns {View}
 * @throws {RecordError}
 */
export function decodeView(payload) {
  if (payload[0] === Form.SCENE) return { form: "scene", scene: decodeJson(payload.subarray(1)) };
  if (payload[0] !== Form.PIXELS) throw new RecordError(`a view of unknown form ${payload[0]}`);
  if (payload.length < 8) throw new RecordError("a picture ends inside its header");
  const view = new DataView(payload.buffer, payload.byteOffset);
  const [width, height, channels] = [view.getUint16(1, true), view.getUint16(3, true), view.getUint8(5)];
  if (channels !== 3 && channels !== 4) throw new RecordError(`a picture has 3 or 4 channels, not ${channels}`);
  const pixels = payload.subarray(8);
  if (pixels.length !== width * height * channels) {
    throw new RecordError(`a picture of ${width}x${height}x${channels} has not ${pixels.length} bytes`);
  }
  return { form: "pixels", width, height, channels, pixels };
}
