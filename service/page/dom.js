// Elements. Everything that is not ours (names, cells, messages) becomes a text node, never markup.

/** @typedef {Node | string | number | null | undefined} Child null and undefined are left out */
/** @typedef {Child | Child[]} Children */
/** @typedef {Record<string, any>} Properties attributes have a hyphen or no property of their name */

/**
 * An element with properties, attributes (`aria-..`, `data-..`, `role`, `for`), listeners (`on..`) and children.
 * @template {string} T
 * @param {T} tag name, with classes behind dots: "p.note.quiet"
 * @param {Properties} [properties] what to set; null and undefined are left out
 * @param {...Children} children strings become text
 * @returns {ElementOf<T>}
 */
export function el(tag, properties = {}, ...children) {
  const [name, ...classes] = tag.split(".");
  const element = document.createElement(name);
  if (classes.length) element.className = classes.join(" ");
  for (const [key, value] of Object.entries(properties)) set(element, key, value);
  element.append(...flat(children));
  return /** @type {ElementOf<T>} */ (element);
}

/**
 * @param {Children[]} children
 * @returns {(Node | string)[]}
 */
const flat = (children) =>
  children
    .flat()
    .flatMap((child) => (child == null ? [] : [typeof child === "number" ? String(child) : child]));

/**
 * @param {Element & Record<string, any>} element
 * @param {string} key
 * @param {any} value
 */
function set(element, key, value) {
  if (value == null) return;
  if (key.startsWith("on")) element.addEventListener(key.slice(2), value);
  else if (key in element && !key.includes("-")) element[key] = value;
  else element.setAttribute(key, value);
}

/**
 * The element of the page with this id.
 * @param {string} id
 * @returns {HTMLElement}
 */
export const byId = (id) => expect(document.getElementById(id), HTMLElement);

/**
 * A field of the page by its id.
 * @param {string} id
 */
export const fieldById = (id) => expect(document.getElementById(id), HTMLInputElement);

/**
 * A button of the page by its id.
 * @param {string} id
 */
export const buttonById = (id) => expect(document.getElementById(id), HTMLButtonElement);

/**
 * A dialog of the page by its id.
 * @param {string} id
 */
export const dialogById = (id) => expect(document.getElementById(id), HTMLDialogElement);

/**
 * What a selector matches first.
 * @param {ParentNode} parent
 * @param {string} selector
 */
export const query = (parent, selector) => expect(parent.querySelector(selector), HTMLElement);

/**
 * An element that has to be there, and of this kind.
 * @template {Element} E
 * @param {EventTarget | null} element
 * @param {new () => E} kind
 * @returns {E}
 */
export function expect(element, kind) {
  if (element instanceof kind) return element;
  throw new TypeError(`there is no ${kind.name}`);
}

/**
 * Puts children in the place of what an element holds.
 * @template {Element} E
 * @param {E} element
 * @param {...Children} children
 */
export function fill(element, ...children) {
  element.replaceChildren(...flat(children));
  return element;
}

/**
 * A name from a file, kept apart from the direction of the text around it.
 * @param {string} name
 */
export const named = (name) => el("bdi", { dir: "auto" }, visible(name));

/**
 * A name as it can be seen: blank ones and invisible characters get a sign.
 * @param {string} name
 */
export function visible(name) {
  const text = String(name).replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, "\u{FFFD}");
  return text.trim() ? text : "(no name)";
}

/**
 * A name in a chart, shortened, kept apart from the direction of what is around it.
 * @param {string} name
 * @param {number} [length] characters at most
 */
export function label(name, length = 26) {
  const letters = [...visible(name)];
  const cut = letters.length > length ? `${letters.slice(0, length - 1).join("")}…` : letters.join("");
  return /[\u0590-\u08FF\uFB1D-\uFEFC]/.test(cut) ? `\u2068${cut}\u2069` : cut;
}

/**
 * A button.
 * @param {string} text
 * @param {() => void} onclick
 * @param {Properties} [properties]
 */
export const button = (text, onclick, properties = {}) =>
  el("button", { type: "button", onclick, ...properties }, text);

let choices = 0;

/**
 * A list to choose one text from, with its label.
 * @param {string} title
 * @param {string[]} texts
 * @param {number} selected
 * @param {(place: number) => void} onchoice
 */
export function choice(title, texts, selected, onchoice) {
  choices += 1;
  const id = `choice-${choices}`;
  const options = texts.map((text, i) => el("option", { selected: i === selected }, text));
  const list = el("select", { id, onchange: () => onchoice(list.selectedIndex) }, options);
  return el("div.choice", {}, el("label", { for: id }, title), list);
}

/**
 * Says a sentence to those who listen to the page.
 * @param {string} sentence
 */
export function announce(sentence) {
  byId("announcer").textContent = sentence;
}
