// The question in the fragment of the address, which a browser never sends: #data=known&mode=target&target=x
//
// data: a demo, by name; mode: pair | target | pairs; x, y: columns of a pair; given: those that are known beside it;
// target; columns: those against the target or among all pairs (none named: all); unit: nats | bits.

import { DEFAULT_UNIT } from "./settings.js";

/** @import { Unit } from "./settings.js" */

/** @typedef {"pair" | "target" | "pairs"} Mode */

/**
 * What a fragment can hold.
 * @typedef {object} Fragment
 * @property {string} [data]
 * @property {Mode} [mode]
 * @property {string} [target]
 * @property {Unit} [unit]
 * @property {string[]} [x]
 * @property {string[]} [y]
 * @property {string[]} [given]
 * @property {string[]} [columns]
 */

const SINGLE = { data: null, mode: ["pair", "target", "pairs"], target: null, unit: ["nats", "bits"] };
const LISTS = ["x", "y", "given", "columns"];
const MAX_LENGTH = 6000; // characters; longer lists of columns are left out

/**
 * The settings of a fragment; those that it does not name, or names wrongly, are absent.
 * @param {string} fragment
 * @returns {Fragment}
 */
export function parse(fragment) {
  const values = new URLSearchParams(fragment.replace(/^#/, ""));
  /** @type {Record<string, string | string[]>} */
  const settings = {};
  for (const [name, allowed] of Object.entries(SINGLE)) {
    const value = values.get(name);
    if (value !== null && (!allowed || allowed.includes(value))) settings[name] = value;
  }
  for (const name of LISTS) if (values.has(name)) settings[name] = values.getAll(name);
  return settings;
}

/**
 * The fragment of a question.
 * @param {{data: string | null, mode: Mode, unit: Unit, target: string, x: Iterable<string>, y: Iterable<string>,
 *   given?: Iterable<string>, columns?: Iterable<string>}} question
 */
export function format({ data, mode, unit, x, y, given, target, columns }) {
  const values = new URLSearchParams();
  if (data) values.set("data", data);
  values.set("mode", mode);
  if (mode === "pair") {
    for (const name of x) values.append("x", name);
    for (const name of y) values.append("y", name);
    for (const name of given ?? []) values.append("given", name);
  }
  if (mode === "target") values.set("target", target);
  if (mode !== "pair") for (const name of columns ?? []) values.append("columns", name);
  if (unit !== DEFAULT_UNIT) values.set("unit", unit);
  if (values.toString().length > MAX_LENGTH) values.delete("columns");
  return `#${values}`;
}
