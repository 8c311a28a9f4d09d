/**
 * Draws a scene over the whole context, whose units are the scene's when this is called.
 *
 * @param {Context} context
 * @param {{width: number, height: number, background?: string, shapes: Shape[]}} scene
 * @param {Sprites} sprites
 * @returns {string[]} what could not be drawn, a sentence each
 */
export function drawScene(context: Context, scene: {
    width: number;
    height: number;
    background?: string;
    shapes: Shape[];
}, sprites: Sprites): string[];
export type Context = CanvasRenderingContext2D;
export type Shape = Record<string, any>;
export type Sprites = (name: string) => CanvasImageSource | undefined;
/**
 * a shape that can be drawn
 */
export type Known = {
    /**
     * fields that must be finite numbers
     */
    numbers: string[];
    /**
     * says what is wrong, if anything
     */
    draw: (context: Context, shape: Shape, sprites: Sprites) => string | void;
};
