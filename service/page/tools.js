// What can be done with an answer.

import { button, el } from "./dom.js";
import { THRESHOLD } from "./posterior.js";
import { record } from "./records.js";
import { csv, save } from "./save.js";

/** Buttons for files and for code; `actions` has python() and curl(). */
export function tools(results, unit, { python, curl, facts }) {
  const records = () => results.map((result) => record(flat(result), unit));
  const whole = () => ({ ...facts(), unit, level: 0.9, threshold_nats: THRESHOLD, records: records() });
  return el("div.row", { role: "group", "aria-label": "Take it with you" },
    button("CSV", () => save(`mizzle-${unit}.csv`, "text/csv", csv(records())), { "aria-label": "Save as CSV" }),
    button("JSON", () => save(`mizzle-${unit}.json`, "application/json", JSON.stringify(whole(), null, 2)), { "aria-label": "Save as JSON" }),
    button("Copy as Python", python), button("Copy as curl", curl));
}

/** A result whose sides are columns, with their names in their place. */
function flat(result) {
  const name = (side) => (typeof side === "string" ? side : side.map((column) => column.name).join(" + "));
  return { ...result, x: name(result.x), y: name(result.y) };
}
