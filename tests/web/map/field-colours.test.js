import assert from 'node:assert/strict';
import { test } from 'node:test';
import { channels } from '../../../static/js/lib/theme.js';
import { formatShort, rampOf, tableOf } from '../../../static/js/map/field-colours.js';

/** CIE lightness of an sRGB colour, 0..100. */
function lightness(rgb) {
  const [r, g, b] = [...rgb].map((c) => (c / 255 <= 0.04045 ? c / 255 / 12.92 : ((c / 255 + 0.055) / 1.055) ** 2.4));
  const y = 0.2126 * r + 0.7152 * g + 0.0722 * b;
  return y > 0.008856 ? 116 * Math.cbrt(y) - 16 : 903.3 * y;
}

test('every ramp climbs in lightness on a dark ground, and falls on a light one, without a flat step', () => {
  for (const field of ['density', 'magnification', 'entropy']) {
    for (const isDark of [true, false]) {
      const table = tableOf(rampOf(field, isDark));
      const steps = Array.from({ length: 32 }, (_, i) => {
        const [from, to] = [Math.round((i * 255) / 32), Math.round(((i + 1) * 255) / 32)];
        return lightness(table.subarray(3 * to, 3 * to + 3)) - lightness(table.subarray(3 * from, 3 * from + 3));
      });
      assert.ok(steps.every((step) => (isDark ? step > 0.5 : step < -0.5)), `${field}: ${steps}`);
    }
  }
});

test('a table starts and ends with the ends of its ramp', () => {
  const table = tableOf(['#102030', '#ffffff', '#405060']);
  assert.deepEqual([...table.subarray(0, 3)], channels('#102030'));
  assert.deepEqual([...table.subarray(-3)], channels('#405060'));
});

test('numbers of a legend have three digits', () => {
  assert.deepEqual([0, 0.12345, 1234.5, 3.2e-7, -2].map(formatShort), ['0', '0.123', '1230', '3e−7', '−2']);
});
