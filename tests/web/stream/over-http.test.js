import assert from 'node:assert/strict';
import { test } from 'node:test';
import { settled } from './clock.js';
import { open, openOverHttp } from './fakes.js';

test('after two handshakes that failed the newest latent is asked for over HTTP', async () => {
  const { stream, lines, requests, frames, connections, show } = openOverHttp();
  assert.deepEqual(requests.map(({ latent }) => latent), [[1, 1]]);
  await requests[0].answer(10);
  assert.equal(frames[0].pixels[0], 10);
  assert.deepEqual(connections, ['connecting', 'http'], 'nothing was lost that had been there');
  stream.offer([2, 2]);
  stream.offer([3, 3]);
  show();
  assert.deepEqual(requests.map(({ latent }) => latent), [[1, 1], [3, 3]]);
  assert.equal(lines.length, 2);
});

test('a stream that does not open within three seconds is given up for HTTP', () => {
  const { stream, lines, requests, pass } = open();
  stream.offer([1, 1]);
  pass(3000);
  assert.ok(lines[0].isClosed);
  assert.deepEqual(requests.map(({ latent }) => latent), [[1, 1]]);
});

test('a stream that falls silent in a drag is given up for HTTP', () => {
  const { stream, lines, requests, pass, show } = open();
  lines[0].onopen();
  stream.offer([1, 1]);
  lines[0].answer(0, 1);
  show();
  pass(60_000);
  assert.equal(requests.length, 0, 'a point that rests asks for nothing');
  stream.offer([2, 2]);
  pass(3000);
  assert.deepEqual(requests.map(({ latent }) => latent), [[2, 2]]);
});

test('streams that open and never answer are tried with the newest latent, and nobody notices', async () => {
  const { stream, lines, requests, frames, connections, pass, show } = open();
  stream.offer([1, 1]);
  lines[0].onopen();
  pass(3000);
  assert.ok(lines[0].isClosed);
  await requests[0].answer(1);
  show();
  for (let n = 1; n < 8; n++) {
    while (lines.length === n) pass(250);
    lines[n].onopen();
    assert.deepEqual(lines[n].numbers, [[n, n]]);
    stream.offer([n + 1, n + 1]);
    show();
    await requests.at(-1).answer(n + 1);
    show();
    assert.equal(frames.at(-1).pixels[0], n + 1);
    pass(3000);
    assert.ok(lines[n].isClosed);
    await requests.at(-1).answer(n + 1);
    show();
  }
  assert.deepEqual(connections, ['connecting', 'open', 'reconnecting', 'http']);
});

test('a stream that answers takes over from HTTP', async () => {
  const { stream, lines, requests, frames, connections, pass, show } = openOverHttp();
  await requests[0].answer(10);
  show();
  pass(500);
  lines[2].onopen();
  assert.equal(connections.at(-1), 'http', 'opening alone proves nothing');
  stream.offer([2, 2]);
  lines[2].answer(0, 10);
  assert.equal(connections.at(-1), 'open');
  assert.ok(requests[1].signal.aborted);
  assert.deepEqual(lines[2].numbers, [[1, 1], [2, 2]], 'what was asked over HTTP is asked again');
  lines[2].answer(1, 20);
  assert.equal(frames.at(-1).pixels[0], 20);
});

test('while the page works over HTTP the pauses between streams double, up to about a minute', async () => {
  const { lines, requests, pass } = openOverHttp();
  await requests[0].answer(10);
  for (const pause of [500, 1000, 2000, 4000, 8000, 16_000, 32_000, 64_000, 64_000]) {
    const before = lines.length;
    pass(pause - 1);
    assert.equal(lines.length, before, `too early within ${pause} ms`);
    pass(1);
    assert.equal(lines.length, before + 1, `not tried after ${pause} ms`);
    lines.at(-1).onclose({ code: 1006 });
  }
});

