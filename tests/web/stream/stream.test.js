import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createStream } from '../../../static/js/stream/stream.js';

/** A socket at which a test sits at the other end. */
class Line {
  sent = [];
  isClosed = false;
  send(view) {
    this.sent.push(view.buffer.slice(view.byteOffset, view.byteOffset + view.byteLength));
  }
  close() {
    this.isClosed = true;
  }
  get numbers() {
    return this.sent.map((data) => Array.from(new Float32Array(data.slice(4))));
  }
  /** Answer the n-th message with an image all of one grey. */
  answer(n, grey) {
    const data = new ArrayBuffer(4 + 784);
    new Uint8Array(data, 0, 4).set(new Uint8Array(this.sent[n], 0, 4));
    new Uint8Array(data, 4).fill(grey);
    this.onmessage({ data });
  }
}

function open() {
  const lines = [];
  const frames = [];
  const connections = [];
  let clock = 0;
  let timers = new Map();
  let next = 1;
  let tasks = [];
  const stream = createStream({
    connect: () => lines[lines.push(new Line()) - 1],
    onFrame: (frame) => frames.push(frame),
    onConnection: (connection) => connections.push(connection),
    environment: {
      now: () => clock,
      later: (task, milliseconds) => {
        timers.set(next, { task, at: clock + milliseconds });
        return next++;
      },
      cancel: (timer) => timers.delete(timer),
      nextFrame: (task) => tasks.push(task),
    },
  });
  const pass = (milliseconds) => {
    const until = clock + milliseconds;
    for (;;) {
      const due = [...timers].filter(([, { at }]) => at <= until).sort((a, b) => a[1].at - b[1].at)[0];
      if (!due) break;
      timers.delete(due[0]);
      clock = due[1].at;
      due[1].task();
    }
    clock = until;
  };
  const show = () => tasks.splice(0).forEach((task) => task());
  return { stream, lines, frames, connections, pass, show, waiting: () => timers.size };
}

test('the newest latent offered before the connection opens is sent when it opens', () => {
  const { stream, lines, connections } = open();
  stream.offer([1, 2]);
  stream.offer([3, 4]);
  assert.deepEqual(lines[0].sent, []);
  lines[0].onopen();
  assert.deepEqual(lines[0].numbers, [[3, 4]]);
  assert.deepEqual(connections, ['connecting', 'open']);
});

test('at most one latent is in flight, and the newest waiting one wins', () => {
  const { stream, lines, show } = open();
  lines[0].onopen();
  for (let i = 1; i <= 5; i++) stream.offer([i, -i]);
  assert.deepEqual(lines[0].numbers, [[1, -1]]);
  show();
  assert.equal(lines[0].sent.length, 1, 'the first is still in flight');
  lines[0].answer(0, 10);
  assert.deepEqual(lines[0].numbers, [[1, -1], [5, -5]]);
  lines[0].answer(1, 50);
  show();
  assert.equal(lines[0].sent.length, 2, 'nothing goes out twice');
});

test('at most one latent is sent per frame, the newest', () => {
  const { stream, lines, show } = open();
  lines[0].onopen();
  for (let frame = 1; frame <= 60; frame++) {
    for (let i = 0; i < 16; i++) {
      stream.offer([frame, i]);
      if (i === 4) lines[0].answer(frame - 1, 0);
    }
    assert.equal(lines[0].sent.length, frame);
    show();
  }
  assert.deepEqual(lines[0].numbers.slice(0, 3), [[1, 0], [1, 15], [2, 15]]);
});

test('the last latent is sent even if no other follows', () => {
  const { stream, lines, show } = open();
  lines[0].onopen();
  stream.offer([1, 1]);
  lines[0].answer(0, 0);
  stream.offer([2, 2]);
  assert.equal(lines[0].sent.length, 1);
  show();
  assert.deepEqual(lines[0].numbers, [[1, 1], [2, 2]]);
});

test('waiting for a frame does not stop a lost connection from reconnecting', () => {
  const { stream, lines, pass, show } = open();
  lines[0].onopen();
  stream.offer([1, 1]);
  lines[0].onclose({ code: 1006 });
  show();
  pass(250);
  lines[1].onopen();
  assert.deepEqual(lines[1].numbers, [[1, 1]]);
});

