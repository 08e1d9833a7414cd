// The same question in Python and in a shell.

import { address, estimatePath } from "./api.js";

/** @import { Mode } from "./fragment.js" */
/** @import { Table } from "./table.js" */

/**
 * A question whose columns are lists of names.
 * @typedef {object} NamedQuestion
 * @property {Mode} mode
 * @property {string[]} x
 * @property {string[]} y
 * @property {string[]} given
 * @property {string} target
 * @property {string[]} columns
 */

/**
 * A Python string; what cannot be seen, or turns the direction of what follows, is written as an escape.
 * @param {string} text
 */
export function quoted(text) {
  /** @param {string} letter */
  const escaped = (letter) => `\\U${(letter.codePointAt(0) ?? 0).toString(16).padStart(8, "0")}`;
  return JSON.stringify(text).replace(/[\p{Cf}\p{Zl}\p{Zp}\x7f-\x9f]/gu, escaped);
}

/** @param {string[]} names */
const list = (names) => `[${names.map(quoted).join(", ")}]`;

/**
 * Pandas, with what the page has recognised in a file; Parquet says it all itself.
 * @param {Pick<Table, "title" | "reading">} table
 */
function reader({ title, reading }) {
  if (!reading) return `read_parquet(${quoted(title)})`;
  const options = [quoted(title)];
  if (reading.separator !== ",") options.push(`sep=${quoted(reading.separator)}`);
  if (reading.comma) options.push(`decimal=","`);
  if (reading.markers?.length) options.push(`na_values=${list(reading.markers)}`);
  if (reading.headless) options.push("header=None");
  return `read_csv(${options.join(", ")})${reading.headless ? `.add_prefix("c")` : ""}`;
}

/**
 * Python that puts the same question about the same table to this service.
 * @param {NamedQuestion} question
 * @param {Pick<Table, "title" | "reading">} table
 * @param {boolean} keyed whether the service wants a key
 */
export function python(question, table, keyed) {
  const lines = ["import mizzle", "import pandas", "", `frame = pandas.${reader(table)}`];
  const key = keyed ? ", api_key=..." : "";
  lines.push(`with mizzle.Client(${quoted(address(".").replace(/\/$/, ""))}${key}) as client:`);
  lines.push(...CALLS[question.mode](question).map((line) => `    ${line}`));
  return lines.join("\n") + "\n";
}

/** @type {Record<Mode, (question: NamedQuestion) => string[]>} */
const CALLS = {
  pair: ({ x, y, given }) => [
    `x, y = frame[${list(x)}], frame[${list(y)}]`,
    ...(given.length ? [`given = frame[${list(given)}]`] : []),
    `print(client.estimate(x, y, ${given.length ? "given=given, " : ""}missing="drop"))`,
  ],
  target: ({ target, columns }) => [
    `ranking = client.rank(frame, ${quoted(target)}, columns=${list(columns)}, missing="drop")`,
    "print(ranking.to_frame())",
  ],
  pairs: ({ columns }) => [
    `matrix = client.matrix(frame, columns=${list(columns)}, missing="drop")`,
    "print(matrix.to_frame())",
  ],
};

/**
 * A command that sends a body saved from this page.
 * @param {Pick<NamedQuestion, "mode" | "x" | "given">} question
 * @param {number} bodies how many there are, where one is too small for all
 * @param {boolean} keyed whether the service wants a key
 */
export function curl(question, bodies, keyed) {
  const key = keyed ? ` -H "authorization: Bearer $MIZZLE_API_KEY"` : "";
  const single = question.mode === "pair";
  const dims = { x: question.x.length, given: question.given.length };
  const path = single ? estimatePath(dims) : "v1/estimate:batch";
  const media = single ? "application/x-npy" : "application/x-safetensors";
  /** @param {string} file */
  const send = (file) =>
    `curl -sS '${address(path)}'${key} \\\n  -H 'content-type: ${media}' --data-binary @${file}`;
  if (bodies === 1) return `${send(bodyName(question.mode))}\n`;
  return `for i in $(seq ${bodies}); do\n${send("pairs-$i.safetensors")}\ndone\n`;
}

/**
 * What a body is saved as.
 * @param {Mode} mode
 * @param {number | null} [i] counts from 1 where there are several
 */
export const bodyName = (mode, i = null) =>
  mode === "pair" ? "pair.npy" : i === null ? "pairs.safetensors" : `pairs-${i}.safetensors`;
