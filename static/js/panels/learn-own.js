/**
 * The lessons on images of one's own: fills in the shown model, its labels' names, and places found in its codes.
 *
 * @typedef {import('../store.js').Store} Store
 * @typedef {import('../store.js').State} State
 */
import { closestLabels, nearestFoot } from '../latent/atlas.js';
import { largestHole } from '../latent/holes.js';
import { isShippedDataset, labelsOf } from '../latent/labels.js';
import { distinctTitle } from '../latent/model-groups.js';
import { besideFor, ladderOf } from '../latent/own-lessons.js';
import { walkEnds } from '../latent/path.js';
import { find, findAll } from '../lib/dom.js';

/**
 * @param {HTMLElement} panel
 * @param {Store} store
 */
export function mount(panel, store) {
  const list = find(panel, '#own-lessons', HTMLElement);
  /** @type {(id: string) => HTMLButtonElement} */
  const lesson = (id) => find(list, `[data-lesson="own-${id}"]`, HTMLButtonElement);
  /** @type {(name: string, text: string) => void} */
  const write = (name, text) => void (find(list, `[data-part="${name}"]`, HTMLElement).textContent = text);

  /** @param {Readonly<State>} state */
  function fill({ atlas, models, groups }) {
    for (const button of findAll(list, 'button[data-lesson]', HTMLButtonElement)) button.dataset.model = '';
    if (!atlas || isShippedDataset(atlas.card.dataset)) return;
    const { card, landmarks, codes, feet } = atlas;
    const labels = labelsOf(card.dataset);

    for (const id of ['walk', 'hole', 'middle', 'training']) lesson(id).dataset.model = card.id;
    const [start, end] = walkEnds(atlas);
    lesson('walk').dataset.show = `walk-${start}-${end}`;
    write('walk', landmarks.length > 1
      ? `From ${labels[codes.labels[start]].one} to ${labels[codes.labels[end]].one}, which lie farthest apart.`
      : 'Between the two test images that lie farthest apart.');
    const hole = largestHole(atlas);
    const nearest = nearestFoot(atlas, hole);
    write('hole', Math.hypot(feet[2 * nearest] - hole.u, feet[2 * nearest + 1] - hole.v).toFixed(2));

    const pair = closestLabels(atlas);
    if (pair) {
      lesson('meeting').dataset.model = card.id;
      lesson('meeting').dataset.show = `meeting-${pair.join('-')}`;
      write('meeting', `${labels[pair[0]].bare} and ${labels[pair[1]].bare}.`);
    }
    const beside = besideFor(models, card);
    for (const id of beside ? ['draws-own', 'draws-standard'] : []) {
      lesson(id).dataset.model = card.id;
      lesson(id).dataset.twin = beside?.id;
    }
    write('beside', beside ? distinctTitle(beside, groups) : '');
    ladderOf(models, card).slice(0, RUNGS).forEach(({ id, beta }, n) => {
      lesson(`rung-${n}`).dataset.model = id;
      lesson(`rung-${n}`).textContent = `${beta}`;
    });
  }

  return store.watch(['atlas', 'models'], fill);
}

/** As many as the template has. */
const RUNGS = 8;
