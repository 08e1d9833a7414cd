// The same question in Python and in a shell.

import { address } from "./api.js";

/** A Python string; what cannot be seen, or turns the direction of what follows, is written as an escape. */
export function quoted(text) {
  const escaped = (letter) => `\\U${letter.codePointAt(0).toString(16).padStart(8, "0")}`;
  return JSON.stringify(text).replace(/[\p{Cf}\p{Zl}\p{Zp}\x7f-\x9f]/gu, escaped);
}

const list = (names) => `[${names.map(quoted).join(", ")}]`;

/** Pandas, told what the page has found out about a file; of Parquet there is nothing to find out. */
function reader({ title, reading }) {
  if (!reading) return `read_parquet(${quoted(title)})`;
  const options = [quoted(title)];
  if (reading.separator !== ",") options.push(`sep=${quoted(reading.separator)}`);
  if (reading.comma) options.push(`decimal=","`);
  if (reading.headless) options.push("header=None");
  return `read_csv(${options.join(", ")})${reading.headless ? `.add_prefix("c")` : ""}`;
}

/** Python that asks this service the same question of the same table. */
export function python(question, table, keyed) {
  const lines = ["import mizzle", "import pandas", "", `frame = pandas.${reader(table)}`];
  const key = keyed ? ", api_key=..." : "";
  lines.push(`with mizzle.Client(${quoted(address(".").replace(/\/$/, ""))}${key}) as client:`);
  lines.push(...ASKED[question.mode](question).map((line) => `    ${line}`));
  return lines.join("\n") + "\n";
}

const asArrays = (x, y) => [
  `rows = frame[${list([...x, ...y])}].dropna()`,
  `print(client.estimate(rows[${list(x)}], rows[${list(y)}]))`,
];

/** Text becomes codes where whole tables are read, and only there. */
const asGroups = (x, y) => [
  `groups = {"x": ${list(x)}, "y": ${list(y)}}`,
  `print(client.matrix(frame, columns=[], groups=groups, missing="drop").to_frame())`,
];

const ASKED = {
  pair: ({ x, y, coded }) => (coded ? asGroups(x, y) : asArrays(x, y)),
  target: ({ target, columns }) => [
    `ranking = client.rank(frame, ${quoted(target)}, columns=${list(columns)}, missing="drop")`,
    "print(ranking.to_frame())",
  ],
  pairs: ({ columns }) => [
    `matrix = client.matrix(frame, columns=${list(columns)}, missing="drop")`,
    "print(matrix.to_frame())",
  ],
};

/** A command that sends a body saved from this page; `bodies` of them where one is too small for all. */
export function curl(question, bodies, keyed) {
  const key = keyed ? ` -H "authorization: Bearer $MIZZLE_API_KEY"` : "";
  const one = question.mode === "pair";
  const path = one ? `v1/estimate?dim_x=${question.x.length}&levels=all` : "v1/estimate:batch";
  const media = one ? "application/x-npy" : "application/x-safetensors";
  const send = (file) => `curl -sS '${address(path)}'${key} \\\n  -H 'content-type: ${media}' --data-binary @${file}`;
  if (bodies === 1) return `${send(bodyName(question.mode))}\n`;
  return `for i in $(seq ${bodies}); do\n${send("pairs-$i.safetensors")}\ndone\n`;
}

/** What a body is saved as; `i` counts from 1 where there are several. */
export const bodyName = (mode, i = null) =>
  mode === "pair" ? "pair.npy" : i === null ? "pairs.safetensors" : `pairs-${i}.safetensors`;
