// The dialog that shows code, copied where the browser lets a page copy.

import { announce, buttonById, byId, dialogById } from "./dom.js";

/**
 * Shows and copies a text.
 * @param {string} title
 * @param {string} text
 * @param {string} about a sentence
 * @param {{text: string, action: () => void} | null} [more] a button
 */
export async function showCode(title, text, about, more = null) {
  byId("code-title").textContent = title;
  byId("code-text").textContent = text;
  const button = buttonById("code-more");
  button.hidden = !more;
  if (more) Object.assign(button, { textContent: more.text, onclick: more.action });
  dialogById("code").showModal();
  const copied = await copy(text);
  byId("code-about").textContent =
    `${copied ? "Copied." : "Select it and copy it: this browser does not let the page do so."} ${about}`;
  announce(copied ? "Copied." : "");
}

/** @param {string} text */
async function copy(text) {
  getSelection()?.selectAllChildren(byId("code-text"));
  try {
    await navigator.clipboard.writeText(text); // there is none on pages without TLS
    return true;
  } catch {
    return false;
  }
}
