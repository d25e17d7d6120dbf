/**
 * Sends latents and receives images over a WebSocket. No DOM.
 *
 * At most one latent is in flight and at most one is sent per frame of the screen, because a second image would
 * replace the first before anybody saw it. The newest latent wins: it replaces the one that waits. A lost connection
 * is made again after a pause; one that the server closed as idle is made again with the next latent.
 *
 * Messages are little-endian binary: uint32 sequence + D float32 out, the same uint32 + 784 uint8 back.
 *
 * @typedef {'connecting' | 'open' | 'reconnecting'} Connection
 *
 * @typedef {object} Frame
 * @property {Uint8Array} pixels  784 grey levels, row by row
 * @property {number} startedAt  when the gesture that asked for it began, in `now()` milliseconds
 * @property {number} roundTrip  milliseconds from sending to the reply
 *
 * @typedef {Pick<WebSocket, 'binaryType' | 'send' | 'close' | 'onopen' | 'onmessage' | 'onclose'>} Socket
 *
 * @typedef {object} Environment  replaced in tests
 * @property {() => number} now
 * @property {(task: () => void, milliseconds: number) => number} later
 * @property {(timer: number) => void} cancel
 * @property {(task: () => void) => void} nextFrame  calls back with the next frame of the screen
 *
 * @typedef {object} Stream
 * @property {(latent: readonly number[], startedAt?: number) => void} offer
 * @property {() => void} reconnect  connects at once instead of after the pause
 * @property {() => void} close
 */

const MIN_PAUSE_MILLISECONDS = 250;
const MAX_PAUSE_MILLISECONDS = 8000;
/** The close code of a server whose idle limit has passed. */
const IDLE = 1000;
/** A connection with no reply for this long counts as lost. */
const REPLY_MILLISECONDS = 10_000;

/**
 * @param {object} options
 * @param {() => Socket} options.connect
 * @param {(frame: Frame) => void} options.onFrame
 * @param {(connection: Connection) => void} options.onConnection
 * @param {Environment} options.environment
 * @returns {Stream}
 */
export function createStream({ connect, onFrame, onConnection, environment }) {
  const { now, later, cancel, nextFrame } = environment;
  /** @type {{latent: readonly number[], startedAt: number} | null} */
  let waiting = null;
  /** @type {{latent: readonly number[], startedAt: number, sentAt: number} | null} */
  let inFlight = null;
  /** @type {Socket | null} */
  let socket = null;
  let isOpen = false;
  /** Whether a latent has been sent since the last frame. */
  let hasSent = false;
  let isIdle = false;
  let sequence = 0;
  let pause = MIN_PAUSE_MILLISECONDS;
  let timer = 0;
  let message = new DataView(new ArrayBuffer(0));

  function start() {
    isIdle = false;
    const mine = connect();
    socket = mine;
    mine.binaryType = 'arraybuffer';
    mine.onopen = () => {
      cancel(timer);
      isOpen = true;
      pause = MIN_PAUSE_MILLISECONDS;
      onConnection('open');
      pump();
    };
    mine.onmessage = ({ data }) => receive(data);
    mine.onclose = ({ code }) => (code === IDLE && !waiting && !inFlight ? goIdle() : lost());
    timer = later(lost, REPLY_MILLISECONDS);
  }

  function lost() {
    cancel(timer);
    drop();
    waiting ??= inFlight;
    inFlight = null;
    onConnection('reconnecting');
    timer = later(start, pause);
    pause = Math.min(2 * pause, MAX_PAUSE_MILLISECONDS);
  }

  function goIdle() {
    cancel(timer);
    drop();
    isIdle = true;
  }

  function drop() {
    if (!socket) return;
    socket.onopen = socket.onmessage = socket.onclose = null;
    socket.close();
    socket = null;
    isOpen = hasSent = false;
  }

  function pump() {
    if (!isOpen || !socket || inFlight || !waiting || hasSent) return;
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
    timer = later(lost, REPLY_MILLISECONDS);
    hasSent = true;
    nextFrame(() => {
      hasSent = false;
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
      if (isIdle) start();
      else pump();
    },
    reconnect() {
      if (socket) return;
      cancel(timer);
      pause = MIN_PAUSE_MILLISECONDS;
      start();
    },
    close() {
      cancel(timer);
      drop();
    },
  };
}
