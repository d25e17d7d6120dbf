import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createPercentiles } from '../../../static/js/lib/percentiles.js';

test('percentiles are those of the latest measurements, by nearest rank', () => {
  const latencies = createPercentiles(100);
  assert.ok(Number.isNaN(latencies.quantile(0.5)));
  for (let i = 1; i <= 1000; i++) latencies.add(i);
  assert.equal(latencies.count(), 100);
  assert.equal(latencies.quantile(0.5), 950);
  assert.equal(latencies.quantile(0.95), 995);
  assert.equal(latencies.quantile(0), 901);
  assert.equal(latencies.quantile(1), 1000);
});
