// The dialog for an API key.

import { at } from "./dom.js";

/** Wires the dialog to an Api; `changed` is told when another key is in use. Returns what opens it. */
export function keyDialog(api, changed) {
  const [dialog, field, why] = [at("key"), at("key-value"), at("key-why")];
  const usual = why.textContent;
  const open = (reason) => {
    why.textContent = reason ?? usual;
    if (!dialog.open) dialog.showModal();
    field.focus();
  };
  dialog.addEventListener("close", () => {
    const key = field.value;
    field.value = "";
    if (dialog.returnValue !== "use") return;
    api.use(key);
    at("key-open").textContent = api.hasKey ? "API key in use" : "API key";
    changed();
  });
  at("key-open").addEventListener("click", () => open());
  return open;
}
