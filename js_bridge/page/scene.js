/**
 * @file Draws a scene, a list of shapes in scene units with y downwards, on a two-dimensional context. It keeps
 * nothing between scenes and knows nothing of what the shapes stand for. A shape that cannot be drawn is left out,
 * and one sentence says why.
 */

/** @typedef {CanvasRenderingContext2D} Context */
/** @typedef {Record<string, any>} Shape */
/** @typedef {(name: string) => CanvasImageSource | undefined} Sprites */

/**
 * @typedef {object} Known a shape that can be drawn
 * @property {string[]} numbers fields that must be finite numbers
 * @property {(context: Context, shape: Shape, sprites: Sprites) => string | void} draw says what is wrong, if anything
 */

/** @type {Readonly<Record<string, Known>>} */
const SHAPES = Object.freeze({
  rect: {
    numbers: ["x", "y", "width", "height"],
    draw(context, shape) {
      const { x, y, width, height } = shape;
      turned(context, shape, x + width / 2, y + height / 2, () => {
        context.beginPath();
        if (shape.radius > 0) context.roundRect(x, y, width, height, shape.radius);
        else context.rect(x, y, width, height);
        paint(context, shape);
      });
    },
  },
  circle: {
    numbers: ["x", "y", "radius"],
    draw(context, shape) {
      context.beginPath();
      context.arc(shape.x, shape.y, Math.max(0, shape.radius), 0, 2 * Math.PI);
      paint(context, shape);
    },
  },
  ellipse: {
    numbers: ["x", "y", "radius_x", "radius_y"],
    draw(context, shape) {
      const [radiusX, radiusY] = [Math.max(0, shape.radius_x), Math.max(0, shape.radius_y)];
      context.beginPath();
      context.ellipse(shape.x, shape.y, radiusX, radiusY, shape.rotation ?? 0, 0, 2 * Math.PI);
      paint(context, shape);
    },
  },
  line: {
    numbers: [],
    draw(context, shape) {
      if (!trace(context, shape.points)) return "a line has no list of points";
      paint(context, { stroke: "#000000", ...shape, fill: undefined });
      return undefined;
    },
  },
  polygon: {
    numbers: [],
    draw(context, shape) {
      if (!trace(context, shape.points)) return "a polygon has no list of points";
      context.closePath();
      paint(context, shape);
      return undefined;
    },
  },
  text: {
    numbers: ["x", "y", "size"],
    draw(context, shape) {
      turned(context, shape, shape.x, shape.y, () => {
        context.font = `${shape.weight ?? "normal"} ${shape.size}px system-ui, sans-serif`;
        context.textAlign = shape.align ?? "left";
        context.textBaseline = "middle";
        context.fillStyle = shape.fill ?? "#000000";
        context.fillText(String(shape.text ?? ""), shape.x, shape.y);
      });
    },
  },
  sprite: {
    numbers: ["x", "y", "width", "height"],
    draw(context, shape, sprites) {
      const image = sprites(shape.sprite);
      if (!image) return `no sprite is called "${shape.sprite}"`;
      const { x, y, width, height, crop } = shape;
      if (crop !== undefined && crop !== null && !(numbers(crop) && crop.length === 4)) {
        return "a sprite's crop is not [x, y, width, height]";
      }
      turned(context, shape, x + width / 2, y + height / 2, () => {
        context.imageSmoothingEnabled = false;
        if (shape.flip) {
          context.translate(2 * x + width, 0);
          context.scale(-1, 1);
        }
        if (crop) context.drawImage(image, crop[0], crop[1], crop[2], crop[3], x, y, width, height);
        else context.drawImage(image, x, y, width, height);
      });
      return undefined;
    },
  },
});

/**
 * Draws a scene over the whole context, whose units are the scene's when this is called.
 *
 * @param {Context} context
 * @param {{width: number, height: number, background?: string, shapes: Shape[]}} scene
 * @param {Sprites} sprites
 * @returns {string[]} what could not be drawn, a sentence each
 */
export function drawScene(context, scene, sprites) {
  context.clearRect(0, 0, scene.width, scene.height);
  if (scene.background) {
    context.fillStyle = scene.background;
    context.fillRect(0, 0, scene.width, scene.height);
  }
  const faults = [];
  for (const shape of scene.shapes) {
    const fault = drawShape(context, shape, sprites);
    if (fault) faults.push(fault);
  }
  return faults;
}

/**
 * @param {Context} context
 * @param {any} shape
 * @param {Sprites} sprites
 * @returns {string | void}
 */
function drawShape(context, shape, sprites) {
  const name = shape?.shape;
  const known = typeof name === "string" && Object.hasOwn(SHAPES, name) ? SHAPES[name] : undefined;
  if (!known) {
    return `unknown shape ${JSON.stringify(name) ?? "without a name"}; known are ${Object.keys(SHAPES).join(", ")}`;
  }
  for (const number of known.numbers) {
    if (!Number.isFinite(shape[number])) return `the ${number} of a ${name} is not a number`;
  }
  context.save();
  context.globalAlpha = Number.isFinite(shape.opacity) ? Math.min(1, Math.max(0, shape.opacity)) : 1;
  try {
    return known.draw(context, shape, sprites);
  } catch (error) {
    return `a ${name} cannot be drawn: ${error instanceof Error ? error.message : String(error)}`;
  } finally {
    context.restore();
  }
}

/**
 * Draws with the shape's rotation, in radians, about a point.
 *
 * @param {Context} context
 * @param {Shape} shape
 * @param {number} x
 * @param {number} y
 * @param {() => void} draw
 */
function turned(context, { rotation }, x, y, draw) {
  if (rotation) {
    context.translate(x, y);
    context.rotate(rotation);
    context.translate(-x, -y);
  }
  draw();
}

/**
 * Fills and strokes the path. A shape with neither is filled black.
 *
 * @param {Context} context
 * @param {Shape} shape
 */
function paint(context, { fill, stroke, line_width: lineWidth }) {
  if (fill || !stroke) {
    context.fillStyle = fill || "#000000";
    context.fill();
  }
  if (stroke) {
    context.strokeStyle = stroke;
    context.lineWidth = lineWidth ?? 1;
    context.lineJoin = "round";
    context.lineCap = "round";
    context.stroke();
  }
}

/**
 * @param {Context} context
 * @param {any} points
 * @returns {boolean} whether they are points
 */
function trace(context, points) {
  if (!Array.isArray(points) || points.length === 0) return false;
  if (!points.every((point) => numbers(point) && point.length === 2)) return false;
  context.beginPath();
  points.forEach(([x, y], at) => (at === 0 ? context.moveTo(x, y) : context.lineTo(x, y)));
  return true;
}

/** @param {any} values */
function numbers(values) {
  return Array.isArray(values) && values.every(Number.isFinite);
}
