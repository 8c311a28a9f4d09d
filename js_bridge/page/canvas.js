/**
 * @file Shows views on a canvas: a scene of shapes, or the pixels of a picture; crisp on screens of every density.
 * It holds the newest view only, to draw it again when the canvas changes its size.
 */

import { decodeView } from "../records.js";
import { drawScene } from "./scene.js";

/** @typedef {import("../records.js").View} View */
/** @typedef {import("../records.js").Pixels} Pixels */

/** A canvas that fills its parent as far as the picture's proportions allow. */
export class Picture {
  #canvas;
  #context;
  #warn;
  /** @type {(() => void) | undefined} */
  #onFirst;
  /** @type {Map<string, HTMLImageElement>} */
  #sprites = new Map();
  /** @type {ArrayBuffer | undefined} */
  #next;
  /** @type {View | undefined} */
  #shown;
  /** @type {Set<string>} */
  #warned = new Set();
  #observer;
  #pending = 0;

  /**
   * @param {HTMLCanvasElement} canvas
   * @param {(text: string) => void} warn gets each sentence about what cannot be drawn once
   * @param {() => void} [onFirst] is called once, when the first view has been drawn
   */
  constructor(canvas, warn, onFirst) {
    const context = canvas.getContext("2d");
    if (!context) throw new Error("this browser draws no two-dimensional canvas");
    this.#canvas = canvas;
    this.#context = context;
    this.#warn = warn;
    this.#onFirst = onFirst;
    this.#observer = new ResizeObserver(() => this.#ask());
    this.#observer.observe(canvas.parentElement ?? canvas);
  }

  /**
   * Fetches the images that a scene may name.
   *
   * @param {Record<string, string>} sprites name to URL
   * @returns {Promise<void>} an image that cannot be had is warned of, once it is asked for
   */
  async loadSprites(sprites) {
    await Promise.all(Object.entries(sprites).map(async ([name, url]) => {
      const image = new Image();
      image.src = url;
      try {
        await image.decode();
        this.#sprites.set(name, image);
      } catch {
        this.#warnOnce(`the sprite "${name}" could not be loaded from ${url}`);
      }
    }));
  }

  /**
   * Takes a view to draw with the browser's next picture; one that comes before then takes its place.
   *
   * @param {ArrayBuffer} payload of a VIEW record
   */
  show(payload) {
    this.#next = payload;
    this.#ask();
  }

  /** Draws no more. */
  stop() {
    this.#observer.disconnect();
    cancelAnimationFrame(this.#pending);
  }

  #ask() {
    this.#pending ||= requestAnimationFrame(() => {
      this.#pending = 0;
      try {
        this.#draw();
      } catch (error) {
        this.#warnOnce(`the picture cannot be drawn: ${error instanceof Error ? error.message : String(error)}`);
      }
    });
  }

  #draw() {
    if (this.#next) {
      const view = decodeView(new Uint8Array(this.#next));
      this.#next = undefined;
      this.#shown = view;
    }
    const view = this.#shown;
    if (!view) return;
    const { width, height } = sizeOf(view);
    this.#fit(width, height);
    const context = this.#context;
    context.setTransform(this.#canvas.width / width, 0, 0, this.#canvas.height / height, 0, 0);
    if (view.form === "scene") {
      for (const fault of drawScene(context, view.scene, (name) => this.#sprites.get(name))) this.#warnOnce(fault);
    } else {
      context.imageSmoothingEnabled = false;
      context.drawImage(opaque(view), 0, 0);
    }
    this.#onFirst?.();
    this.#onFirst = undefined;
  }

  /**
   * Makes the canvas as large as its parent allows in the view's proportions, with a pixel for every pixel of the
   * screen.
   *
   * @param {number} width
   * @param {number} height
   */
  #fit(width, height) {
    const room = this.#canvas.parentElement;
    const scale = Math.min((room?.clientWidth || width) / width, (room?.clientHeight || height) / height);
    const density = window.devicePixelRatio || 1;
    const [pixelsWide, pixelsHigh] = [width, height].map((side) => Math.max(1, Math.round(side * scale * density)));
    if (this.#canvas.width === pixelsWide && this.#canvas.height === pixelsHigh) return;
    this.#canvas.width = pixelsWide ?? 1;
    this.#canvas.height = pixelsHigh ?? 1;
    this.#canvas.style.width = `${this.#canvas.width / density}px`;
    this.#canvas.style.height = `${this.#canvas.height / density}px`;
  }

  /** @param {string} text */
  #warnOnce(text) {
    if (this.#warned.has(text)) return;
    this.#warned.add(text);
    this.#warn(text);
  }
}

/**
 * @param {View} view
 * @returns {{width: number, height: number}}
 */
function sizeOf(view) {
  const { width, height } = view.form === "scene" ? view.scene ?? {} : view;
  if (!(width > 0 && height > 0)) throw new Error("its width and height are not positive numbers");
  if (view.form === "scene" && !Array.isArray(view.scene.shapes)) throw new Error("its shapes are not a list");
  return { width, height };
}

/**
 * Makes an image of pixels.
 *
 * @param {Pixels} picture
 * @returns {OffscreenCanvas}
 */
function opaque({ width, height, channels, pixels }) {
  const image = new ImageData(width, height);
  if (channels === 4) {
    image.data.set(pixels);
  } else {
    const words = new Uint32Array(image.data.buffer);
    for (let at = 0, from = 0; at < words.length; at += 1, from += 3) {
      words[at] = 0xff000000 | ((pixels[from + 2] ?? 0) << 16) | ((pixels[from + 1] ?? 0) << 8) | (pixels[from] ?? 0);
    }
  }
  const canvas = new OffscreenCanvas(width, height);
  canvas.getContext("2d")?.putImageData(image, 0, 0);
  return canvas;
}
