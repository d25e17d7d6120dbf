import assert from 'node:assert/strict';
import { test } from 'node:test';
import { contains } from '../../../static/js/latent/box.js';
import {
  between, boxOf, fit, fitAround, framingOf, GLIDE, glide, lookingAt, pan, pinch, planeU, planeV, screenX, screenY, within, zoomAbout,
} from '../../../static/js/map/camera.js';
import { near } from '../near.js';

const BOX = { u0: -3, v0: -2, u1: 5, v1: 4 };
const CLEAR = { left: 40, top: 20, right: 840, bottom: 920 };

/** Numbers that look random and are the same in every run. */
function* numbers(count, low, high) {
  let seed = 12345;
  for (let i = 0; i < count; i++) {
    seed = (Math.imul(seed, 1103515245) + 12345) >>> 0;
    yield low + (seed / 2 ** 32) * (high - low);
  }
}

const CAMERAS = [...numbers(60, 0.01, 1)].map((r, i) => ({
  x: 900 * r,
  y: 700 - 900 * r,
  scale: 40 * 300 ** ((i % 7) / 7),
}));

const EYE = { x: 440, y: 470 };
const LIMITS = { minScale: 50, maxScale: 20_000, bounds: BOX, eye: EYE };

const same = (a, b, message) => {
  near(a.x / 1e4, b.x / 1e4, message);
  near(a.y / 1e4, b.y / 1e4, message);
  near(a.scale / b.scale, 1, message);
};

test('a point of the plane survives the way to the screen and back', () => {
  const camera = fit(BOX, CLEAR);
  for (const [u, v] of [[0, 0], [-3, 4], [1.25, -0.7], [123.4, -567.8]]) {
    near(planeU(camera, screenX(camera, u)), u);
    near(planeV(camera, screenY(camera, v)), v);
  }
});

test('a fitted box is whole, centred and as large as possible in the clear part of the screen', () => {
  const camera = fit(BOX, CLEAR);
  near(camera.scale, 100, 'the 8 units of width take all 800 pixels:');
  near(screenX(camera, -3), 40);
  near(screenX(camera, 5), 840);
  near(screenY(camera, 4) - 20, 920 - screenY(camera, -2), 'as much room above as below:');
});

/** A square of content of one unit, in the middle of a box of six. */
const SQUARE = { u0: -3, v0: -3, u1: 3, v1: 3 };
const contentIn = ({ u0, v0, u1, v1 }) =>
  Math.max(0, Math.min(u1, 1) - Math.max(u0, -1)) * Math.max(0, Math.min(v1, 1) - Math.max(v0, -1));

test('a box is fitted as large as it can be with none of what it holds under a card', () => {
  const free = { left: 0, top: 0, right: 600, bottom: 600 };
  same(fitAround(SQUARE, free, [], contentIn, 0), fit(SQUARE, free), 'without cards it fills the screen:');
  const corner = { left: 0, top: 0, right: 190, bottom: 190 };
  same(fitAround(SQUARE, free, [corner], contentIn, 0), fit(SQUARE, free), 'a card over nothing is no card:');
  const card = { left: 0, top: 0, right: 300, bottom: 250 };
  const camera = fitAround(SQUARE, free, [card], contentIn, 0);
  assert.equal(contentIn(boxOf(camera, card)), 0);
  assert.ok(camera.scale > 80, `${camera.scale} pixels a unit, of 100 without the card`);
});

test('where cards leave no room, the least is under them', () => {
  const free = { left: 0, top: 0, right: 600, bottom: 600 };
  const cards = [{ left: 0, top: 0, right: 600, bottom: 580 }];
  const camera = fitAround(SQUARE, free, cards, contentIn, 0);
  const hidden = contentIn(boxOf(camera, cards[0]));
  assert.ok(hidden < contentIn(boxOf(fit(SQUARE, free), cards[0])) || camera.scale === 100);
});

test('v grows upwards: what is higher in the plane is higher on the screen', () => {
  const camera = fit(BOX, CLEAR);
  assert.ok(screenY(camera, 1) < screenY(camera, 0));
});

test('a panel that leaves no room still leaves a camera', () => {
  const camera = fit(BOX, { left: 100, top: 100, right: 50, bottom: 100 });
  assert.ok(camera.scale > 0 && Number.isFinite(camera.x) && Number.isFinite(camera.y));
});

test('the box of a rectangle is what the camera shows in it', () => {
  const camera = fit(BOX, CLEAR);
  const shown = boxOf(camera, CLEAR);
  near(shown.u0, -3);
  near(shown.u1, 5);
  near(shown.v1 - shown.v0, 9, '900 pixels at 100 a unit:');
});

