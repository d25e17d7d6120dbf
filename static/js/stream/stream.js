/**
 * Latents out, images back, over a WebSocket. At most one is in flight and one goes out a frame of the screen, for a
 * second image would cover the first before anybody saw it. The newest wins: what is offered meanwhile replaces whatever
 * was waiting. Reconnects by itself; after the server has closed a stream that lay idle, with the next latent. No DOM.
 *
 * Both ways are little-endian binary: uint32 sequence + D float32 out, the same uint32 + 784 uint8 back.
 *
 * @typedef {'connecting' | 'open' | 'reconnecting'} Connection
 *
 * @typedef {object} Frame
 * @property {Uint8Array} pixels  784 grey levels, row by row
 * @property {number} startedAt  when the gesture began that asked for it, in `now()` milliseconds
 * @property {number} roundTrip  milliseconds from send to reply
 *
 * @typedef {Pick<WebSocket, 'binaryType' | 'send' | 'close' | 'onopen' | 'onmessage' | 'onclose'>} Socket
 *
 * @typedef {object} Surroundings  what a test replaces
 * @property {() => number} now
 * @property {(task: () => void, milliseconds: number) => number} later
 * @property {(timer: number) => void} cancel
 * @property {(task: () => void) => void} nextFrame  when the screen shows what has come
 *
 * @typedef {object} Stream
 * @property {(latent: readonly number[], startedAt?: number) => void} offer
 * @property {() => void} retry  connect now instead of after the pause
 * @property {() => void} close
 */

const SHORTEST_PAUSE = 250;
const LONGEST_PAUSE = 8000;
/** The close code of a server that has waited for long enough. */
const IDLE = 1000;
/** A reply that takes longer than this is not coming: the connection is dead. */
const PATIENCE = 10_000;

/**
 * @param {object} options
 * @param {() => Socket} options.connect
 * @param {(frame: Frame) => void} options.onFrame
 * @param {(connection: Connection) => void} options.onConnection
 * @param {Surroundings} options.surroundings
 * @returns {Stream}
 */
export function createStream({ connect, onFrame, onConnection, surroundings }) {
  const { now, later, cancel, nextFrame } = surroundings;
  /** @type {{latent: readonly number[], startedAt: number} | null} */
  let waiting = null;
  /** @type {{latent: readonly number[], startedAt: number, sentAt: number} | null} */
  let inFlight = null;
  /** @type {Socket | null} */
  let socket = null;
  let isOpen = false;
  /** A question has gone out since the last frame. */
  let hasAsked = false;
  let isResting = false;
  let sequence = 0;
  let pause = SHORTEST_PAUSE;
  let timer = 0;
  let message = new DataView(new ArrayBuffer(0));

  function start() {
    isResting = false;
    const mine = connect();
    socket = mine;
    mine.binaryType = 'arraybuffer';
    mine.onopen = () => {
      cancel(timer);
      isOpen = true;
      pause = SHORTEST_PAUSE;
      onConnection('open');
      pump();
    };
    mine.onmessage = ({ data }) => receive(data);
    mine.onclose = ({ code }) => (code === IDLE && !waiting && !inFlight ? rest() : lost());
    timer = later(lost, PATIENCE);
  }

  function lost() {
    cancel(timer);
    drop();
    waiting ??= inFlight;
    inFlight = null;
    onConnection('reconnecting');
    timer = later(start, pause);
    pause = Math.min(2 * pause, LONGEST_PAUSE);
  }

  function rest() {
    cancel(timer);
    drop();
    isResting = true;
  }

  function drop() {
    if (!socket) return;
    socket.onopen = socket.onmessage = socket.onclose = null;
    socket.close();
    socket = null;
    isOpen = hasAsked = false;
  }

  function pump() {
    if (!isOpen || !socket || inFlight || !waiting || hasAsked) return;
    cancel(timer);
    const { latent, startedAt } = waiting;
    if (message.byteLength !== 4 + 4 * latent.length) {
      message = new DataView(new ArrayBuffer(4 + 4 * latent.length));
    }
    sequence = (sequence + 1) >>> 0;
    message.setUint32(0, sequence, true);
    for (let i = 0; i < latent.length; i++) message.setFloat32(4 + 4 * i, latent[i], true);
    inFlight = { latent, startedAt, sentAt: now() };
    waiting = null;
    socket.send(message);
    timer = later(lost, PATIENCE);
    hasAsked = true;
    nextFrame(() => {
      hasAsked = false;
      pump();
    });
  }

  /** @param {ArrayBuffer} data */
  function receive(data) {
    if (!inFlight || new DataView(data).getUint32(0, true) !== sequence) return;
    const { startedAt, sentAt } = inFlight;
    inFlight = null;
    cancel(timer);
    pump();
    onFrame({ pixels: new Uint8Array(data, 4), startedAt, roundTrip: now() - sentAt });
  }

  onConnection('connecting');
  start();
  return {
    offer(latent, startedAt = now()) {
      waiting = { latent, startedAt };
      if (isResting) start();
      else pump();
    },
    retry() {
      if (socket) return;
      cancel(timer);
      pause = SHORTEST_PAUSE;
      start();
    },
    close() {
      cancel(timer);
      drop();
    },
  };
}
