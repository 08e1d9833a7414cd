// The description of the interface, shown by Swagger UI, which is part of this package.

import { byId, fieldById } from "./dom.js";

const url = new URL("../openapi.json", import.meta.url).href;
const [form, field, failure] = [byId("key"), fieldById("key-value"), byId("failure")];

/**
 * Names as text: as links they would stand inside of the buttons that open what they name.
 * @param {{React: {createElement: (tag: string, properties: object, text: string) => object}}} system
 */
const unlinked = ({ React }) => ({
  components: { DeepLink: (/** @type {{text: string}} */ { text }) => React.createElement("span", {}, text) },
});

/**
 * Loads the description with a key, if one is needed, and shows it.
 * @param {string} key
 */
async function load(key) {
  const headers = new Headers(key ? { authorization: `Bearer ${key}` } : {});
  const response = await fetch(url, { headers, cache: "no-cache", credentials: "omit" }).catch(() => null);
  form.hidden = response?.status !== 401;
  if (!response?.ok) {
    const known = key ? "This key is not known." : "";
    failure.textContent =
      response?.status === 401 ? known : "The description cannot be loaded. Is the service running?";
    return field.focus();
  }
  failure.textContent = "";
  const content = {
    spec: await response.json(),
    domNode: document.getElementById("description"),
    deepLinking: true,
    plugins: [unlinked],
  };
  const ui = SwaggerUIBundle({
    ...content,
    validatorUrl: null,
    persistAuthorization: false,
    tryItOutEnabled: false,
  });
  if (key) ui.preauthorizeApiKey("bearer", key);
  return ui;
}

form.addEventListener("submit", (event) => {
  event.preventDefault();
  load(field.value.trim());
  field.value = "";
});
load("");
