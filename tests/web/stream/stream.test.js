import assert from 'node:assert/strict';
import { test } from 'node:test';
import { open } from './fakes.js';

test('the newest latent offered before the connection opens is sent when it opens', () => {
  const { stream, lines, connections } = open();
  stream.offer([1, 2]);
  stream.offer([3, 4]);
  assert.deepEqual(lines[0].sent, []);
  lines[0].onopen();
  assert.deepEqual(lines[0].numbers, [[3, 4]]);
  assert.deepEqual(connections, ['connecting', 'open']);
});

test('one latent is in flight at first, and the newest waiting one wins', () => {
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
  pass(3000);
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

test('a reply frees what was sent before it, because the server skips a latent for a newer one', () => {
  const { stream, lines, frames, pass, show } = open();
  lines[0].onopen();
  for (let n = 0; n < 4; n++) {
    stream.offer([n, 0]);
    pass(40);
    lines[0].answer(n, n);
    show();
  }
  for (let n = 4; n < 8; n++) {
    stream.offer([n, 0]);
    show();
  }
  assert.equal(lines[0].sent.length, 8, 'four are in flight');
  stream.offer([8, 0]);
  show();
  assert.equal(lines[0].sent.length, 8);
  lines[0].answer(7, 70);
  assert.deepEqual(lines[0].numbers.at(-1), [8, 0]);
  lines[0].answer(5, 50);
  assert.equal(frames.at(-1).pixels[0], 70, 'an older image does not replace it');
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
  pass(2999);
  assert.equal(lines.length, 2);
});

test('a stream that is cut every five seconds opens again at once, each time', () => {
  const { stream, lines, requests, connections, pass } = open();
  stream.offer([0, 0]);
  for (let n = 0; n < 10; n++) {
    lines[n].onopen();
    stream.offer([n, 0]);
    lines[n].answer(0, 0);
    pass(5000);
    lines[n].onclose({ code: 1006 });
    pass(250);
    assert.equal(lines.length, n + 2);
  }
  assert.equal(requests.length, 0);
  assert.ok(!connections.includes('http'));
});

test('a closed stream leaves nothing behind', () => {
  const { stream, lines, show, waiting } = open();
  lines[0].onopen();
  stream.offer([1, 1]);
  lines[0].answer(0, 1);
  stream.offer([2, 2]);
  stream.close();
  show();
  assert.ok(lines[0].isClosed);
  assert.equal(lines[0].sent.length, 1);
  assert.equal(waiting(), 0);
});
