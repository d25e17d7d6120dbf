/**
 * A few measures of each model's prior, shown below its map.
 *
 * @typedef {import('../api.js').Card} Card
 * @typedef {import('../api.js').Measure} Measure
 */
import { blocksOf, directionOf } from '../latent/measures.js';
import { find } from '../lib/dom.js';

/** Short names; the panel of measures has the full titles. @type {Readonly<Record<string, string>>} */
const NAMES = {
  'completeness.standard_recognised': 'recognised, N(0, I)',
  'completeness.fitted_recognised': 'fitted Gaussian',
  'completeness.uncovered_prior_mass': 'empty',
  'completeness.hole_area': 'holes',
};

/**
 * @param {HTMLElement} line
 * @param {readonly Measure[]} measures
 * @param {Card} card
 * @param {Card} other
 */
export function showScores(line, measures, card, other) {
  const rows = blocksOf(measures, card, other).flatMap((block) => block.rows);
  const shown = Object.keys(NAMES).flatMap((key) => rows.find(({ measure }) => measure.key === key) ?? []);
  const strays = find(line, '[data-part="strays"]', HTMLElement);
  strays.parentElement?.replaceChildren(...shown.map(({ measure, value, better }) => {
    const pair = document.createElement('div');
    const [term, number] = [document.createElement('dt'), document.createElement('dd')];
    pair.title = `${measure.title}. ${measure.about} ${directionOf(measure)}`;
    pair.classList.toggle('better', better === 'value');
    term.textContent = NAMES[measure.key];
    number.textContent = value;
    number.dataset.measure = measure.key;
    pair.append(term, number);
    return pair;
  }), strays);
}

/** @type {(line: HTMLElement, strays: number | null, of: number) => void} */
export function showStrays(line, strays, of) {
  const pair = find(line, '[data-part="strays"]', HTMLElement);
  pair.hidden = strays === null;
  find(pair, 'dd', HTMLElement).textContent = strays === null ? '' : `${strays} of ${of}`;
}