test('waiting for a frame does not stop an unanswered connection from being given up', () => {
  const { stream, lines, pass, show } = open();
  lines[0].onopen();
  stream.offer([1, 1]);
  show();
  pass(10_000);
  assert.ok(lines[0].isClosed);
});

test('messages are a little-endian sequence number and float32 numbers', () => {
  const { stream, lines } = open();
  lines[0].onopen();
  stream.offer([0.5, -1.25]);
  const view = new DataView(lines[0].sent[0]);
  assert.equal(view.byteLength, 12);
  assert.equal(view.getUint32(0, true), 1);
  assert.equal(view.getFloat32(4, true), 0.5);
  assert.equal(view.getFloat32(8, true), -1.25);
});

test('a frame has its pixels, the start of its gesture and its round trip', () => {
  const { stream, lines, frames, pass } = open();
  lines[0].onopen();
  pass(100);
  stream.offer([0, 0], 93);
  pass(7);
  lines[0].answer(0, 200);
  assert.equal(frames.length, 1);
  assert.equal(frames[0].pixels.length, 784);
  assert.ok(frames[0].pixels.every((pixel) => pixel === 200));
  assert.equal(frames[0].startedAt, 93);
  assert.equal(frames[0].roundTrip, 7);
});

test('a reply with an unknown sequence number is ignored', () => {
  const { stream, lines, frames } = open();
  lines[0].onopen();
  stream.offer([0, 0]);
  lines[0].answer(0, 1);
  lines[0].answer(0, 2);
  assert.equal(frames.length, 1);
});

test('a lost connection is reported, reconnects and repeats the unanswered latent', () => {
  const { stream, lines, connections, pass } = open();
  lines[0].onopen();
  stream.offer([1, 1]);
  lines[0].onclose({ code: 1006 });
  assert.equal(connections.at(-1), 'reconnecting');
  pass(250);
  assert.equal(lines.length, 2);
  lines[1].onopen();
  assert.equal(connections.at(-1), 'open');
  assert.deepEqual(lines[1].numbers, [[1, 1]]);
});

test('a latent offered while disconnected replaces the lost one', () => {
  const { stream, lines, pass } = open();
  lines[0].onopen();
  stream.offer([1, 1]);
  lines[0].onclose({ code: 1006 });
  stream.offer([2, 2]);
  pass(250);
  lines[1].onopen();
  assert.deepEqual(lines[1].numbers, [[2, 2]]);
});

test('a connection that does not answer is given up', () => {
  const { stream, lines, connections, pass } = open();
  lines[0].onopen();
  stream.offer([1, 1]);
  pass(10_000);
  assert.ok(lines[0].isClosed);
  assert.equal(connections.at(-1), 'reconnecting');
});

test('an idle connection stays open', () => {
  const { lines, connections, pass } = open();
  lines[0].onopen();
  pass(3_600_000);
  assert.equal(connections.at(-1), 'open');
  assert.equal(lines.length, 1);
});

test('a connection that the server closed as idle opens again with the next latent', () => {
  const { stream, lines, connections, pass } = open();
  lines[0].onopen();
  lines[0].onclose({ code: 1000 });
  pass(3_600_000);
  assert.equal(lines.length, 1);
  assert.equal(connections.at(-1), 'open', 'nobody need hear of it');
  stream.offer([1, 1]);
  stream.offer([2, 2]);
  assert.equal(lines.length, 2);
  lines[1].onopen();
  assert.deepEqual(lines[1].numbers, [[2, 2]]);
});

test('a connection that closes as idle with a latent in flight counts as lost', () => {
  const { stream, lines, pass } = open();
  lines[0].onopen();
  stream.offer([1, 1]);
  lines[0].onclose({ code: 1000 });
  pass(250);
  lines[1].onopen();
  assert.deepEqual(lines[1].numbers, [[1, 1]]);
});

test('reconnecting skips the pause, and never opens a second connection', () => {
  const { stream, lines, pass } = open();
  lines[0].onopen();
  stream.reconnect();
  assert.equal(lines.length, 1);
  lines[0].onclose({ code: 1006 });
  stream.reconnect();
  assert.equal(lines.length, 2);
  pass(5000);
  assert.equal(lines.length, 2);
});

test('a closed stream leaves nothing behind', () => {
  const { stream, lines, waiting } = open();
  lines[0].onopen();
  stream.offer([1, 1]);
  stream.close();
  assert.ok(lines[0].isClosed);
  assert.equal(waiting(), 0);
});
