// The description of the interface, shown by Swagger UI, which is part of this package.

const url = new URL("../openapi.json", import.meta.url).href;
const [form, field, failure] = ["key", "key-value", "failure"].map((id) => document.getElementById(id));

/** Names as text: as links they would stand inside of the buttons that open what they name. */
const unlinked = ({ React }) => ({ components: { DeepLink: ({ text }) => React.createElement("span", {}, text) } });

/** Loads the description with a key, if one is needed, and shows it. */
async function load(key) {
  const headers = key ? { authorization: `Bearer ${key}` } : {};
  const response = await fetch(url, { headers, cache: "no-cache", credentials: "omit" }).catch(() => null);
  form.hidden = response?.status !== 401;
  if (!response?.ok) {
    const known = key ? "This key is not known." : "";
    failure.textContent = response?.status === 401 ? known : "The description cannot be loaded. Is the service running?";
    return field.focus();
  }
  failure.textContent = "";
  const shown = { spec: await response.json(), domNode: document.getElementById("description"), deepLinking: true, plugins: [unlinked] };
  const ui = SwaggerUIBundle({ ...shown, validatorUrl: null, persistAuthorization: false, tryItOutEnabled: false });
  if (key) ui.preauthorizeApiKey("bearer", key);
  return ui;
}

form.addEventListener("submit", (event) => {
  event.preventDefault();
  load(field.value.trim());
  field.value = "";
});
load("");
