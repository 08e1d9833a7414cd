// What a cell of a table is: missing, a number, a time. The command reads CSV by the same rules (sdk/files).

/** @typedef {string | number | bigint | boolean | Date | null | undefined} Cell */

const NUMBER = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?$/i;
// What stands for a missing cell besides an empty one: the list of sdk/files/markers.py.
export const MARKERS = [
  "NA",
  "na",
  "N/A",
  "n/a",
  "#N/A",
  "#N/A N/A",
  "#NA",
  "<NA>",
  "NaN",
  "nan",
  "NAN",
  "-NaN",
  "-nan",
  "NULL",
  "null",
  "None",
  "?",
  ".",
  "-1.#IND",
  "1.#IND",
  "-1.#QNAN",
  "1.#QNAN",
];
export const NOT_OF_PANDAS = ["na", "NAN", "?", "."]; // of these
const INFINITE = ["inf", "-inf", "+inf", "Inf", "-Inf", "Infinity", "-Infinity"]; // which no estimate could use
const MISSING = new Set(["", ...MARKERS, ...INFINITE]);
// Year, month, day, clock and zone, as sdk/files/times.py has them.
const TIME =
  /^(\d{4})(?:-(\d\d)|([-/])(\d\d)\3(\d\d)(?:[T ](\d\d):(\d\d)(?::(\d\d)([.,]\d{1,9})?)? ?(Z|UTC|[+-]\d\d(?::?\d\d)?)?)?)$/;

/** @param {Cell} cell */
export function isMissing(cell) {
  if (cell === null || cell === undefined) return true;
  if (typeof cell === "number") return !Number.isFinite(cell);
  return typeof cell === "string" && MISSING.has(cell.trim());
}

/**
 * A cell as a number, or null where it is none; dates count in milliseconds.
 * @param {Cell} cell
 */
export function number(cell) {
  if (typeof cell === "number" || typeof cell === "bigint") return Number(cell);
  if (cell instanceof Date) return cell.getTime();
  return typeof cell === "string" && NUMBER.test(cell.trim()) ? Number(cell) : null;
}

/**
 * Whether a text is a number or a missing cell: a first line of such is no line of names.
 * @param {string} text
 */
export const isValue = (text) => number(text) !== null || isMissing(text);

/**
 * A number without rounding: whole ones beyond 2^53 as such.
 * @param {Cell} cell
 */
export function exact(cell) {
  if (typeof cell === "bigint") return cell;
  const whole = typeof cell === "string" && /^[+-]?\d+$/.test(cell.trim());
  return whole ? BigInt(cell.trim().replace(/^\+/, "")) : number(cell);
}

/**
 * Texts as milliseconds, those of a zone in UTC; null where one is no time, or some have a zone and some not.
 * @param {string[]} texts
 */
export function times(texts) {
  const matches = texts.map((text) => TIME.exec(text.trim()));
  const first = matches[0];
  if (!first) return null;
  const values = matches.map((match) =>
    match && (match[10] === undefined) === (first[10] === undefined) ? milliseconds(match) : null,
  );
  return values.includes(null) ? null : /** @type {number[]} */ (values);
}

/** @param {RegExpExecArray} match of TIME */
function milliseconds([
  ,
  year,
  alone,
  ,
  month,
  day = "1",
  hour = "0",
  minute = "0",
  second = "0",
  part,
  zone,
]) {
  const date = new Date(0);
  date.setUTCFullYear(+year, +(alone ?? month) - 1, +day);
  date.setUTCHours(+hour, +minute, +second);
  const same = date.getUTCMonth() + 1 === +(alone ?? month) && date.getUTCDate() === +day;
  if (!same || +hour > 23 || +minute > 59 || +second > 59) return null;
  return date.getTime() + 1000 * Number(`0${(part ?? "").replace(",", ".")}`) - 60_000 * ahead(zone);
}

/**
 * Minutes that a zone is ahead of UTC.
 * @param {string} [zone]
 */
function ahead(zone) {
  if (!zone || !/\d/.test(zone)) return 0;
  const digits = zone.slice(1).replace(":", "").padEnd(4, "0");
  const minutes = 60 * Number(digits.slice(0, 2)) + Number(digits.slice(2));
  return zone[0] === "-" ? -minutes : minutes;
}

/**
 * Whether cells of a column without a name number or name the rows: all differ, and are no measurements.
 * @param {string[]} cells
 */
export function isIndex(cells) {
  const texts = cells.map((cell) => (cell ?? "").trim());
  if (!texts.length || texts.includes("") || new Set(texts).size < texts.length) return false;
  if (texts.some((text) => NUMBER.test(text))) return texts.every((text) => /^[+-]?\d+$/.test(text));
  return times(texts) === null;
}
