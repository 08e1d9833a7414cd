// Elements. Everything that is not ours (names, cells, messages) becomes a text node, never markup.

/**
 * An element with properties, attributes (`aria-..`, `data-..`, `role`, `for`), listeners (`on..`) and children.
 * @param {string} tag name, with classes behind dots: "p.note.quiet"
 * @param {object} given what to set; null and undefined are left out
 * @param {...(Node|string|number|null)} children strings become text
 */
export function el(tag, given = {}, ...children) {
  const [name, ...classes] = tag.split(".");
  const made = document.createElement(name);
  if (classes.length) made.className = classes.join(" ");
  for (const [key, value] of Object.entries(given)) set(made, key, value);
  made.append(...children.flat().filter((child) => child != null));
  return made;
}

function set(element, key, value) {
  if (value == null) return;
  if (key.startsWith("on")) element.addEventListener(key.slice(2), value);
  else if (key in element && !key.includes("-")) element[key] = value;
  else element.setAttribute(key, value);
}

/** The element of the page with this id. */
export const at = (id) => document.getElementById(id);

/** Puts children in the place of what an element holds. */
export function fill(element, ...children) {
  element.replaceChildren(...children.flat().filter((child) => child != null));
  return element;
}

/** A name from a file, kept apart from the direction of the text around it. */
export const named = (name) => el("bdi", { dir: "auto" }, shown(name));

/** A name as it can be seen: blank ones and invisible characters get a sign. */
export function shown(name) {
  const seen = String(name).replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, "\u{FFFD}");
  return seen.trim() ? seen : "(no name)";
}

/** A name in a chart: at most `most` characters, kept apart from the direction of what is around it. */
export function label(name, most = 26) {
  const letters = [...shown(name)];
  const cut = letters.length > most ? `${letters.slice(0, most - 1).join("")}…` : letters.join("");
  return /[\u0590-\u08FF\uFB1D-\uFEFC]/.test(cut) ? `\u2068${cut}\u2069` : cut;
}

/** A button. */
export const button = (text, onclick, given = {}) => el("button", { type: "button", onclick, ...given }, text);

let labelled = 0;

/** A list to choose one text from, with its label; `chosen` is told the place of the choice. */
export function choice(title, texts, selected, chosen) {
  labelled += 1;
  const id = `choice-${labelled}`;
  const options = texts.map((text, i) => el("option", { selected: i === selected }, text));
  const list = el("select", { id, onchange: () => chosen(list.selectedIndex) }, options);
  return el("div.choice", {}, el("label", { for: id }, title), list);
}

/** Says a sentence to those who listen to the page. */
export function announce(sentence) {
  at("announcer").textContent = sentence;
}
