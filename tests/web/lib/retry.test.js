import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ApiError } from '../../../static/js/api.js';
import { retry } from '../../../static/js/lib/retry.js';

/** A task that is refused a few times, and what was waited meanwhile. */
function refused(times, refusal) {
  const slept = [];
  let calls = 0;
  return {
    slept,
    calls: () => calls,
    sleep: async (milliseconds) => void slept.push(milliseconds),
    task: async () => {
      calls += 1;
      if (calls <= times) throw refusal;
      return 'answer';
    },
  };
}
const signal = new AbortController().signal;

test('a task that failed with Retry-After runs again after that time', async () => {
  const { task, sleep, slept } = refused(2, new ApiError('full', 3));
  const waits = [];
  assert.equal(await retry(task, { signal, sleep, onWait: (seconds) => waits.push(seconds) }), 'answer');
  assert.deepEqual(slept, [3000, 3000]);
  assert.deepEqual(waits, [3, 3]);
});

test('a task that failed without Retry-After does not run again', async () => {
  const { task, sleep, calls } = refused(1, new ApiError('no such model'));
  await assert.rejects(retry(task, { signal, sleep }), /no such model/);
  assert.equal(calls(), 1);
});

test('an ordinary error is thrown at once', async () => {
  const { task, sleep, calls } = refused(1, new TypeError('oops'));
  await assert.rejects(retry(task, { signal, sleep }), TypeError);
  assert.equal(calls(), 1);
});

test('a server that stays busy is given up with its own message', async () => {
  const { task, sleep, calls } = refused(Infinity, new ApiError('full', 1));
  await assert.rejects(retry(task, { signal, sleep }), /full/);
  assert.ok(calls() > 1 && calls() < 20);
});

test('a pause is limited to half a minute', async () => {
  const { task, sleep, slept } = refused(1, new ApiError('full', 3600));
  await retry(task, { signal, sleep });
  assert.ok(slept[0] <= 60_000);
});

test('a short first pause is not reported, a second one is', async () => {
  const { task, sleep } = refused(2, new ApiError('full', 1));
  const waits = [];
  await retry(task, { sleep, onWait: (seconds) => waits.push(seconds) });
  assert.deepEqual(waits, [1]);
});

test('aborting ends the wait', async () => {
  const { task, calls } = refused(1, new ApiError('full', 30));
  const controller = new AbortController();
  const waiting = retry(task, { signal: controller.signal, onWait: () => setTimeout(() => controller.abort()) });
  await assert.rejects(waiting, { name: 'AbortError' });
  assert.equal(calls(), 1);
});
