// The answer about one pair.

import { figure } from "./charts.js";
import { choice, el, fill, label, named, query } from "./dom.js";
import { notes } from "./notes.js";
import { quantileChart, sampleChart, scaleChart } from "./pair_charts.js";
import { convert, correlation } from "./posterior.js";
import { summary } from "./records.js";
import { DEFAULT_THRESHOLD, LEVEL_TEXT } from "./settings.js";
import { tools } from "./tools.js";
import { amount, count, percent } from "./words.js";

/** @import { Answer } from "./posterior.js" */
/** @import { Unit } from "./settings.js" */
/** @import { Column } from "./table.js" */
/** @import { Actions } from "./tools.js" */

/** @typedef {Pick<Column, "name" | "labels" | "values">} SentColumn the rows of it that were sent */

/**
 * The answer about one pair of sides.
 * @typedef {object} PairResult
 * @property {SentColumn[]} x
 * @property {SentColumn[]} y
 * @property {SentColumn[]} given
 * @property {Column[]} columns of all sides
 * @property {number} rows of the table
 * @property {number} n complete rows
 * @property {number} dropped
 * @property {string[]} codes
 * @property {Answer} answer
 * @property {number | null} truth nats, where they are known
 * @property {number} gaussian nats, if all were normal
 * @property {number} [pvalue] once it was tested
 */

/**
 * The whole card.
 * @param {PairResult} result
 * @param {Unit} unit
 * @param {Actions} actions
 * @param {HTMLElement} chance the part that says whether it could be chance
 */
export function pairView(result, unit, actions, chance) {
  const { x, y, given } = result;
  const title = [sides(x), " and ", sides(y), given.length ? [" given ", sides(given)] : null];
  const between = figure("Where it lies", (width) => scaleChart(result, unit, width), "interval");
  const curve = figure("How sure", (width) => quantileChart(result, unit, width), "quantiles");
  return el(
    "article.card",
    { "aria-label": "Answer about one pair" },
    el("div.head", {}, el("h2", {}, title.flat(2)), tools([result], unit, actions)),
    headline(result, unit),
    given.length ? condition(given) : null,
    between,
    facts(result, unit),
    notes(result),
    chance,
    el("div.side", {}, sample(result), curve),
  );
}

/** @param {{name: string}[]} columns */
const sides = (columns) => columns.flatMap(({ name }, i) => [i ? " + " : null, named(name)]);

/** @param {{name: string}[]} given */
const condition = (given) =>
  el(
    "p.quiet",
    { id: "condition" },
    "What x and y still share where ",
    sides(given),
    ` ${given.length === 1 ? "is" : "are"} known: the conditional information I(X;Y|Z).`,
  );

/**
 * @param {PairResult} result
 * @param {Unit} unit
 */
function headline({ answer }, unit) {
  const { mi, low, high } = summary(answer, unit);
  return el(
    "p.headline",
    { id: "headline" },
    el("strong", {}, amount(mi)),
    el("span", {}, unit),
    el("span.range", {}, `${LEVEL_TEXT} interval ${amount(low)} to ${amount(high)}`),
  );
}

/**
 * @param {PairResult} result
 * @param {Unit} unit
 */
function facts({ answer, n, gaussian, x, y, given }, unit) {
  const { below: share, median } = summary(answer, unit);
  const single = x.length + y.length === 2;
  const entries = [
    [
      `Same as a ${given.length ? "partial " : ""}correlation of`,
      single ? correlation(answer.mi).toFixed(2) : null,
    ],
    [`Chance of less than ${amount(convert(DEFAULT_THRESHOLD, unit))} ${unit}`, percent(share)],
    [
      "If all were normal",
      Number.isFinite(gaussian) ? `${amount(convert(gaussian, unit))} ${unit}` : "not defined",
    ],
    ["Median", `${amount(median)} ${unit}`],
    ["Rows", count(n)],
  ];
  return el(
    "dl.facts",
    {},
    entries
      .filter(([, value]) => value)
      .map(([term, value]) => el("div", {}, el("dt", {}, term), el("dd", {}, value))),
  );
}

/**
 * The sample; of sides with several columns one each, which can be chosen.
 * @param {PairResult} result
 */
function sample({ x, y }) {
  const axes = { x: x[0], y: y[0] };
  const chart = figure("The sample", (width) => sampleChart(axes.x, axes.y, width), "sample", el("div.axes"));
  /**
   * @param {"x" | "y"} side
   * @param {SentColumn[]} columns
   */
  const pick = (side, columns) => {
    const names = columns.map(({ name }) => label(name, 40));
    /** @param {number} i */
    const onchoice = (i) => {
      axes[side] = columns[i];
      chart.redraw();
    };
    return columns.length > 1 ? choice(side, names, 0, onchoice) : null;
  };
  fill(query(chart, ".axes"), pick("x", x), pick("y", y));
  return chart;
}
