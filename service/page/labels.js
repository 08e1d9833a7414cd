// Tells labels from text that is none, whose codes would be of no use: the rules of sdk/data/labels.py.

const MANY = 20; // different texts that may be labels in a column of any length
const SHARE = 5; // more of them are labels only where each stands, on average, in so many rows
const DATE = /^(?:\d{1,2}([./-])\d{1,2}\1\d{2,4}|\d{4}([./-])\d{1,2}\2\d{1,2})(?:[T ].*)?$/;
const ISO = /^\d{4}-\d\d-\d\d(?:[T ].*)?$/; // in which the alphabet is the order of time
const MARKS = /[,.%'\u2019\s$€£¥]/g;
const NUMBER = /^[+-]?\d+(?:e[+-]?\d+)?$/i;
/** @type {[string, string][]} */
const NAMED = [
  ["commas", ","],
  ["percent signs", "%"],
  ["currency signs", "$€£¥"],
  ["apostrophes", "'\u2019"],
  ["spaces", " \u00a0\u202f"],
];

/**
 * What the different texts of a column are instead of labels, in words; "" where they are labels.
 * @param {string[]} texts without spaces around them
 * @param {number} rows how many rows have one of them
 */
export function otherThanLabels(texts, rows) {
  const many = texts.length > Math.max(MANY, rows / SHARE);
  let kind = many ? "free text" : "";
  if (mostly(texts, (text) => DATE.test(text)))
    kind = many || !mostly(texts, (text) => ISO.test(text)) ? "dates as text" : "";
  else if (mostly(texts, (text) => NUMBER.test(text.replace(MARKS, "")))) kind = numbers(texts, many);
  return kind && `${kind}, ${texts.length} different values in ${rows} rows`;
}

/**
 * @param {string[]} texts
 * @param {(text: string) => boolean} fits
 */
const mostly = (texts, fits) => 2 * texts.filter(fits).length > texts.length;

/**
 * Numbers by what is in them; of bare digits of one length the alphabet is the order, as of postcodes.
 * @param {string[]} texts
 * @param {boolean} many
 */
function numbers(texts, many) {
  const marks = NAMED.filter(([, signs]) =>
    texts.some((text) => [...signs].some((sign) => text.includes(sign))),
  );
  if (marks.length) return `numbers with ${marks.map(([name]) => name).join(" and ")}`;
  const bare =
    texts.every((text) => /^\d+$/.test(text)) && new Set(texts.map((text) => text.length)).size === 1;
  return bare && !many ? "" : "numbers as text";
}
