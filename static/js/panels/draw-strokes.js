/**
 * A drawing as strokes, so that the last can be taken back. No DOM but a context to paint on.
 *
 * @typedef {readonly number[]} Stroke  x0, y0, x1, y1, ... in units of the drawing's side, 0..1
 */

/** Width of the pen, of the drawing's side: that of the data set's digits. */
const PEN = 0.085;

/**
 * Paint strokes in white on black. The curve runs through the midpoints of the points, which are its
 * control points: smooth however few they are.
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
  pen.lineTo(stroke[last] * side, stroke[last + 1] * side);
}
