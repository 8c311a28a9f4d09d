/**
 * Lays records end to end.
 *
 * @param {readonly FlatRecord[]} records
 * @returns {Uint8Array<ArrayBuffer>} the inbox as Python takes it; empty for no records
 * @throws {RecordError} where a kind, peer or channel does not fit a byte
 */
export function encodeRecords(records: readonly FlatRecord[]): Uint8Array<ArrayBuffer>;
/**
 * Takes records apart.
 *
 * @param {Uint8Array} bytes
 * @param {number} [from] where the first record begins
 * @returns {FlatRecord[]} payloads are windows into `bytes`, not copies
 * @throws {RecordError} where the bytes end inside a record
 */
export function decodeRecords(bytes: Uint8Array, from?: number): FlatRecord[];
/**
 * Takes the answer of a tick apart.
 *
 * @param {Uint8Array} bytes
 * @returns {{wakeAt: number, records: FlatRecord[]}} wakeAt in milliseconds of `performance.now()`; Infinity = never
 * @throws {RecordError} where the bytes are cut off, or the time is not a number
 */
export function decodeOutbox(bytes: Uint8Array): {
    wakeAt: number;
    records: FlatRecord[];
};
/**
 * The inverse of {@link decodeOutbox}, for tests and stand-ins.
 *
 * @param {number} wakeAt
 * @param {readonly FlatRecord[]} records
 * @returns {Uint8Array<ArrayBuffer>}
 */
export function encodeOutbox(wakeAt: number, records: readonly FlatRecord[]): Uint8Array<ArrayBuffer>;
/**
 * Makes the payload of an EVENT.
 *
 * @param {unknown} event any JSON value
 * @returns {Uint8Array}
 */
export function encodeEvent(event: unknown): Uint8Array;
/**
 * Reads the payload of an EVENT, or of a scene.
 *
 * @param {Uint8Array} payload
 * @returns {any}
 * @throws {RecordError} where it is not UTF-8 JSON
 */
export function decodeJson(payload: Uint8Array): any;
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
export function decodeUpload(payload: Uint8Array): Upload;
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
export function decodeView(payload: Uint8Array): View;
/**
 * @file The flat records that cross between JavaScript and Python: what arrived (the inbox) and what is to be done
 * (the outbox). One record is `u8 kind, u8 peer, u8 channel, u8 0, u32 length, payload`, little-endian; an outbox
 * opens with `f64 wake_at_ms`. It never knows what a payload means to the game.
 */
/**
 * What a record holds. PACKET: bytes from or for a player. EVENT: UTF-8 JSON. VIEW: the picture to draw.
 * UPLOAD: a chunk for the server. STATS: a Float64Array.
 */
export const Kind: Readonly<{
    PACKET: 1;
    EVENT: 2;
    VIEW: 3;
    UPLOAD: 4;
    STATS: 5;
}>;
/** The two data channels of a pair of players. */
export const Channel: Readonly<{
    INPUT: 0;
    CONTROL: 1;
}>;
/** How a VIEW is given: a scene as JSON, or the pixels of a picture. */
export const Form: Readonly<{
    SCENE: 0;
    PIXELS: 1;
}>;
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
    constructor(message: string);
}
export type Upload = {
    /**
     * the number by which Python knows it
     */
    upload: number;
    /**
     * rows, record, diagnostics or outcome
     */
    kind: string;
    /**
     * counts from 0 per kind
     */
    sequence: number;
    body: Uint8Array;
};
export type Pixels = {
    width: number;
    height: number;
    channels: 3 | 4;
    /**
     * row by row from the top, `width * height * channels` bytes
     */
    pixels: Uint8Array;
};
export type View = {
    form: "scene";
    scene: any;
} | ({
    form: "pixels";
} & Pixels);
export type FlatRecord = {
    /**
     * one of {@link Kind}
     */
    kind: number;
    /**
     * index of the other player; 0 where none is meant
     */
    peer: number;
    /**
     * one of {@link Channel}; 0 where none is meant
     */
    channel: number;
    payload: Uint8Array;
};
