// A table as the page knows it: columns of numbers, with what had to be done to get there.
//
// Column: { name, kind: "number" | "text", values: Float64Array (NaN: missing), missing, strays, labels, constant, empty }
// `strays`: text cells of a column of numbers, which count as missing; `labels`: the texts behind the codes.

const NUMBER = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?$/i;
// As pandas reads CSV, and infinities, which no estimate could use.
const NOTHING = new Set(
  ["", "NA", "N/A", "n/a", "#N/A", "#NA", "<NA>", "NaN", "nan", "-NaN", "-nan", "NULL", "null", "None"].concat(
    ["inf", "-inf", "+inf", "Inf", "-Inf", "Infinity", "-Infinity"],
  ),
);
const MOSTLY = 0.9; // of the cells that are there have to be numbers, or the column is text
const EXACT = 2 ** 53;

/** A table of named columns of raw cells (text, numbers, bigints, booleans, dates, null). */
export function table(title, names, cells, remarks = []) {
  return { title, columns: distinct(names).map((name, j) => column(name, cells[j])), rows: cells[0].length, remarks };
}

/** Names that differ, as pandas makes them: the second "a" becomes "a.1", no name "Unnamed: 3" by its place. */
function distinct(names) {
  const taken = new Set(names);
  const seen = new Set();
  return names.map((given, j) => {
    const name = given || `Unnamed: ${j}`;
    let free = name;
    for (let i = 1; seen.has(free); i += 1) if (!taken.has(`${name}.${i}`)) free = `${name}.${i}`;
    seen.add(free);
    return free;
  });
}

function column(name, cells) {
  const read = Array.from(cells, number);
  const there = Array.from(cells, (cell) => !nothing(cell));
  const given = there.filter(Boolean).length;
  const numeric = read.filter((v, i) => there[i] && v !== null).length;
  const made = given === 0 || numeric >= MOSTLY * given ? numbers(read, given - numeric) : codes(cells, there);
  const kept = made.values.filter((v) => !Number.isNaN(v));
  const constant = kept.length > 0 && kept.every((v) => v === kept[0]);
  return { name, missing: cells.length - kept.length - made.strays, constant, empty: !kept.length, ...made };
}

function numbers(read, strays) {
  const values = Float64Array.from(read, (v) => (v === null || !Number.isFinite(v) ? NaN : v));
  const rounded = values.some((v) => Number.isInteger(v) && Math.abs(v) > EXACT);
  return { kind: "number", values, strays, labels: null, rounded };
}

/** Texts as whole numbers, in the order of the alphabet. */
function codes(cells, there) {
  const texts = Array.from(cells, (cell) => String(cell).trim());
  const labels = [...new Set(texts.filter((_, i) => there[i]))].sort((a, b) => (a < b ? -1 : 1));
  const code = new Map(labels.map((text, i) => [text, i]));
  const values = Float64Array.from(texts, (text, i) => (there[i] ? code.get(text) : NaN));
  return { kind: "text", values, strays: 0, labels, rounded: false };
}

function nothing(cell) {
  if (cell === null || cell === undefined) return true;
  if (typeof cell === "number") return !Number.isFinite(cell);
  return typeof cell === "string" && NOTHING.has(cell.trim());
}

/** A cell as a number, or null where it is none; dates count in milliseconds. */
function number(cell) {
  if (typeof cell === "number" || typeof cell === "bigint") return Number(cell);
  if (cell instanceof Date) return cell.getTime();
  return typeof cell === "string" && NUMBER.test(cell.trim()) ? Number(cell) : null;
}

/** Whether a text is a number or a missing cell: a first line of such is no line of names. */
export const isValue = (text) => number(text) !== null || nothing(text);
