// The answer about a target: every other column, the strongest first.

import { draw, figure, theme } from "./charts.js";
import { el, fill, label, named } from "./dom.js";
import { glossary } from "./notes.js";
import { pairTable } from "./pair_table.js";
import { convert, interval } from "./posterior.js";
import { sorted } from "./records.js";
import { DEFAULT_LEVEL, DEFAULT_THRESHOLD, LEVEL_TEXT } from "./settings.js";
import { tools } from "./tools.js";
import { amount, plural } from "./words.js";

/** @import { Answer } from "./posterior.js" */
/** @import { Result } from "./records.js" */
/** @import { Unit } from "./settings.js" */
/** @import { Column } from "./table.js" */
/** @import { Actions } from "./tools.js" */

/** @typedef {(a: string, b: string) => number | null} Truth nats of a pair of names, where they are known */
/** @typedef {Result & {answer: Answer}} Answered */

/**
 * The answers about many pairs.
 * @typedef {object} ManyResults
 * @property {Result[]} results
 * @property {string} target
 * @property {Column[]} columns that were chosen
 * @property {Truth} truth
 */

const MAX_LINES = 60; // of the chart; the table has all
const LINE = 24; // pixels

/**
 * Whether a result's interval lies above what counts as nothing.
 * @param {Result} result
 */
export const clear = ({ answer }) =>
  answer !== undefined && interval(answer, DEFAULT_LEVEL)[0] > DEFAULT_THRESHOLD;

/**
 * What the filter of clear results is called.
 * @param {Unit} unit
 */
export const clearLabel = (unit) =>
  `Only those whose ${LEVEL_TEXT} interval lies above ${amount(convert(DEFAULT_THRESHOLD, unit))} ${unit}`;

/**
 * The whole card.
 * @param {ManyResults} answers
 * @param {Unit} unit
 * @param {Actions} actions
 */
export function rankView({ target, results, columns, truth }, unit, actions) {
  const ranked = sorted(results);
  const place = el("div.side.late", {});
  const show = () => {
    const listed = only.checked ? ranked.filter(clear) : ranked;
    fill(
      place,
      listed.length ? parts(listed, target, truth, unit, actions) : el("p", {}, "No interval lies above it."),
    );
  };
  const only = el("input", { type: "checkbox", onchange: show });
  show();
  return el(
    "article.card",
    { "aria-label": "Answer about a target" },
    el(
      "div.head",
      {},
      el("h2", {}, "What the columns say about ", named(target)),
      tools(ranked, unit, actions),
    ),
    el("label.check", {}, only, clearLabel(unit)),
    codedNote(columns),
    place,
    glossary(results),
  );
}

/**
 * What was done to text columns before they were sent.
 * @param {Column[]} columns
 */
export function codedNote(columns) {
  const coded = columns.filter((column) => column.kind === "text");
  if (!coded.length) return null;
  const names = coded.slice(0, 8).flatMap(({ name }, i) => [i ? ", " : null, named(name)]);
  const more = coded.length > 8 ? ` and ${coded.length - 8} more` : "";
  return el("p.note", {}, `${plural(coded.length, "column")} of text, sent as codes: `, names, `${more}.`);
}

/**
 * @param {Result[]} results
 * @returns {Answered[]}
 */
const answered = (results) =>
  results.flatMap((result) => (result.answer ? [{ ...result, answer: result.answer }] : []));

/**
 * @param {Result[]} results
 * @param {string} target
 * @param {Truth} truth
 * @param {Unit} unit
 * @param {Actions} actions
 */
function parts(results, target, truth, unit, { open }) {
  const drawn = answered(results).slice(0, MAX_LINES);
  const title =
    drawn.length < results.length
      ? `The first ${drawn.length} of ${results.length}`
      : `Dot: mean; bars: 50 % and ${LEVEL_TEXT} interval`;
  const chart = figure(title, (width) => rankChart(drawn, target, truth, unit, width), "ranking");
  return [
    drawn.length ? chart : null,
    pairTable("Columns by what they say about the target", results, unit, ({ x }) => [x], open),
  ];
}

/**
 * @param {Answered[]} results
 * @param {string} target
 * @param {Truth} truth
 * @param {Unit} unit
 * @param {number} width
 */
function rankChart(results, target, truth, unit, width) {
  const colours = theme();
  /** @param {number} nats */
  const at = (nats) => convert(nats, unit);
  const lines = results.map((result, i) => {
    const [[a, b], [c, d]] = [DEFAULT_LEVEL, 0.5].map((level) => interval(result.answer, level).map(at));
    return { i, a, b, c, d, mi: at(result.answer.mi), name: result.x };
  });
  /** @param {number} i */
  const tickFormat = (i) => label(lines[i].name, Math.floor(room / 7));
  const room = Math.min(0.38 * width, 190);
  const known = lines.flatMap(({ i, name }) => {
    const nats = truth(name, target);
    return nats === null ? [] : [{ i, value: at(nats) }];
  });
  /** @param {{name: string, mi: number, a: number, b: number}} line */
  const tip = ({ name, mi, a, b }) =>
    `${label(name, 60)}\n${amount(mi)} ${unit}, ${amount(a)} to ${amount(b)}`;
  return draw(
    `${lines.length} columns by their information about ${label(target)}; the table has the numbers`,
    {
      width,
      height: lines.length * LINE + 50,
      marginLeft: room,
      marginRight: 16,
      marginTop: 8,
      marginBottom: 40,
      x: {
        label: `${unit} about ${label(target, 20)}`,
        domain: [
          0,
          1.03 * Math.max(at(0.05), ...lines.map(({ b }) => b), ...known.map(({ value }) => value)),
        ],
        grid: true,
        ticks: width < 500 ? 4 : 7,
      },
      y: {
        type: "band",
        domain: lines.map(({ i }) => i),
        label: null,
        tickSize: 0,
        padding: 0.25,
        tickFormat,
      },
      marks: [
        Plot.ruleX([0], { stroke: colours.quiet }),
        Plot.ruleY(lines, { y: "i", x1: "a", x2: "b", stroke: colours.bar, strokeWidth: 2 }),
        Plot.ruleY(lines, { y: "i", x1: "c", x2: "d", stroke: colours.bar, strokeWidth: 8 }),
        Plot.dot(lines, { y: "i", x: "mi", r: 4, fill: colours.dot, stroke: colours.card, strokeWidth: 1 }),
        Plot.tickX(known, { y: "i", x: "value", stroke: colours.truth, strokeWidth: 2.5 }),
        known.length
          ? Plot.text(["\u2503 true value"], { frameAnchor: "bottom-right", fill: colours.truth, dy: -4 })
          : null,
        Plot.tip(lines, Plot.pointerY({ y: "i", x: "b", title: tip, fill: colours.card, anchor: "top" })),
      ],
    },
  );
}
