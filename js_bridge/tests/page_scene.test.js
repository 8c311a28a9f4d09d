/**
 * @file The laws of drawing a scene.
 */

import assert from "node:assert/strict";
import test from "node:test";

import { drawScene } from "../page/scene.js";
import { recordingContext } from "./support/browser.js";

/**
 * What is called on the context for shapes, without the frame of each, and what is said to be wrong.
 *
 * @param {any[]} shapes
 * @param {Record<string, any>} [sprites]
 */
function drawn(shapes, sprites = {}) {
  const { context, calls } = recordingContext();
  const faults = drawScene(context, { width: 10, height: 5, shapes }, (name) => sprites[name]);
  return { faults, calls: calls.filter(([name]) => !["clearRect", "save", "restore", "globalAlpha"].includes(name)) };
}

test("a scene begins with its background", () => {
  const { context, calls } = recordingContext();
  drawScene(context, { width: 10, height: 5, background: "#102030", shapes: [] }, () => undefined);
  assert.deepEqual(calls, [["clearRect", 0, 0, 10, 5], ["fillStyle", "#102030"], ["fillRect", 0, 0, 10, 5]]);
});

test("shapes are drawn in order, each with nothing of the one before", () => {
  const { context, calls } = recordingContext();
  const shapes = [
    { shape: "circle", x: 1, y: 2, radius: 3, opacity: 0.5 },
    { shape: "rect", x: 0, y: 0, width: 1, height: 1 },
  ];
  drawScene(context, { width: 10, height: 5, shapes }, () => undefined);
  const frame = calls.filter(([name]) => ["save", "globalAlpha", "arc", "rect", "restore"].includes(name));
  assert.deepEqual(frame.map(([name, value]) => (name === "globalAlpha" ? value : name)), [
    "save", 0.5, "arc", "restore", "save", 1, "rect", "restore",
  ]);
});

test("a rectangle is turned about its centre, with round corners where it has a radius", () => {
  const place = { x: 2, y: 4, width: 6, height: 8, radius: 1, rotation: 0.5 };
  const { calls, faults } = drawn([{ shape: "rect", ...place, fill: "red", stroke: "blue", line_width: 2 }]);
  assert.deepEqual(faults, []);
  assert.deepEqual(calls, [
    ["translate", 5, 8], ["rotate", 0.5], ["translate", -5, -8], ["beginPath"], ["roundRect", 2, 4, 6, 8, 1],
    ["fillStyle", "red"], ["fill"], ["strokeStyle", "blue"], ["lineWidth", 2], ["lineJoin", "round"],
    ["lineCap", "round"], ["stroke"],
  ]);
});

test("a shape that is only stroked is not filled, one with neither is black", () => {
  const circle = { shape: "circle", x: 0, y: 0, radius: 1 };
  assert.ok(!drawn([{ ...circle, stroke: "red" }]).calls.some(([name]) => name === "fill"));
  const { calls } = drawn([circle]);
  assert.deepEqual(calls.slice(-2), [["fillStyle", "#000000"], ["fill"]]);
});

test("a line runs through its points and is never filled; a polygon is closed", () => {
  const points = [[0, 1], [2, 3], [4, 5]];
  const path = [["beginPath"], ["moveTo", 0, 1], ["lineTo", 2, 3], ["lineTo", 4, 5]];
  const line = drawn([{ shape: "line", points, stroke: "red", line_width: 3, fill: "green" }]).calls;
  assert.deepEqual(line.slice(0, 4), path);
  assert.ok(!line.some(([name]) => name === "fill"));
  assert.deepEqual(drawn([{ shape: "polygon", points, fill: "red" }]).calls, [
    ...path, ["closePath"], ["fillStyle", "red"], ["fill"],
  ]);
});

test("an ellipse has two radii and a rotation", () => {
  const { calls } = drawn([{ shape: "ellipse", x: 1, y: 2, radius_x: 3, radius_y: 4, rotation: 0.25, fill: "red" }]);
  assert.deepEqual(calls[1], ["ellipse", 1, 2, 3, 4, 0.25, 0, 2 * Math.PI]);
});

test("text stands at its point, aligned and weighted", () => {
  const { calls } = drawn([{
    shape: "text", x: 1, y: 2, text: 42, size: 7, fill: "red", align: "center", weight: "bold",
  }]);
  assert.deepEqual(calls, [
    ["font", "bold 7px system-ui, sans-serif"], ["textAlign", "center"], ["textBaseline", "middle"],
    ["fillStyle", "red"], ["fillText", "42", 1, 2],
  ]);
});

test("a sprite may be a part of its image, and mirrored", () => {
  const chef = { chef: true };
  const { calls, faults } = drawn([{
    shape: "sprite", sprite: "chef", x: 1, y: 2, width: 3, height: 4, crop: [5, 6, 7, 8], flip: true,
  }], { chef });
  assert.deepEqual(faults, []);
  assert.deepEqual(calls, [
    ["imageSmoothingEnabled", false], ["translate", 5, 0], ["scale", -1, 1],
    ["drawImage", chef, 5, 6, 7, 8, 1, 2, 3, 4],
  ]);
  assert.deepEqual(drawn([{ shape: "sprite", sprite: "chef", x: 1, y: 2, width: 3, height: 4 }], { chef }).calls, [
    ["imageSmoothingEnabled", false], ["drawImage", chef, 1, 2, 3, 4],
  ]);
});

test("what cannot be drawn is said in one sentence, and the rest is drawn", () => {
  const { calls, faults } = drawn([
    { shape: "blob" },
    { x: 1 },
    null,
    { shape: "constructor" },
    { shape: "circle", x: "1", y: 2, radius: 3 },
    { shape: "rect", x: NaN, y: 2, width: 3, height: 3 },
    { shape: "line", points: [[1, 2], [3]] },
    { shape: "polygon" },
    { shape: "sprite", sprite: "cook", x: 1, y: 2, width: 3, height: 4 },
    { shape: "circle", x: 1, y: 2, radius: 3 },
  ]);
  assert.equal(calls.filter(([name]) => name === "arc").length, 1);
  const known = "known are rect, circle, ellipse, line, polygon, text, sprite";
  assert.deepEqual(faults, [
    `unknown shape "blob"; ${known}`,
    `unknown shape without a name; ${known}`,
    `unknown shape without a name; ${known}`,
    `unknown shape "constructor"; ${known}`,
    "the x of a circle is not a number",
    "the x of a rect is not a number",
    "a line has no list of points",
    "a polygon has no list of points",
    'no sprite is called "cook"',
  ]);
});

test("a negative radius is none", () => {
  const { calls, faults } = drawn([{ shape: "circle", x: 0, y: 0, radius: -1 }]);
  assert.deepEqual([faults, calls[1]], [[], ["arc", 0, 0, 0, 0, 2 * Math.PI]]);
});
