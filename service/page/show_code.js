// The dialog that shows code, copied where the browser lets a page copy.

import { announce, at } from "./dom.js";

/** Shows and copies a text; `more` is a button: { text, action }. */
export async function showCode(title, text, about, more = null) {
  at("code-title").textContent = title;
  at("code-text").textContent = text;
  const button = at("code-more");
  button.hidden = !more;
  if (more) Object.assign(button, { textContent: more.text, onclick: more.action });
  at("code").showModal();
  const copied = await copy(text);
  at("code-about").textContent = `${copied ? "Copied." : "Select it and copy it: this browser does not let the page do so."} ${about}`;
  announce(copied ? "Copied." : "");
}

async function copy(text) {
  getSelection().selectAllChildren(at("code-text"));
  try {
    await navigator.clipboard.writeText(text); // there is none on pages without TLS
    return true;
  } catch {
    return false;
  }
}
