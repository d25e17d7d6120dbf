/**
 * One WebSocket to the server, from its opening to its end, which is reported once. No DOM.
 *
 * Messages are little-endian binary: uint32 sequence + D float32 out, the same uint32 + H x W x C uint8 back. The server
 * answers in order, and skips a latent when a newer one has come.
 *
 * @typedef {import('./pump.js').Environment} Environment
 * @typedef {import('./pump.js').Way} Way
 *
 * @typedef {Pick<WebSocket, 'binaryType' | 'send' | 'close' | 'onopen' | 'onmessage' | 'onclose'>} Socket
 *
 * @typedef {'idle' | 'lost' | 'silent'} Ending  `idle`: the server closed it, because nothing had been sent for long
 *
 * @typedef {Way & {close: () => void}} SocketWay
 */
import { MAX_IN_FLIGHT } from './flight-window.js';

/** The close code of a server whose idle limit has passed. */
const IDLE = 1000;
/** A socket from which nothing has come for this long, while it opens or owes a reply, is silent. */
export const SILENT_MILLISECONDS = 3000;

/**
 * @param {object} options
 * @param {() => Socket} options.connect
 * @param {() => void} options.onOpen
 * @param {(sequence: number, pixels: Uint8Array) => void} options.onReply
 * @param {(ending: Ending) => void} options.onEnd
 * @param {Pick<Environment, 'later' | 'cancel'>} options.environment
 * @returns {SocketWay}
 */
export function openSocketWay({ connect, onOpen, onReply, onEnd, environment: { later, cancel } }) {
  const socket = connect();
  let message = new DataView(new ArrayBuffer(0));
  /** Sequence numbers of the newest latent that was sent, and of the newest that was answered. */
  let [sent, answered] = [-1, -1];
  let timer = later(() => end('silent'), SILENT_MILLISECONDS);

  socket.binaryType = 'arraybuffer';
  socket.onopen = () => {
    cancel(timer);
    onOpen();
  };
  socket.onmessage = ({ data }) => {
    answered = new DataView(data).getUint32(0, true);
    cancel(timer);
    if (answered !== sent) timer = later(() => end('silent'), SILENT_MILLISECONDS);
    onReply(answered, new Uint8Array(data, 4));
  };
  socket.onclose = ({ code }) => end(code === IDLE && answered === sent ? 'idle' : 'lost');

  function close() {
    cancel(timer);
    socket.onopen = socket.onmessage = socket.onclose = null;
    socket.close();
  }

  /** @param {Ending} ending */
  function end(ending) {
    close();
    onEnd(ending);
  }

  return {
    isInOrder: true,
    maxInFlight: MAX_IN_FLIGHT,
    send(sequence, latent) {
      if (message.byteLength !== 4 + 4 * latent.length) message = new DataView(new ArrayBuffer(4 + 4 * latent.length));
      message.setUint32(0, sequence, true);
      for (let i = 0; i < latent.length; i++) message.setFloat32(4 + 4 * i, latent[i], true);
      if (answered === sent) timer = later(() => end('silent'), SILENT_MILLISECONDS);
      sent = sequence;
      socket.send(message);
    },
    close,
  };
}
