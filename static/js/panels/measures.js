/**
 * The measures of the chosen model and of a reference model, each with a line that explains it.
 *
 * @typedef {import('../store.js').Store} Store
 * @typedef {import('../store.js').State} State
 * @typedef {import('../latent/measures.js').Block} Block
 * @typedef {import('../latent/measures.js').Row} Row
 * @typedef {import('../api.js').Card} Card
 */
import { wordsFor } from '../latent/labels.js';
import { blocksOf, directionOf, ownUnit, referenceFor } from '../latent/measures.js';
import { distinctTitle, kindOfModel, shortId } from '../latent/model-groups.js';
import { printed, printedElbo } from '../latent/nats.js';
import { copyOf, find } from '../lib/dom.js';

/** The value of the list for no reference model; no id is that short. */
const NONE = '-';

/**
 * @param {HTMLElement} root
 * @param {Store} store
 */
export function mount(root, store) {
  const panel = find(root, '#panel-measures', HTMLElement);
  const title = find(panel, '[data-part="title"]', HTMLElement);
  const facts = find(panel, '[data-part="facts"]', HTMLElement);
  const bound = find(panel, '[data-part="bound"]', HTMLElement);
  const select = find(panel, '#reference-model', HTMLSelectElement);
  const list = find(panel, '#measures', HTMLElement);
  const none = find(panel, '#no-measures', HTMLElement);

  /** @param {Readonly<State>} state */
  function show({ models, groups, measures, model, defaultModel, referenceModel: wanted, panel: open }) {
    const card = models.find(({ id }) => id === model);
    if (!card || open !== 'measures') return;
    const found = models.find(({ id }) => id === wanted && id !== model);
    const reference = wanted === NONE ? undefined : found ?? referenceFor(models, card, defaultModel);
    title.textContent = distinctTitle(card, groups);
    facts.textContent = factsOf(card);
    bound.textContent = boundOf(card);
    select.replaceChildren(
      new Option('nothing', NONE),
      ...groups.map((group) => {
        const section = document.createElement('optgroup');
        section.label = group.title;
        const others = group.models.filter(({ id }) => id !== model);
        section.append(...others.map((other) => new Option(distinctTitle(other, groups), other.id)));
        return section;
      }),
    );
    select.value = reference?.id ?? NONE;
    const blocks = blocksOf(measures, card, reference);
    none.hidden = blocks.length > 0;
    list.replaceChildren(...blocks.map((block) => sectionOf(block, card, reference)));
  }

  /** @type {(block: Block, card: Card, reference?: Card) => HTMLElement} */
  function sectionOf(block, card, reference) {
    const section = copyOf(panel, '#measure-block', HTMLElement);
    const table = find(section, 'table', HTMLTableElement);
    find(section, 'caption', HTMLElement).textContent = block.title;
    find(section, '[data-part="unit"]', HTMLElement).textContent = block.unit;
    find(section, '[data-part="this"]', HTMLElement).textContent = shortId(card);
    const other = find(section, '[data-part="other"]', HTMLElement);
    other.textContent = reference ? shortId(reference) : '';
    const obstacle = find(section, '[data-part="obstacle"]', HTMLElement);
    obstacle.textContent = block.obstacle;
    obstacle.hidden = !block.obstacle;
    table.append(...block.rows.map((row) => rowOf(row, block, reference)));
    const protocol = find(section, 'details', HTMLElement);
    protocol.hidden = !block.protocol;
    find(protocol, 'p', HTMLElement).textContent = block.protocol;
    const otherProtocol = find(protocol, '[data-part="other-protocol"]', HTMLElement);
    otherProtocol.hidden = !block.otherProtocol;
    otherProtocol.textContent = reference ? `${shortId(reference)}: ${block.otherProtocol}` : '';
    return section;
  }

  /** @type {(row: Row, block: Block, reference?: Card) => HTMLElement} */
  function rowOf({ measure, value, other, better, floor }, block, reference) {
    const body = copyOf(panel, '#measure', HTMLElement);
    find(body, '[data-part="title"]', HTMLElement).textContent = measure.title;
    const unit = ownUnit(measure, block);
    find(body, '[data-part="unit"]', HTMLElement).textContent = unit && `Unit: ${unit}.`;
    for (const [part, text] of /** @type {const} */ ([['value', value], ['other', other]])) {
      const cell = find(body, `[data-part="${part}"]`, HTMLElement);
      cell.textContent = text || (reference ? '–' : '');
      cell.classList.toggle('better', better === part);
    }
    find(body, '[data-part="about"]', HTMLElement).textContent = measure.about;
    find(body, '[data-part="direction"]', HTMLElement).textContent = directionOf(measure);
    find(body, '[data-part="floor"]', HTMLElement).textContent = floor;
    return body;
  }

  const choose = () => store.set({ referenceModel: select.value });
  select.addEventListener('change', choose);
  const unwatch = store.watch(['models', 'measures', 'model', 'referenceModel', 'panel'], show);
  return () => {
    select.removeEventListener('change', choose);
    list.replaceChildren();
    unwatch();
  };
}

/** @type {Readonly<Record<string, string>>} */
const PIXELS = {
  bernoulli: 'Bernoulli pixels',
  gaussian: 'Gaussian pixels',
  'continuous-bernoulli': 'continuous Bernoulli pixels',
  'discretised-logistic': 'discretised logistic pixels',
};

/** @type {(card: Card) => string} */
function factsOf(card) {
  const beta = card.beta === null ? [] : [`KL weight ${card.beta}`];
  const pixels = PIXELS[card.likelihood] ?? card.likelihood;
  return [wordsFor(card.dataset).title, kindOfModel(card), pixels, ...beta].join(' · ');
}

/** @type {(card: Card) => string} */
function boundOf({ metrics }) {
  const grey = /** @type {Record<string, number | null>} */ (metrics.grey ?? {});
  if (typeof grey.reconstruction !== 'number') return '';
  const { reconstruction, kl, total } = printedElbo(grey.reconstruction, grey.kl);
  if (!total) return `Reconstruction ${reconstruction} nats an image; no KL, so no bound`;
  const sum = `ELBO ${total} = reconstruction ${reconstruction} − KL ${kl} nats an image`;
  const { elbo, encoder_elbo: alone } = grey;
  return typeof alone === 'number' && alone !== elbo ? `${sum}, refined on it; ${printed(alone)} by the encoder alone` : sum;
}
