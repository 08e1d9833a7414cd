// What was noticed, in words: by the service about a sample, and by the page about columns.

import { sentence } from "./api.js";
import { el, named } from "./dom.js";
import { remarks } from "./problem.js";

const SHORT = {
  coded: "text as codes",
  ties: "ties",
  unfamiliar: "unfamiliar",
  limited_by_entropy: "near its limit",
  deterministic: "one determines the other",
  above_log_n: "more than the rows can show",
  rows_out_of_range: "unusual number of rows",
  repeated_rows: "repeated rows",
  rows_alike: "a series of rows",
  time: "dates as seconds",
};

/** A code in two words. */
export const short = (code) => SHORT[code] ?? (code.startsWith("constant") ? "constant" : code.replaceAll("_", " "));

/** Everything that was noticed about one pair, as a list. */
export function notes({ answer, columns, dropped, rows }) {
  const said = remarks(columns, dropped, rows).map(({ name, text }) => el("li.note", {}, name == null ? null : named(name), text));
  for (const { message } of answer.warnings) said.push(el("li.note", {}, sentence(message)));
  return said.length ? el("ul.notes", { "aria-label": "Notes" }, said) : null;
}

/** The short words of a table, each with a sentence. */
export function glossary(results) {
  const first = new Map();
  for (const { answer } of results) for (const { code, message } of answer?.warnings ?? []) if (!first.has(short(code))) first.set(short(code), message);
  if (!first.size) return null;
  const entries = [...first].flatMap(([word, message]) => [el("dt", {}, word), el("dd", {}, `For example: ${sentence(message)}`)]);
  return el("details", {}, el("summary", {}, "What the notes mean"), el("dl", {}, entries));
}
