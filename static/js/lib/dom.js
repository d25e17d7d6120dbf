/**
 * Return the first element for a selector.
 *
 * @template {Element} E
 * @param {ParentNode} root
 * @param {string} selector
 * @param {new () => E} type
 * @returns {E}
 * @throws {Error}  there is none, or it has another type
 */
export function find(root, selector, type) {
  const found = root.querySelector(selector);
  if (!(found instanceof type)) throw new Error(`The page has no ${type.name} "${selector}".`);
  return found;
}

/**
 * Return all elements for a selector that have a type, in document order.
 *
 * @template {HTMLElement} E
 * @param {ParentNode} root
 * @param {string} selector
 * @param {new () => E} type
 * @returns {E[]}
 */
export function findAll(root, selector, type) {
  return [...root.querySelectorAll(selector)].flatMap((found) => (found instanceof type ? [found] : []));
}

/**
 * Set an element's text if it differs. Setting equal text would also cause a layout.
 *
 * @param {HTMLElement} element
 * @param {string} text
 */
export function write(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

/** Hide an element; focus within it goes to another. @type {(element: HTMLElement, next: HTMLElement) => void} */
export function hide(element, next) {
  if (element.contains(document.activeElement)) next.focus();
  element.hidden = true;
}

/**
 * Return a copy of a template's only element.
 *
 * @template {HTMLElement} E
 * @param {ParentNode} root
 * @param {string} selector  of the template
 * @param {new () => E} type
 * @returns {E}
 */
export function copyOf(root, selector, type) {
  const template = find(root, selector, HTMLTemplateElement);
  const copy = template.content.firstElementChild?.cloneNode(true);
  if (!(copy instanceof type)) throw new Error(`The template "${selector}" holds no ${type.name}.`);
  return copy;
}

/**
 * Offer the visitor a file as a download.
 *
 * @param {Blob} file
 * @param {string} name
 */
export function saveFile(file, name) {
  const link = document.createElement('a');
  link.href = URL.createObjectURL(file);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}
