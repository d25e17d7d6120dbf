/**
 * Let the browser paint and answer the visitor before the caller goes on: long work is done in pieces between breaths.
 *
 * @returns {Promise<void>}
 */
export const breath = () =>
  new Promise((resolve) => {
    const { port1, port2 } = new MessageChannel(); // a timer would wait 4 ms
    port1.onmessage = () => {
      port1.close();
      resolve();
    };
    port2.postMessage(null);
  });
