// The part of an answer that says whether it could be chance: a button, and what the test has found.

import { COUNT, finding, test, untested } from "./chance.js";
import { draw, figure, theme } from "./charts.js";
import { cost } from "./cost.js";
import { announce, button, choice, el, fill } from "./dom.js";
import { convert } from "./posterior.js";
import { DEFAULT_UNIT } from "./settings.js";
import { amount, duration } from "./words.js";
import { run } from "./work.js";

/** @import { Test } from "./chance.js" */
/** @import { Context } from "./estimate.js" */
/** @import { PairResult } from "./pair_view.js" */
/** @import { Problem } from "./problem.js" */
/** @import { Unit } from "./settings.js" */
/** @import { Kind } from "./surrogates.js" */

/** @type {Kind[]} */
const KINDS = ["shuffle", "shift"];
const CHOICES = ["Shuffled rows", "Circular shifts, for series"];
const ABOUT =
  "It is compared with samples in which the rows of y come in other orders, so that it shares nothing with x but by chance.";
const ABOUT_GIVEN =
  "It is compared with samples in which y is exchanged among rows of nearly the same given, so that it shares nothing else with x but by chance.";
const SERIES =
  "The rows look like a series. Shuffled ones would call any two slow series dependent, so that their p-value does not hold; circular shifts keep what each series remembers.";
const SERIES_GIVEN =
  "The rows look like a series. Rows that are exchanged forget that, so that the p-value may be too small.";
const SLOW = 3; // seconds from which a test says how long it takes

/**
 * The part about one answer. It stays the same element while the answer is drawn anew, and a test goes on in it.
 * @param {Context} context
 * @param {Problem} problem
 * @param {PairResult} result gets the p-value, for files
 * @returns {(unit: Unit) => HTMLElement} the element with its amounts in a unit
 */
export function chanceSection({ api, limits, unauthorised }, problem, result) {
  const isGiven = result.given.length > 0;
  const isSeries = result.answer.warnings.some(({ code }) => code === "rows_alike");
  /** @type {Kind} */
  let kind = isGiven ? "local" : isSeries ? "shift" : "shuffle";
  /** @type {Unit} */
  let unit = DEFAULT_UNIT;
  /** @type {Test | undefined} */
  let found;
  const place = el("div.column", {});
  const show = () => found && fill(place, view(found, result.answer.mi, unit, isSeries));
  const begin = async () => {
    found = undefined;
    delete result.pvalue;
    found = await run(
      place,
      "Testing",
      (tools) => test(api, problem, result.answer.mi, kind, tools),
      unauthorised,
    );
    if (!found) return;
    result.pvalue = found.pvalue;
    show();
    announce(finding(found));
  };
  const pick = choice("Compare with", CHOICES, KINDS.indexOf(kind), (i) => {
    kind = KINDS[i];
  });
  const long = (COUNT * cost(problem)) / limits.cells_per_second;
  const reason = untested(problem.n);
  const controls = el(
    "div.go",
    {},
    isGiven ? null : pick,
    button("Test", begin),
    el("span.quiet", {}, long > SLOW ? `${duration(long)} at this service's pace` : ""),
  );
  const warning = el("p.note", {}, isGiven ? SERIES_GIVEN : SERIES);
  const element = el(
    "section.chance",
    { "aria-label": "Could this be chance?" },
    el("h3", {}, "Could this be chance?"),
    el("p.quiet", {}, isGiven ? ABOUT_GIVEN : ABOUT),
    isSeries ? warning : null,
    reason ? el("p.note", {}, reason) : controls,
    place,
  );
  return (wanted) => {
    unit = wanted;
    show();
    return element;
  };
}

/**
 * What a test has found.
 * @param {Test} found
 * @param {number} estimate nats
 * @param {Unit} unit
 * @param {boolean} isSeries
 */
function view(found, estimate, unit, isSeries) {
  const remarks = [...found.remarks];
  if (isSeries && found.kind === "shuffle")
    remarks.unshift("It does not hold: the rows look like a series. Compare with circular shifts.");
  return [
    el("p", { id: "finding" }, finding(found)),
    ...remarks.map((text) => el("p.note.bad", {}, text)),
    figure(
      "The estimate among those by chance",
      (width) => nullChart(found, estimate, unit, width),
      "chance",
    ),
  ];
}

/**
 * A histogram of the estimates of surrogates, with that of the sample.
 * @param {Test} found
 * @param {number} estimate nats
 * @param {Unit} unit
 * @param {number} width
 */
function nullChart({ values }, estimate, unit, width) {
  const colours = theme();
  const by = values.map((nats) => convert(nats, unit));
  const at = convert(estimate, unit);
  const end = Math.max(1.08 * Math.max(at, ...by), convert(0.01, unit));
  const right = at / end > 0.5;
  const text = `${amount(at)}: the estimate`;
  return draw(
    `Estimates of ${by.length} samples by chance, up to ${amount(Math.max(...by))} ${unit}; ${text}`,
    {
      width,
      height: 170,
      marginLeft: 46,
      marginRight: 14,
      marginTop: 28,
      marginBottom: 38,
      insetTop: 16,
      x: { domain: [0, end], label: unit, labelAnchor: "right", ticks: width < 400 ? 4 : 7 },
      y: { label: "samples", grid: true, ticks: 4 },
      marks: [
        Plot.rectY(
          by,
          Plot.binX(
            { y: "count" },
            { x: Plot.identity, thresholds: d3.ticks(0, end, 40), fill: colours.mid },
          ),
        ),
        Plot.ruleY([0], { stroke: colours.quiet }),
        Plot.ruleX([at], { stroke: colours.dot, strokeWidth: 2 }),
        Plot.text([text], {
          x: at,
          frameAnchor: "top",
          dx: right ? -6 : 6,
          textAnchor: right ? "end" : "start",
          fill: colours.dot,
          stroke: colours.card,
          strokeWidth: 4,
        }),
      ],
    },
  );
}
