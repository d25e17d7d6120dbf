import assert from 'node:assert/strict';
import { test } from 'node:test';
import { describeZoom } from '../../../static/js/map/zoom-step.js';

test('a zoom is told with two digits, and as the whole map where it is that', () => {
  assert.match(describeZoom(1.0004), /whole map/);
  assert.match(describeZoom(2), /at 2 times/);
  assert.match(describeZoom(0.4567), /at 0\.46 times/);
  assert.match(describeZoom(256), /at 260 times/);
});
