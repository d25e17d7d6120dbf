/**
 * Files are taken apart by the description of the format: https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { npyOf } from '../../../static/js/lib/npy.js';

for (const shape of [[3], [2, 3], [64, 28, 28]]) {
  test(`a file of shape ${shape} has its header and its values`, () => {
    const values = Uint8Array.from({ length: shape.reduce((all, side) => all * side) }, (_, i) => i % 251);
    const file = npyOf(values, shape);
    assert.deepEqual([...file.slice(0, 8)], [0x93, ...Buffer.from('NUMPY'), 1, 0]);
    const length = file[8] + 256 * file[9];
    assert.equal((10 + length) % 64, 0);
    const head = `${Buffer.from(file.slice(10, 10 + length))}`;
    assert.ok(head.endsWith('\n'));
    const sides = /^\{'descr': '\|u1', 'fortran_order': False, 'shape': \(([\d, ]+)\), \} *\n$/.exec(head)?.[1];
    assert.deepEqual(sides?.split(',').filter(Boolean).map(Number), shape);
    assert.deepEqual(file.slice(10 + length), values);
  });
}
