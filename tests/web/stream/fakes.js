/** What a stream of latents meets in a test: sockets, requests, a clock and the frames of a screen. */
import { ApiError } from '../../../static/js/api.js';
import { createStream } from '../../../static/js/stream/stream.js';
import { Clock, settled } from './clock.js';

/** A socket at which a test sits at the other end. */
export class Line {
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

/** A stream of latents to a server that the test plays. */
export function open() {
  const lines = [];
  const requests = [];
  const frames = [];
  const connections = [];
  const behind = [];
  const clock = new Clock();
  let tasks = [];
  const stream = createStream({
    connect: () => lines[lines.push(new Line()) - 1],
    decode: (latent, signal) =>
      new Promise((resolve, reject) => {
        const answer = (grey) => (resolve(new Uint8Array(784).fill(grey)), settled());
        const fail = (retryAfter) => (reject(new ApiError('no', retryAfter)), settled());
        signal.addEventListener('abort', () => reject(signal.reason));
        requests.push({ latent, signal, answer, fail });
      }),
    maxRequests: 6,
    onFrame: (frame) => frames.push(frame),
    onConnection: (connection) => connections.push(connection),
    onBehind: (isBehind) => behind.push(isBehind),
    environment: {
      now: clock.now,
      later: clock.later,
      cancel: clock.cancel,
      nextFrame: (task) => tasks.push(task),
    },
  });
  const pass = (milliseconds) => clock.pass(milliseconds);
  const show = () => tasks.splice(0).forEach((task) => task(clock.now()));
  return { stream, lines, requests, frames, connections, behind, pass, show, waiting: () => clock.waiting };
}

/** The same, once two handshakes have failed with a latent waiting. */
export function openOverHttp() {
  const page = open();
  page.stream.offer([1, 1]);
  page.lines[0].onclose({ code: 1006 });
  page.pass(250);
  page.lines[1].onclose({ code: 1006 });
  return page;
}
