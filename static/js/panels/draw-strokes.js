/**
 * A drawing as strokes, so that the last one can be undone. No DOM but a context to paint on.
 *
 * @typedef {readonly number[]} Stroke  x0, y0, x1, y1, ... relative to the drawing's side, 0..1
 */

/** Width of the pen relative to the drawing's side, as in MNIST's digits. */
const PEN = 0.085;
/** A canvas paints no line of length 0, so that a dot is a line of this many pixels. */
const DOT = 0.01;

/**
 * Paint strokes in white on black. The curve has the points for control points and passes through their midpoints, so
 * that even few points make a smooth curve.
 *
 * @param {CanvasRenderingContext2D} context
 * @param {readonly Stroke[]} strokes
 */
export function paintStrokes(context, strokes) {
  const side = context.canvas.width;
  context.fillStyle = '#000';
  context.fillRect(0, 0, side, side);
  context.strokeStyle = '#fff';
  context.lineWidth = PEN * side;
  context.lineCap = context.lineJoin = 'round';
  for (const stroke of strokes) {
    context.beginPath();
    trace(context, stroke, side);
    context.stroke();
  }
}

/**
 * Add a stroke to the current path.
 *
 * @param {Pick<CanvasRenderingContext2D, 'moveTo' | 'lineTo' | 'quadraticCurveTo'>} pen
 * @param {Stroke} stroke
 * @param {number} side
 */
export function trace(pen, stroke, side) {
  pen.moveTo(stroke[0] * side, stroke[1] * side);
  let i = 2;
  for (; i + 2 < stroke.length; i += 2) {
    const [x, y] = [stroke[i] * side, stroke[i + 1] * side];
    pen.quadraticCurveTo(x, y, (x + stroke[i + 2] * side) / 2, (y + stroke[i + 3] * side) / 2);
  }
  const last = i < stroke.length ? i : 0;
  pen.lineTo(stroke[last] * side + DOT, stroke[last + 1] * side);
}
