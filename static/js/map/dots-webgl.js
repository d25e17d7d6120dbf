/**
 * Paints dots in one draw call of WebGL 2.
 *
 * @typedef {import('../latent/atlas.js').Atlas} Atlas
 * @typedef {import('./dots.js').Painter} Painter
 */
import { channels } from '../lib/theme.js';

/** Names of renderers that run in software. */
const IN_SOFTWARE = /swiftshader|llvmpipe|softpipe|software|basic render/i;

const VERTEX = `#version 300 es
in vec2 foot;
in float label;
uniform vec2 centre; // of the window, in the plane: relative to it, float32 is finer than a pixel at any zoom
uniform vec2 scale; // clip units per latent unit
uniform vec4 colours[10];
uniform float radii[10];
flat out vec4 colour;
flat out float radius;
void main() {
  int i = int(label);
  colour = colours[i];
  radius = radii[i];
  gl_Position = vec4((foot - centre) * scale, 1.0 - colour.a, 1);
  gl_PointSize = 2.0 * radius + 2.0;
}`;

const FRAGMENT = `#version 300 es
precision highp float;
flat in vec4 colour;
flat in float radius;
out vec4 pixel;
void main() {
  float cover = clamp(radius + 0.5 - length(gl_PointCoord - 0.5) * (2.0 * radius + 2.0), 0.0, 1.0);
  if (cover == 0.0) discard;
  pixel = vec4(colour.rgb, 1) * colour.a * cover;
}`;

/** @returns {Painter | null}  null: there is no graphics card, or the browser does not allow its use */
export function createCardPainter() {
  const canvas = document.createElement('canvas');
  const gl = canvas.getContext('webgl2', { antialias: false, depth: true, failIfMajorPerformanceCaveat: true });
  if (!gl || isInSoftware(gl)) return null;
  const program = compiled(gl);
  if (!program) return null;
  /** @param {string} name */
  const uniform = (name) => gl.getUniformLocation(program, name);
  const [centre, scale, colours, radii] = ['centre', 'scale', 'colours', 'radii'].map(uniform);
  gl.useProgram(program);
  gl.enable(gl.BLEND);
  gl.blendFunc(gl.ONE, gl.ONE_MINUS_SRC_ALPHA);
  // Dots of labels that are filtered out lie below the others, whatever their order.
  gl.enable(gl.DEPTH_TEST);
  gl.depthFunc(gl.LEQUAL);
  /** @type {Atlas | null} */
  let loaded = null;
  const buffers = [gl.createBuffer(), gl.createBuffer()];

  /** @param {Atlas} atlas */
  function load(atlas) {
    if (!gl || !program || atlas === loaded) return;
    loaded = atlas;
    gl.bindBuffer(gl.ARRAY_BUFFER, buffers[0]);
    attribute(gl, program, 'foot', 2, gl.FLOAT, atlas.feet);
    gl.bindBuffer(gl.ARRAY_BUFFER, buffers[1]);
    attribute(gl, program, 'label', 1, gl.UNSIGNED_BYTE, atlas.codes.labels);
  }

  return {
    canvas,
    isLost: () => gl.isContextLost(),
    paint({ camera, width, height }, atlas, look, density) {
      const [w, h] = [Math.round(width * density), Math.round(height * density)];
      if (canvas.width !== w || canvas.height !== h) Object.assign(canvas, { width: w, height: h });
      load(atlas);
      gl.viewport(0, 0, w, h);
      gl.clearColor(0, 0, 0, 0);
      gl.clear(gl.COLOR_BUFFER_BIT | gl.DEPTH_BUFFER_BIT);
      gl.uniform2f(centre, (width / 2 - camera.x) / camera.scale, (camera.y - height / 2) / camera.scale);
      gl.uniform2f(scale, (2 * camera.scale) / width, (2 * camera.scale) / height);
      gl.uniform4fv(colours, look.colours.flatMap((colour, d) => [...channels(colour).map((c) => c / 255), look.alphas[d]]));
      gl.uniform1fv(radii, look.radii);
      gl.drawArrays(gl.POINTS, 0, atlas.codes.count);
    },
  };
}

/** @type {(gl: WebGL2RenderingContext) => boolean} */
function isInSoftware(gl) {
  const names = gl.getExtension('WEBGL_debug_renderer_info');
  return IN_SOFTWARE.test(`${gl.getParameter(names ? names.UNMASKED_RENDERER_WEBGL : gl.RENDERER)}`);
}

/** @type {(gl: WebGL2RenderingContext) => WebGLProgram | null} */
function compiled(gl) {
  const program = gl.createProgram();
  for (const [type, source] of /** @type {const} */ ([[gl.VERTEX_SHADER, VERTEX], [gl.FRAGMENT_SHADER, FRAGMENT]])) {
    const shader = gl.createShader(type);
    if (!shader || !program) return null;
    gl.shaderSource(shader, source);
    gl.compileShader(shader);
    gl.attachShader(program, shader);
  }
  gl.linkProgram(program);
  return gl.getProgramParameter(program, gl.LINK_STATUS) ? program : null;
}

/**
 * Fill the bound buffer with an attribute of each vertex.
 *
 * @type {(gl: WebGL2RenderingContext, program: WebGLProgram, name: string, size: number, type: number,
 *   data: ArrayBufferView) => void}
 */
function attribute(gl, program, name, size, type, data) {
  const location = gl.getAttribLocation(program, name);
  gl.bufferData(gl.ARRAY_BUFFER, /** @type {BufferSource} */ (data), gl.STATIC_DRAW);
  gl.enableVertexAttribArray(location);
  gl.vertexAttribPointer(location, size, type, false, 0, 0);
}
