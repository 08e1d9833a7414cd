// The dialog for an API key.

import { byId, dialogById, fieldById } from "./dom.js";

/** @import { Api } from "./api.js" */

/**
 * Wires the dialog to an Api. Returns what opens it, with a reason where there is one.
 * @param {Api} api
 * @param {() => void} onchange called when another key is in use
 */
export function keyDialog(api, onchange) {
  const [dialog, field, why] = [dialogById("key"), fieldById("key-value"), byId("key-why")];
  const text = why.textContent;
  /** @param {string} [reason] */
  const open = (reason) => {
    why.textContent = reason ?? text;
    if (!dialog.open) dialog.showModal();
    field.focus();
  };
  dialog.addEventListener("close", () => {
    const key = field.value;
    field.value = "";
    if (dialog.returnValue !== "use") return;
    api.use(key);
    byId("key-open").textContent = api.hasKey ? "API key in use" : "API key";
    onchange();
  });
  byId("key-open").addEventListener("click", () => open());
  return open;
}
