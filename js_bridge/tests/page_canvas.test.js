/**
 * @file The laws of the picture.
 */

import assert from "node:assert/strict";
import test from "node:test";

import { Picture } from "../page/canvas.js";
import { pretend, recordingContext } from "./support/browser.js";
import { GOLDENS, fromHex } from "./support/goldens.js";

/**
 * A picture in a room of this size, on a screen of this density.
 *
 * @param {import("node:test").TestContext} context
 * @param {{width: number, height: number, density?: number}} room in CSS pixels
 */
function picturing(context, { width, height, density = 1 }) {
  /** @type {(() => void)[]} */
  const frames = [];
  const world = { resized: () => {}, observing: true, puts: /** @type {any[]} */ ([]) };
  pretend(context, {
    window: { devicePixelRatio: density },
    requestAnimationFrame: (/** @type {() => void} */ draw) => frames.push(draw),
    cancelAnimationFrame: () => frames.splice(0),
    ResizeObserver: class {
      /** @param {() => void} resized */
      constructor(resized) { world.resized = resized; }
      observe() {}
      disconnect() { world.observing = false; }
    },
    ImageData: class {
      /** @param {number} wide @param {number} high */
      constructor(wide, high) { this.data = new Uint8ClampedArray(wide * high * 4); }
    },
    OffscreenCanvas: class {
      getContext() { return { putImageData: (/** @type {any} */ image) => world.puts.push([...image.data]) }; }
    },
    Image: class {
      src = "";
      async decode() { if (this.src.includes("missing")) throw new Error("no image"); }
    },
  });
  const { context: drawing, calls } = recordingContext();
  const room = { clientWidth: width, clientHeight: height };
  const style = { width: "", height: "" };
  const canvas = { width: 1, height: 1, style, parentElement: room, getContext: () => drawing };
  /** @type {string[]} */
  const warnings = [];
  const picture = new Picture(/** @type {any} */ (canvas), (text) => warnings.push(text));
  const paint = () => { for (const draw of frames.splice(0)) draw(); };
  return { picture, canvas, calls, warnings, paint, frames, world, room };
}

/** @param {object} scene @returns {ArrayBuffer} */
function sceneView(scene) {
  return Uint8Array.from([0, ...new TextEncoder().encode(JSON.stringify(scene))]).buffer;
}

const SCENE = { width: 400, height: 300, shapes: [] };

test("the canvas fills its room in the picture's proportions, a pixel for every pixel of the screen", (context) => {
  const { picture, canvas, calls, paint } = picturing(context, { width: 1000, height: 600, density: 2 });
  picture.show(sceneView(SCENE));
  paint();
  assert.deepEqual([canvas.width, canvas.height], [1600, 1200]);
  assert.deepEqual(canvas.style, { width: "800px", height: "600px" });
  assert.deepEqual(calls[0], ["setTransform", 4, 0, 0, 4, 0, 0]);
});

test("of the views between two pictures of the screen only the newest is drawn", (context) => {
  const { picture, calls, paint, frames } = picturing(context, { width: 400, height: 300 });
  picture.show(sceneView({ ...SCENE, background: "red" }));
  picture.show(sceneView({ ...SCENE, background: "blue" }));
  assert.equal(frames.length, 1);
  paint();
  assert.deepEqual(calls.filter(([name]) => name === "fillStyle"), [["fillStyle", "blue"]]);
});

test("a new size of the room draws the same view again", (context) => {
  const { picture, canvas, paint, world, room } = picturing(context, { width: 400, height: 300 });
  picture.show(sceneView(SCENE));
  paint();
  room.clientWidth = 200;
  world.resized();
  paint();
  assert.deepEqual([canvas.width, canvas.height], [200, 150]);
});

test("pixels are drawn as they are, opaque where they have no alpha, never smoothed", (context) => {
  const { picture, calls, paint, world } = picturing(context, { width: 20, height: 10 });
  picture.show(fromHex(GOLDENS.views[1].bytes).buffer);
  paint();
  assert.deepEqual(world.puts, [[255, 0, 0, 255, 0, 0, 255, 255]]);
  assert.deepEqual(calls.slice(0, 2), [["setTransform", 10, 0, 0, 10, 0, 0], ["imageSmoothingEnabled", false]]);
  assert.equal(calls[2][0], "drawImage");
  picture.show(fromHex(GOLDENS.views[2].bytes).buffer);
  paint();
  assert.deepEqual(world.puts[1], [0, 1, 2, 3, 4, 5, 6, 7]);
});

test("what cannot be drawn is warned of once, however often it comes", (context) => {
  const { picture, warnings, paint } = picturing(context, { width: 400, height: 300 });
  for (let turn = 0; turn < 3; turn += 1) {
    picture.show(sceneView({ ...SCENE, shapes: [{ shape: "blob" }] }));
    paint();
    picture.show(sceneView({ width: 0, height: 1, shapes: [] }));
    paint();
    picture.show(new Uint8Array([9]).buffer);
    paint();
    picture.show(sceneView({ width: 4, height: 1 }));
    paint();
  }
  assert.deepEqual(warnings, [
    'unknown shape "blob"; known are rect, circle, ellipse, line, polygon, text, sprite',
    "the picture cannot be drawn: its width and height are not positive numbers",
    "the picture cannot be drawn: a view of unknown form 9",
    "the picture cannot be drawn: its shapes are not a list",
  ]);
});

test("sprites are loaded by name; one that is not there is warned of and holds up nobody", async (context) => {
  const { picture, warnings, calls, paint } = picturing(context, { width: 400, height: 300 });
  await picture.loadSprites({ chef: "/sprites/chef.png", cook: "/sprites/missing.png" });
  assert.deepEqual(warnings, ['the sprite "cook" could not be loaded from /sprites/missing.png']);
  picture.show(sceneView({ ...SCENE, shapes: [{ shape: "sprite", sprite: "chef", x: 0, y: 0, width: 1, height: 1 }] }));
  paint();
  assert.equal(calls.find(([name]) => name === "drawImage")[1].src, "/sprites/chef.png");
});

test("a picture that was stopped draws no more", (context) => {
  const { picture, calls, paint, world } = picturing(context, { width: 400, height: 300 });
  picture.show(sceneView(SCENE));
  picture.stop();
  paint();
  assert.deepEqual([calls, world.observing], [[], false]);
});
