import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BEHIND_MILLISECONDS } from '../../../static/js/stream/behind.js';
import { open, openOverHttp } from './fakes.js';
import { drag } from './network.js';

/** A page whose image is that of its point. */
function openAtRest() {
  const page = open();
  page.lines[0].onopen();
  page.stream.offer([0, 0]);
  page.lines[0].answer(0, 0);
  page.show();
  return page;
}

test('within a second of a point without an image the page hears of it, and again when the image comes', () => {
  const { stream, lines, behind, pass } = openAtRest();
  stream.offer([1, 1]);
  pass(BEHIND_MILLISECONDS - 1);
  assert.deepEqual(behind, []);
  pass(1);
  assert.deepEqual(behind, [true]);
  assert.ok(BEHIND_MILLISECONDS < 1000);
  lines[0].answer(1, 1);
  assert.deepEqual(behind, [true, false]);
});

test('a point that rests at its image is never behind', () => {
  const { stream, lines, behind, pass } = openAtRest();
  pass(60_000);
  stream.offer([1, 1]);
  pass(100);
  lines[0].answer(1, 1);
  pass(60_000);
  assert.deepEqual(behind, []);
});

test('a drag without replies is behind from where it began, not from where it is now', () => {
  const { stream, behind, pass, show } = openAtRest();
  for (let time = 0; time < BEHIND_MILLISECONDS; time += 16) {
    stream.offer([time, 0]);
    show();
    pass(16);
  }
  assert.deepEqual(behind, [true]);
});

test('a point stays behind over the loss of its stream, and on the way that follows', async () => {
  const { lines, stream, requests, behind, pass } = openAtRest();
  stream.offer([1, 1]);
  pass(500);
  lines[0].onclose({ code: 1006 });
  pass(250);
  lines[1].onclose({ code: 1006 });
  pass(500);
  lines[2].onclose({ code: 1006 });
  assert.deepEqual(behind, [true]);
  await requests.at(-1).answer(1);
  assert.deepEqual(behind, [true, false]);
});

test('a point that is asked for again only to hear of a lost server is not behind: its image is shown', async () => {
  const { lines, requests, behind, pass, show } = openOverHttp();
  await requests[0].answer(10);
  show();
  pass(500);
  lines[2].onclose({ code: 1006 });
  assert.equal(requests.length, 2);
  pass(9000);
  assert.deepEqual(behind, []);
});

test('a drag from afar is not behind while its images follow, however long it takes', () => {
  assert.deepEqual(drag({ roundTrip: 200, jitter: 40, hasPauses: true }).behind, []);
});

test('a drag whose images come, but too late, is behind until the last has come', () => {
  assert.deepEqual(drag({ roundTrip: 1200, seconds: 4 }).behind, [true, false]);
});
