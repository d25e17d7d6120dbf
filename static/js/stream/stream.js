/**
 * Follows a point with images: over a WebSocket where one opens and answers, else over HTTP. No DOM.
 *
 * A lost stream is opened again after a pause. Once two in a row came to nothing, or one fell silent, the page asks
 * over HTTP and goes on trying the stream with longer pauses; it takes a stream that has answered a latent. A stream
 * that the server closed as idle opens again with the next latent.
 *
 * @typedef {import('./pump.js').Environment} Environment
 * @typedef {import('./pump.js').Frame} Frame
 * @typedef {import('./socket-way.js').Ending} Ending
 * @typedef {import('./socket-way.js').Socket} Socket
 *
 * @typedef {'connecting' | 'open' | 'http' | 'reconnecting'} Connection  `http`: images come, but over HTTP
 *
 * @typedef {object} Stream
 * @property {(latent: readonly number[], startedAt?: number) => void} offer
 * @property {() => void} reconnect  connects at once instead of after the pause
 * @property {() => void} close
 */
import { startHttpWay } from './http-way.js';
import { createPump } from './pump.js';
import { SILENT_MILLISECONDS, openSocketWay } from './socket-way.js';

const MIN_PAUSE_MILLISECONDS = 250;
/** While nothing answers. */
const MAX_PAUSE_MILLISECONDS = 8000;
/** While the page works over HTTP. */
const MAX_HTTP_PAUSE_MILLISECONDS = 64_000;
/** So many streams in a row that came to nothing are enough to ask over HTTP. */
const MAX_FAILURES = 2;
/** A stream that was open for this long, and not silent, has not come to nothing. */
const STEADY_MILLISECONDS = SILENT_MILLISECONDS;
/** The sequence number of a latent that tries a stream; the pump uses no such number. */
const TRIAL = 0;

/**
 * @param {object} options
 * @param {() => Socket} options.connect
 * @param {(latent: readonly number[], signal: AbortSignal) => Promise<Uint8Array>} options.decode  by a request
 * @param {number} options.maxRequests  in flight at once
 * @param {(frame: Frame) => void} options.onFrame
 * @param {(connection: Connection) => void} options.onConnection
 * @param {(isBehind: boolean) => void} options.onBehind  whether the newest image has not been the point's for a while
 * @param {Environment} options.environment
 * @returns {Stream}
 */
export function createStream({ connect, decode, maxRequests, onFrame, onConnection, onBehind, environment }) {
  const { now, later, cancel } = environment;
  const pump = createPump({ onFrame, onBehind, environment });
  /** @type {import('./socket-way.js').SocketWay | null} */
  let socket = null;
  /** @type {ReturnType<typeof startHttpWay> | null} */
  let http = null;
  /** @type {Connection} */
  let connection = 'connecting';
  let failures = 0;
  let pause = MIN_PAUSE_MILLISECONDS;
  let timer = 0;
  let openedAt = Infinity;
  let isIdle = false;

  /** @param {Connection} next */
  function report(next) {
    connection = next;
    onConnection(next);
  }

  function open() {
    cancel(timer);
    isIdle = false;
    openedAt = Infinity;
    socket = openSocketWay({ connect, onOpen: opened, onReply: replied, onEnd: ended, environment });
  }

  function opened() {
    openedAt = now();
    const latent = pump.newest();
    if (http) {
      if (latent) socket?.send(TRIAL, latent);
    } else {
      report('open');
      pump.use(socket);
    }
  }

  /** @type {(sequence: number, pixels: Uint8Array) => void} */
  function replied(sequence, pixels) {
    if (http) {
      http.close();
      http = null;
      report('open');
      pump.use(socket);
    }
    pump.replied(sequence, pixels);
  }

  /** @param {Ending} ending */
  function ended(ending) {
    socket = null;
    if (!http) pump.use(null);
    if (ending === 'idle' && !pump.isBusy()) {
      isIdle = true;
      return;
    }
    if (ending !== 'silent' && now() - openedAt >= STEADY_MILLISECONDS) {
      failures = 0;
      pause = MIN_PAUSE_MILLISECONDS;
    } else {
      failures = ending === 'silent' ? MAX_FAILURES : failures + 1;
    }
    timer = later(open, pause);
    pause = Math.min(2 * pause, connection === 'http' ? MAX_HTTP_PAUSE_MILLISECONDS : MAX_PAUSE_MILLISECONDS);
    if (http) {
      pump.offerAgain(); // where nothing is asked, nobody hears that the server has gone
      return;
    }
    if (connection === 'open') report('reconnecting');
    if (failures >= MAX_FAILURES) {
      http = startHttpWay({ decode, maxRequests, pump, onAnswer: answeredByHttp, onAway: away, environment });
    }
  }

  function answeredByHttp() {
    if (connection === 'http') return;
    const isBack = connection === 'reconnecting';
    report('http');
    if (isBack) reconnect();
  }

  function away() {
    if (connection !== 'reconnecting') report('reconnecting');
  }

  function reconnect() {
    http?.hurry();
    if (socket) return;
    pause = MIN_PAUSE_MILLISECONDS;
    open();
  }

  report('connecting');
  open();
  return {
    offer(latent, startedAt = now()) {
      pump.offer(latent, startedAt);
      if (isIdle) open();
    },
    reconnect,
    close() {
      cancel(timer);
      pump.stop();
      socket?.close();
      http?.close();
    },
  };
}
