/** @typedef {import("../records.js").View} View */
/** @typedef {import("../records.js").Pixels} Pixels */
/** A canvas that fills its parent as far as the picture's proportions allow. */
export class Picture {
    /**
     * @param {HTMLCanvasElement} canvas
     * @param {(text: string) => void} warn gets each sentence about what cannot be drawn once
     * @param {() => void} [onFirst] is called once, when the first view has been drawn
     */
    constructor(canvas: HTMLCanvasElement, warn: (text: string) => void, onFirst?: () => void);
    /**
     * Fetches the images that a scene may name.
     *
     * @param {Record<string, string>} sprites name to URL
     * @returns {Promise<void>} an image that cannot be had is warned of, once it is asked for
     */
    loadSprites(sprites: Record<string, string>): Promise<void>;
    /**
     * Takes a view to draw with the browser's next picture; one that comes before then takes its place.
     *
     * @param {ArrayBuffer} payload of a VIEW record
     */
    show(payload: ArrayBuffer): void;
    /** Draws no more. */
    stop(): void;
    #private;
}
export type View = import("../records.js").View;
export type Pixels = import("../records.js").Pixels;
