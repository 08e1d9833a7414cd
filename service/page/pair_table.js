// A table of pairs, the strongest first: the twin in words of a ranking and of a heat-map.

import { sentence } from "./api.js";
import { button, el, named } from "./dom.js";
import { short } from "./notes.js";
import { convert } from "./posterior.js";
import { summary } from "./records.js";
import { DEFAULT_THRESHOLD, LEVEL_TEXT } from "./settings.js";
import { amount, count, percent, plural } from "./words.js";

/** @import { Result } from "./records.js" */
/** @import { Unit } from "./settings.js" */

/** @typedef {(result: Result) => string[]} Names of the columns that say which pair a result is of */
/** @typedef {(result: Result) => void} Open what to do with a pair that is chosen */

const PAGE = 200; // rows at first, and with every further wish

/**
 * @param {string} title
 * @param {Result[]} results sorted
 * @param {Unit} unit
 * @param {Names} names
 * @param {Open} open
 */
export function pairTable(title, results, unit, names, open) {
  const noted = results.some((result) => !result.answer || remarked(result));
  const body = el("tbody", {});
  const more = button("", () => add());
  let end = 0;
  const add = () => {
    body.append(...results.slice(end, end + PAGE).map((result) => line(result, unit, names, open, noted)));
    end = Math.min(end + PAGE, results.length);
    more.hidden = end === results.length;
    more.textContent = `Show more of the ${count(results.length)} pairs`;
  };
  add();
  const heads = [
    "Columns",
    unit,
    `${LEVEL_TEXT} interval`,
    `Below ${amount(convert(DEFAULT_THRESHOLD, unit))}`,
  ];
  if (noted) heads.push("Notes");
  const cells = heads.map((head) => el(head === "Notes" ? "th.words" : "th", { scope: "col" }, head));
  const table = el("table", {}, el("caption.unseen", {}, title), el("thead", {}, el("tr", {}, cells)), body);
  return el(
    "div.column",
    {},
    el("div.scroll", { tabIndex: 0, role: "region", "aria-label": title }, table),
    more,
  );
}

/**
 * @param {Result} result
 * @param {Unit} unit
 * @param {Names} names
 * @param {Open} open
 * @param {boolean} noted whether there is a column of notes
 */
function line(result, unit, names, open, noted) {
  const words = names(result).flatMap((name, i) => [i ? " and " : null, named(name)]);
  if (!result.answer) {
    return el(
      "tr.out",
      {},
      el("th", { scope: "row" }, words),
      el("td.bad", { colSpan: 4 }, sentence(result.error ?? "")),
    );
  }
  const { mi, low, high, below } = summary(result.answer, unit);
  const opener = el("button.link", { type: "button", onclick: () => open(result) }, words);
  const cells = [amount(mi), `${amount(low)} – ${amount(high)}`, percent(below)];
  return el(
    "tr",
    {},
    el("th", { scope: "row" }, opener),
    cells.map((cell) => el("td", {}, cell)),
    noted ? el("td.words", {}, remarked(result)) : null,
  );
}

/** @param {Result} result */
function remarked({ answer, dropped, codes }) {
  const words = [...codes, ...(answer?.warnings ?? []).map(({ code }) => code)].map(short);
  if (dropped) words.unshift(`${plural(dropped, "row")} dropped`);
  return [...new Set(words)].join(", ");
}
