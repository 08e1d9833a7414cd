// What can be done with an answer.

import { button, el } from "./dom.js";
import { record } from "./records.js";
import { csv, save } from "./save.js";
import { DEFAULT_LEVEL, DEFAULT_THRESHOLD } from "./settings.js";

/** @import { Result } from "./records.js" */
/** @import { Unit } from "./settings.js" */

/** @typedef {Omit<Result, "x" | "y" | "given"> & {x: Side, y: Side, given?: Side}} SidedResult a result of columns or of their names */
/** @typedef {string | {name: string}[]} Side */

/**
 * What the buttons of an answer do.
 * @typedef {object} Actions
 * @property {() => void} python
 * @property {() => void} curl
 * @property {() => object} facts what a file says besides records
 * @property {(result: {x: string, y: string}) => void} open goes to the question about one pair
 */

/**
 * Buttons for files and for code.
 * @param {SidedResult[]} results
 * @param {Unit} unit
 * @param {Actions} actions
 */
export function tools(results, unit, { python, curl, facts }) {
  const records = () => results.map((result) => record(flat(result), unit));
  const whole = () => ({
    ...facts(),
    unit,
    level: DEFAULT_LEVEL,
    threshold_nats: DEFAULT_THRESHOLD,
    records: records(),
  });
  return el(
    "div.row",
    { role: "group", "aria-label": "Take it with you" },
    button("CSV", () => save(`mizzle-${unit}.csv`, "text/csv", csv(records())), {
      "aria-label": "Save as CSV",
    }),
    button("JSON", () => save(`mizzle-${unit}.json`, "application/json", JSON.stringify(whole(), null, 2)), {
      "aria-label": "Save as JSON",
    }),
    button("Copy as Python", python),
    button("Copy as curl", curl),
  );
}

/**
 * A result whose sides are columns, with their names in their place.
 * @param {SidedResult} result
 * @returns {Result}
 */
function flat(result) {
  /** @param {Side} side */
  const name = (side) => (typeof side === "string" ? side : side.map((column) => column.name).join(" + "));
  const { x, y, given = "" } = result;
  return { ...result, x: name(x), y: name(y), given: name(given) };
}
