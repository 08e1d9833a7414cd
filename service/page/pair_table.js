// A table of pairs, the strongest first: the twin in words of a ranking and of a heat-map.

import { sentence } from "./api.js";
import { button, el, named } from "./dom.js";
import { short } from "./notes.js";
import { THRESHOLD, convert } from "./posterior.js";
import { summary } from "./records.js";
import { amount, count, percent, plural } from "./words.js";

const PAGE = 200; // rows at first, and with every further wish

/**
 * @param {object[]} results sorted
 * @param {(result: object) => object[]} names of the columns that say which pair it is
 * @param {(result: object) => void} open what to do with a pair that is chosen
 */
export function pairTable(title, results, unit, names, open) {
  const noted = results.some((result) => !result.answer || remarked(result));
  const body = el("tbody", {});
  const more = button("", () => add());
  let shown = 0;
  const add = () => {
    body.append(...results.slice(shown, shown + PAGE).map((result) => line(result, unit, names, open, noted)));
    shown = Math.min(shown + PAGE, results.length);
    more.hidden = shown === results.length;
    more.textContent = `Show more of the ${count(results.length)} pairs`;
  };
  add();
  const heads = ["Columns", unit, "90 % interval", `Below ${amount(convert(THRESHOLD, unit))}`];
  if (noted) heads.push("Notes");
  const table = el("table", {}, el("caption.unseen", {}, title), el("thead", {}, el("tr", {}, heads.map((head) => el(head === "Notes" ? "th.words" : "th", { scope: "col" }, head)))), body);
  return el("div.column", {}, el("div.scroll", { tabIndex: 0, role: "region", "aria-label": title }, table), more);
}

function line(result, unit, names, open, noted) {
  const words = names(result).flatMap((name, i) => [i ? " and " : null, named(name)]);
  if (!result.answer) {
    return el("tr.out", {}, el("th", { scope: "row" }, words), el("td.bad", { colSpan: 4 }, sentence(result.error)));
  }
  const { mi, low, high, below } = summary(result.answer, unit);
  const chosen = el("button.link", { type: "button", onclick: () => open(result) }, words);
  const cells = [amount(mi), `${amount(low)} – ${amount(high)}`, percent(below)];
  return el("tr", {}, el("th", { scope: "row" }, chosen), cells.map((cell) => el("td", {}, cell)), noted ? el("td.words", {}, remarked(result)) : null);
}

function remarked({ answer, dropped, codes }) {
  const said = [...codes, ...answer.warnings.map(({ code }) => code)].map(short);
  if (dropped) said.unshift(`${plural(dropped, "row")} dropped`);
  return [...new Set(said)].join(", ");
}
