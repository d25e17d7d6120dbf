import assert from 'node:assert/strict';
import { test } from 'node:test';
import { keepApart, outside } from '../../../static/js/map/label-layout.js';
import { near } from '../near.js';

test('a point under a panel moves to its nearest edge', () => {
  const sheet = { left: 100, top: 100, right: 300, bottom: 200 };
  assert.deepEqual(outside({ x: 110, y: 150 }, [sheet]), { x: 100, y: 150 });
  assert.deepEqual(outside({ x: 290, y: 150 }, [sheet]), { x: 300, y: 150 });
  assert.deepEqual(outside({ x: 200, y: 105 }, [sheet]), { x: 200, y: 100 });
  assert.deepEqual(outside({ x: 200, y: 190 }, [sheet]), { x: 200, y: 200 });
  assert.deepEqual(outside({ x: 50, y: 150 }, [sheet]), { x: 50, y: 150 });
});

test('names that would overlap are moved, others stay', () => {
  const [a, b, far] = keepApart([{ x: 0, y: 0 }, { x: 4, y: 3 }, { x: 100, y: 0 }], 20);
  near(Math.hypot(a.x - b.x, a.y - b.y), 20);
  near((a.x + b.x) / 2, 2, 'their middle stays:');
  assert.deepEqual(far, { x: 100, y: 0 });
});

test('two names at the same place are separated', () => {
  const [a, b] = keepApart([{ x: 5, y: 5 }, { x: 5, y: 5 }], 10);
  near(Math.hypot(a.x - b.x, a.y - b.y), 10);
});
