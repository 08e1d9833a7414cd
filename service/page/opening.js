// How the page begins: an introduction, the demos to choose from, and files that are chosen or dropped.

import { DEMOS } from "./demos.js";
import { byId, el, fieldById, fill } from "./dom.js";

/** Puts an introduction in the place of an answer. */
export function welcome() {
  fill(
    byId("answer"),
    el(
      "div.intro",
      {},
      el("h2", {}, "How much do these columns say about each other?"),
      el(
        "p",
        {},
        "Mutual information measures dependence of any shape: 0 where two columns are independent, more the better one can be told from the other. It is estimated here from the rows of a table, with intervals that say how sure the estimate is.",
      ),
      el("p.quiet", {}, "Open a table on this page, or take a demo: its answer is shown at once."),
    ),
  );
}

/**
 * Shows the demos.
 * @param {(name: string) => void} open called with the demo that is chosen
 */
export function showDemos(open) {
  const buttons = [...DEMOS].map(([name, { title, about, source }]) =>
    el(
      "button.demo",
      {
        type: "button",
        "data-name": name,
        "aria-pressed": "false",
        title: source,
        onclick: () => open(name),
      },
      el("b", {}, title),
      el("span.quiet", {}, about),
    ),
  );
  fill(byId("demos"), buttons);
}

/**
 * Files can be chosen, and dropped anywhere on the page.
 * @param {(file: File) => void} open
 */
export function listenForFiles(open) {
  const field = fieldById("file");
  field.addEventListener("change", () => {
    if (field.files?.[0]) open(field.files[0]);
    field.value = "";
  });
  const drop = byId("drop");
  for (const name of ["dragenter", "dragover"]) {
    document.addEventListener(name, (event) => {
      event.preventDefault();
      drop.classList.add("over");
    });
  }
  for (const name of ["dragleave", "drop"])
    document.addEventListener(name, () => drop.classList.remove("over"));
  document.addEventListener("drop", (event) => {
    event.preventDefault();
    const file = event.dataTransfer?.files[0];
    if (file) open(file);
  });
}