test('where a stream fails over HTTP, a point that rests is asked for once more, to hear of a lost server', async () => {
  const { lines, requests, connections, pass, show } = openOverHttp();
  await requests[0].answer(10);
  show();
  pass(500);
  assert.equal(requests.length, 1);
  lines[2].onclose({ code: 1006 });
  assert.deepEqual(requests[1].latent, [1, 1]);
  await requests[1].fail();
  assert.deepEqual(connections, ['connecting', 'http', 'reconnecting']);
});

test('over HTTP an image that was overtaken by a newer one is not shown', async () => {
  const { stream, requests, frames, pass, show } = openOverHttp();
  pass(100);
  await requests[0].answer(1);
  show();
  for (const n of [2, 3]) {
    stream.offer([n, n]);
    show();
  }
  await requests[2].answer(3);
  await requests[1].answer(2);
  assert.deepEqual(frames.map(({ pixels }) => pixels[0]), [1, 3]);
});

test('at most so many requests are in flight as the browser sends at once', async () => {
  const { stream, requests, pass, show } = openOverHttp();
  for (let n = 0; n < 10; n++) {
    pass(400);
    await requests.at(-1).answer(n);
    stream.offer([n, n]);
    show();
  }
  const before = requests.length;
  for (let n = 0; n < 20; n++) {
    stream.offer([n, -n]);
    show();
  }
  assert.equal(requests.length, before + 5, 'one was in flight before');
});

test('a busy server is asked for the newest latent again after the time that it names', async () => {
  const { stream, requests, connections, pass, show } = openOverHttp();
  await requests[0].answer(1);
  show();
  stream.offer([2, 2]);
  await requests[1].fail(5);
  stream.offer([3, 3]);
  show();
  pass(4999);
  assert.equal(requests.length, 2);
  pass(1);
  assert.deepEqual(requests.map(({ latent }) => latent), [[1, 1], [2, 2], [3, 3]]);
  assert.equal(connections.at(-1), 'http', 'a busy server is not lost');
});

test('a latent whose request failed is asked for again, if no newer one waits', async () => {
  const { requests, pass } = openOverHttp();
  await requests[0].fail(null);
  pass(250);
  assert.deepEqual(requests.map(({ latent }) => latent), [[1, 1], [1, 1]]);
});

test('a server that goes away is tried both ways, and the stream at once when HTTP answers again', async () => {
  const { lines, requests, connections, pass, show } = openOverHttp();
  for (const pause of [250, 500, 1000, 2000, 4000, 8000, 8000]) {
    const before = requests.length;
    await requests.at(-1).fail(null);
    assert.equal(connections.at(-1), 'reconnecting');
    pass(pause - 1);
    assert.equal(requests.length, before, `too early within ${pause} ms`);
    pass(1);
    assert.equal(requests.length, before + 1, `not tried after ${pause} ms`);
  }
  lines.at(-1).onclose?.({ code: 1006 });
  const before = lines.length;
  await requests.at(-1).answer(1);
  show();
  assert.equal(connections.at(-1), 'http');
  assert.equal(lines.length, before + 1);
  lines.at(-1).onopen();
  lines.at(-1).answer(0, 1);
  assert.equal(connections.at(-1), 'open');
});

test('a request without an answer for ten seconds has failed', () => {
  const { requests, connections, pass } = openOverHttp();
  pass(10_000);
  assert.ok(requests[0].signal.aborted);
  assert.equal(connections.at(-1), 'reconnecting');
});

test('reconnecting tries HTTP at once, too', async () => {
  const { stream, lines, requests } = openOverHttp();
  await requests[0].fail(null);
  stream.reconnect();
  assert.equal(requests.length, 2);
  assert.equal(lines.length, 3);
});

test('a closed stream leaves no request behind', async () => {
  const { stream, requests, waiting } = openOverHttp();
  stream.close();
  assert.ok(requests[0].signal.aborted);
  await settled();
  assert.equal(waiting(), 0);
});