test('zooming about a place keeps the point under it', () => {
  for (const camera of CAMERAS) {
    for (const factor of [0.3, 0.99, 1, 1.7, 25]) {
      const place = { x: camera.y, y: camera.x };
      const zoomed = zoomAbout(camera, factor, place);
      near(planeU(zoomed, place.x), planeU(camera, place.x));
      near(planeV(zoomed, place.y), planeV(camera, place.y));
      near(zoomed.scale, camera.scale * factor);
    }
  }
});

test('zooming and panning back restores the camera', () => {
  for (const camera of CAMERAS) {
    same(zoomAbout(zoomAbout(camera, 3.7, EYE), 1 / 3.7, EYE), camera);
    same(pan(pan(camera, 31.5, -7), -31.5, 7), camera);
  }
});

test('panning moves every point by the same pixels', () => {
  for (const camera of CAMERAS) {
    const moved = pan(camera, 12, -30);
    near(screenX(moved, 1.5) - screenX(camera, 1.5), 12);
    near(screenY(moved, 1.5) - screenY(camera, 1.5), -30);
  }
});

test('however the camera is moved, the eye is over the map and the scale within its limits', () => {
  for (const camera of CAMERAS) {
    for (const factor of [1e-4, 1, 1e4]) {
      const kept = within(zoomAbout(pan(camera, 5000 - camera.x, 3 * camera.y), factor, EYE), LIMITS);
      assert.ok(kept.scale >= LIMITS.minScale * 0.999 && kept.scale <= LIMITS.maxScale * 1.001);
      const { u, v } = { u: planeU(kept, EYE.x), v: planeV(kept, EYE.y) };
      assert.ok(contains({ u0: -3.001, v0: -2.001, u1: 5.001, v1: 4.001 }, { u, v }), `${u}, ${v}`);
      same(within(kept, LIMITS), kept, 'keeping twice is keeping once:');
    }
  }
});

test('a camera within its limits is left alone', () => {
  const camera = lookingAt({ u: 1, v: -1 }, 300, EYE);
  same(within(camera, LIMITS), camera);
});

test('a pinch keeps the points under both fingers', () => {
  const camera = lookingAt({ u: 1, v: 1 }, 200, EYE);
  const before = [{ x: 400, y: 400 }, { x: 500, y: 500 }];
  const after = [{ x: 380, y: 430 }, { x: 580, y: 630 }];
  const pinched = pinch(camera, before, after, LIMITS);
  near(pinched.scale, 400, 'they are twice as far apart:');
  for (const [i, finger] of before.entries()) {
    near(planeU(pinched, after[i].x), planeU(camera, finger.x));
    near(planeV(pinched, after[i].y), planeV(camera, finger.y));
  }
});

test('a pinch beyond the limits still keeps the midpoint', () => {
  const camera = lookingAt({ u: 1, v: 1 }, 15_000, EYE);
  const pinched = pinch(camera, [{ x: 430, y: 470 }, { x: 450, y: 470 }], [{ x: 240, y: 470 }, { x: 640, y: 470 }], LIMITS);
  near(pinched.scale, LIMITS.maxScale);
  near(planeU(pinched, 440), planeU(camera, 440));
});

test('two fingers at one place do not break the camera', () => {
  const place = { x: 10, y: 10 };
  const { x, y, scale } = pinch(CAMERAS[0], [place, place], [place, place], LIMITS);
  assert.ok([x, y, scale].every(Number.isFinite));
});

test('a flight starts at one camera, ends at the other, and zooms about their common point', () => {
  for (const [i, from] of CAMERAS.slice(1).entries()) {
    const to = CAMERAS[i];
    same(between(from, to, 0), from);
    same(between(from, to, 1), to);
    near(between(from, to, 0.5).scale / Math.sqrt(from.scale * to.scale), 1);
  }
  const zoomed = zoomAbout(CAMERAS[3], 5, { x: 70, y: 90 });
  near(planeU(between(CAMERAS[3], zoomed, 0.3), 70), planeU(zoomed, 70));
  same(between(CAMERAS[0], pan(CAMERAS[0], 8, -4), 0.25), pan(CAMERAS[0], 2, -1));
});

test('a framing is independent of the screen, and restores its camera on the same one', () => {
  const whole = fit(BOX, CLEAR);
  for (const camera of CAMERAS) {
    const { u, v, zoom } = framingOf(camera, whole, EYE);
    same(lookingAt({ u, v }, zoom * whole.scale, EYE), camera);
  }
  assert.equal(framingOf(whole, whole, EYE).zoom, 1);
});

test('a glide starts at its speed, slows down steadily and ends', () => {
  near(glide(0.8, 1e-9) / 1e-9, 0.8, 'speed at first:');
  const distances = Array.from({ length: 40 }, (_, i) => glide(1, 25 * i));
  const steps = distances.slice(1).map((distance, i) => distance - distances[i]);
  assert.ok(steps.every((step, i) => step > 0 && (i === 0 || step < steps[i - 1])));
  assert.ok(glide(1, 1e6) <= GLIDE && glide(1, 1e6) > 0.99 * GLIDE);
});
