import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createGesture } from '../../../static/js/map/gesture.js';

const at = (x, y, time = 0, id = 1) => ({ id, x, y, time });
const NOTHING = { kind: 'none' };

test('a press that does not move is a tap', () => {
  const gesture = createGesture();
  assert.deepEqual(gesture.down(at(50, 60), 'map', 'mouse'), NOTHING);
  assert.deepEqual(gesture.move(at(52, 61, 30)), NOTHING);
  const tap = { kind: 'tap', place: { x: 52, y: 61 }, isOnRing: false, isSecond: false };
  assert.deepEqual(gesture.up(at(52, 61, 90)), tap);
});

test('a press that moves pans by its whole distance, and is no tap', () => {
  const gesture = createGesture();
  gesture.down(at(50, 60), 'map', 'mouse');
  gesture.move(at(53, 60, 10));
  assert.deepEqual(gesture.move(at(60, 62, 20)), { kind: 'pan', dx: 10, dy: 2 });
  assert.deepEqual(gesture.move(at(61, 60, 30)), { kind: 'pan', dx: 1, dy: -2 });
  assert.ok(gesture.isMoving());
  assert.notEqual(gesture.up(at(61, 60, 500)).kind, 'tap');
  assert.ok(!gesture.isMoving());
});

test('a tap by finger may move farther than one by mouse', () => {
  const gesture = createGesture();
  gesture.down(at(50, 60), 'map', 'touch');
  gesture.move(at(56, 64, 10));
  assert.equal(gesture.up(at(56, 64, 80)).kind, 'tap');
});

test('two quick taps at one place are a double tap, and a third starts over', () => {
  const gesture = createGesture();
  const taps = [0, 200, 400, 1400].map((time) => {
    gesture.down(at(50, 60, time), 'map', 'mouse');
    return gesture.up(at(50, 60, time + 60)).isSecond;
  });
  assert.deepEqual(taps, [false, true, false, false]);
});

test('two taps at different places are no double tap', () => {
  const gesture = createGesture();
  gesture.down(at(50, 60, 0), 'map', 'mouse');
  gesture.up(at(50, 60, 50));
  gesture.down(at(150, 60, 100), 'map', 'mouse');
  assert.equal(gesture.up(at(150, 60, 150)).isSecond, false);
});

test('a pointer on the ring neither pans nor flicks; without moving it taps the ring', () => {
  const gesture = createGesture();
  gesture.down(at(50, 60), 'ring', 'mouse');
  assert.deepEqual(gesture.move(at(90, 60, 20)), NOTHING);
  assert.deepEqual(gesture.move(at(50, 60, 40)), NOTHING);
  assert.deepEqual(gesture.up(at(50, 60, 60)), NOTHING, 'it has been away:');
  gesture.down(at(50, 60, 100), 'ring', 'mouse');
  assert.equal(gesture.up(at(50, 60, 120)).isOnRing, true);
});

test('a second finger starts a pinch, even if the first is on the ring', () => {
  for (const on of ['map', 'ring']) {
    const gesture = createGesture();
    gesture.down(at(100, 100, 0, 1), on, 'touch');
    assert.deepEqual(gesture.down(at(200, 100, 10, 2), 'map', 'touch'), { kind: 'grasp', ids: [1, 2] });
    assert.deepEqual(gesture.move(at(220, 100, 20, 2)), {
      kind: 'pinch',
      before: [{ x: 100, y: 100 }, { x: 200, y: 100 }],
      after: [{ x: 100, y: 100 }, { x: 220, y: 100 }],
    });
    assert.deepEqual(gesture.up(at(220, 100, 30, 2)), NOTHING);
    assert.deepEqual(gesture.move(at(104, 100, 40, 1)), { kind: 'pan', dx: 4, dy: 0 }, 'the other finger pans on:');
  }
});

test('a third finger changes nothing', () => {
  const gesture = createGesture();
  for (const id of [1, 2, 3]) gesture.down(at(100 * id, 100, 0, id), 'map', 'touch');
  assert.deepEqual(gesture.move(at(0, 0, 9, 3)), NOTHING);
  assert.deepEqual(gesture.up(at(0, 0, 9, 3)), NOTHING);
  assert.equal(gesture.move(at(110, 100, 9, 1)).kind, 'pinch');
});

test('a release in motion flicks at the speed of the last moments', () => {
  const gesture = createGesture();
  gesture.down(at(0, 0), 'map', 'touch');
  for (let time = 10; time <= 300; time += 10) gesture.move(at(time < 200 ? 0 : 2 * (time - 200), 0, time));
  const { kind, vx, vy } = gesture.up(at(200, 0, 300));
  assert.equal(kind, 'flick');
  assert.ok(Math.abs(vx - 2) < 0.01 && vy === 0);
});

test('a release after a rest does not flick', () => {
  const gesture = createGesture();
  gesture.down(at(0, 0), 'map', 'touch');
  gesture.move(at(80, 0, 40));
  assert.deepEqual(gesture.up(at(80, 0, 400)), NOTHING);
});

test('a cancelled gesture means nothing', () => {
  const gesture = createGesture();
  gesture.down(at(0, 0), 'map', 'touch');
  assert.deepEqual(gesture.up(at(0, 0, 20), true), NOTHING);
  assert.deepEqual(gesture.move(at(90, 90, 30)), NOTHING);
});
