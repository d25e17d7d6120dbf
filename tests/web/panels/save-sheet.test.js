import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sheetOf, ticksOf } from '../../../static/js/panels/save-sheet.js';

const SHEET = {
  width: 400,
  height: 300,
  picture: 'data:image/png;base64,AAAA',
  title: 'Shirts & <coats>',
  subtitle: 'The "plane"',
  columns: [{ at: 200, text: '0' }],
  rows: [{ at: 150, text: '−1' }],
  point: { x: 30, y: 40, picture: 'data:image/png;base64,BBBB' },
  key: [{ name: 'T-shirt', colour: '#123456' }, { name: 'Bag', colour: '#abcdef' }],
  theme: { ground: '#fff', ink: '#000', soft: '#888', accent: '#f00', serif: '"Noto Serif", serif', sans: 'sans-serif' },
};

test('ticks are round numbers at the place of their coordinate', () => {
  assert.deepEqual(ticksOf(-1, 1, 400, 0.5), [
    { at: 0, text: '−1' }, { at: 100, text: '−0.5' }, { at: 200, text: '0' }, { at: 300, text: '0.5' }, { at: 400, text: '1' },
  ]);
  const down = ticksOf(1, -1, 400, 1).map(({ at, text }) => `${text} at ${at}`);
  assert.deepEqual(down.sort(), ['0 at 200', '1 at 0', '−1 at 400'].sort(), 'the left edge counts downwards');
});

test('a sheet has the picture, the point, all ticks and the legend', () => {
  const svg = sheetOf(SHEET);
  for (const part of ['AAAA', 'BBBB', '#123456', '#abcdef', '>T-shirt<', '>Bag<', '>−1<']) assert.ok(svg.includes(part), part);
  assert.ok(!sheetOf({ ...SHEET, point: null }).includes('BBBB'));
});

test('a title cannot add markup to the document', () => {
  const svg = sheetOf(SHEET);
  assert.ok(svg.includes('Shirts &amp; &lt;coats&gt;'));
  assert.ok(svg.includes('&quot;Noto Serif&quot;'));
  const open = svg.match(/<(?![/!?])[a-z]/g)?.length ?? 0;
  const closed = (svg.match(/<\/[a-z]/g)?.length ?? 0) + (svg.match(/\/>/g)?.length ?? 0);
  assert.equal(open, closed, 'every element ends');
});
