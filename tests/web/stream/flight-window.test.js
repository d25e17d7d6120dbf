import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createFlightWindow } from '../../../static/js/stream/flight-window.js';
import { FRAME, drag } from './network.js';

/** A window after replies that each took as long, one a frame. */
function after(roundTrip, { replies = 100, max = undefined, frame = FRAME } = {}) {
  const flights = createFlightWindow(max);
  for (let n = 0; n < replies; n++) {
    flights.framed(n * frame);
    flights.replied(n * frame, n * frame + roundTrip);
  }
  return flights;
}

test('one latent is in flight until a reply has told how far away the server is', () => {
  assert.equal(createFlightWindow().limit(), 1);
});

test('one is in flight where replies come within a frame, and as many as a round trip has frames, plus one', () => {
  const limits = [2, 20, 45, 90, 190, 1000].map((roundTrip) => after(roundTrip).limit());
  assert.deepEqual(limits, [1, 3, 4, 7, 13, 16]);
});

test('a screen with more frames a second has more in flight', () => {
  assert.equal(after(45, { frame: 1000 / 120 }).limit(), 7);
});

test('no more are in flight than the way takes', () => {
  assert.equal(after(200, { max: 6 }).limit(), 6);
});

test('replies that are late for two round trips halve the window, a single pause does not', () => {
  const flights = after(90);
  const start = 100 * FRAME;
  flights.replied(start, start + 400);
  assert.equal(flights.limit(), 7);
  flights.replied(start + 410, start + 500);
  assert.equal(flights.limit(), 7);
  flights.replied(start + 520, start + 920);
  flights.replied(start + 930, start + 1330);
  assert.equal(flights.limit(), 3);
});

test('a way that becomes longer gets the window of the longer way', () => {
  const flights = after(20);
  for (let n = 0; n < 300; n++) flights.replied(5000 + n * FRAME, 5090 + n * FRAME);
  assert.equal(flights.limit(), 7);
});

for (const [name, network] of Object.entries({
  'an even network': {},
  '20 ms of jitter': { jitter: 10 },
  '20 ms of jitter each way': { jitter: 20 },
  'pauses of 300 ms': { hasPauses: true },
  'jitter and pauses': { jitter: 10, hasPauses: true },
})) {
  test(`over ${name} a drag from afar has nine tenths of the images a second, two frames late at most`, () => {
    const near = drag({ ...network, jitter: 0, roundTrip: 0 });
    for (const roundTrip of [20, 50, 100, 200]) {
      const far = drag({ ...network, roundTrip });
      assert.ok(far.perSecond >= 0.9 * near.perSecond, `${far.perSecond} images a second at ${roundTrip} ms`);
      const lag = roundTrip + (network.jitter ?? 0) + 2 * FRAME;
      assert.ok(far.p95 <= lag, `95 % of the images within ${far.p95} ms at ${roundTrip} ms`);
    }
  });
}

test('a drag nearby has one latent in flight', () => {
  assert.equal(drag({ roundTrip: 0 }).greatest, 1);
});

test('no queue grows before a server that is slower than the drag', () => {
  for (const isInOrder of [true, false]) {
    for (const roundTrip of [0, 20, 100]) {
      const service = 50;
      const { perSecond, p95 } = drag({ roundTrip, service, isInOrder });
      assert.ok(perSecond >= 0.85 * (1000 / service), `${perSecond} images a second at ${roundTrip} ms`);
      assert.ok(p95 <= roundTrip + 4 * service, `95 % of the images within ${p95} ms at ${roundTrip} ms`);
    }
  }
});

test('images never go back, and the last is that of the point, though requests overtake each other', () => {
  const { sequences, shown, last } = drag({ roundTrip: 50, jitter: 60, isInOrder: false, seconds: 5 });
  assert.notDeepEqual(sequences, sequences.toSorted((a, b) => a - b));
  assert.deepEqual(shown, shown.toSorted((a, b) => a - b));
  assert.equal(last, 5 * 60 - 1);
});
