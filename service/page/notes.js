// What was noticed, in words: by the service about a sample, and by the page about columns.

import { sentence } from "./api.js";
import { el, named } from "./dom.js";
import { remarks } from "./problem.js";

/** @import { Answer } from "./posterior.js" */
/** @import { Column } from "./table.js" */

/** @type {Record<string, string>} */
const SHORT = {
  coded: "text as codes",
  ties: "ties",
  copies_x: "copied columns in x",
  copies_y: "copied columns in y",
  unfamiliar: "unfamiliar",
  unordered: "labels without an order",
  limited_by_entropy: "near its limit",
  deterministic: "one determines the other",
  above_log_n: "more than the rows can show",
  rows_out_of_range: "unusual number of rows",
  blocks: "answered in blocks",
  repeated_rows: "repeated rows",
  rows_alike: "a series of rows",
  contradiction: "two estimates contradict",
  determined: "decided by what is given",
  nearly_determined: "nearly decided by what is given",
  time: "dates as seconds",
};

/**
 * A code in two words.
 * @param {string} code
 */
export const short = (code) =>
  SHORT[code] ?? (code.startsWith("constant") ? "constant" : code.replaceAll("_", " "));

/**
 * Everything that was noticed about one pair, as a list.
 * @param {{answer: Answer, columns: Column[], dropped: number, rows: number}} result
 */
export function notes({ answer, columns, dropped, rows }) {
  const items = remarks(columns, dropped, rows).map(({ name, text }) =>
    el("li.note", {}, name == null ? null : named(name), text),
  );
  for (const { message } of answer.warnings) items.push(el("li.note", {}, sentence(message)));
  return items.length ? el("ul.notes", { "aria-label": "Notes" }, items) : null;
}

/**
 * The short words of a table, each with a sentence.
 * @param {{answer?: Answer}[]} results
 */
export function glossary(results) {
  const first = new Map();
  for (const { code, message } of results.flatMap(({ answer }) => answer?.warnings ?? [])) {
    if (!first.has(short(code))) first.set(short(code), message);
  }
  if (!first.size) return null;
  const entries = [...first].flatMap(([word, message]) => [
    el("dt", {}, word),
    el("dd", {}, `For example: ${sentence(message)}`),
  ]);
  return el("details", {}, el("summary", {}, "What the notes mean"), el("dl", {}, entries));
}
