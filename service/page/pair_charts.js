// The charts of one pair: the interval on its scale, the posterior, and the sample itself.

import { draw, ramp, theme } from "./charts.js";
import { label } from "./dom.js";
import { convert, interval, quantile, quantiles } from "./posterior.js";
import { DEFAULT_LEVEL, LEVEL_TEXT } from "./settings.js";
import { amount } from "./words.js";

/** @import { PairResult, SentColumn } from "./pair_view.js" */
/** @import { Unit } from "./settings.js" */

/** @typedef {{value: number, text: string, row: number, colour: string}} Mark */

const MAX_POINTS = 2500; // rows up to which each is a point of its own
/** @param {number} width */
const height = (width) => Math.round(Math.min(320, 0.8 * width));
const LETTER = 6.6; // pixels that a letter of a label takes, about

/**
 * Where the estimate lies between independence and what else is known of the pair; values in nats.
 * @param {Pick<PairResult, "answer" | "gaussian" | "truth">} result
 * @param {Unit} unit
 * @param {number} width
 */
export function scaleChart({ answer, gaussian, truth }, unit, width) {
  const colours = theme();
  /** @param {number} nats */
  const at = (nats) => convert(nats, unit);
  /** @type {Mark[]} */
  const marks = [
    { value: 0, text: "0: independent", row: 1.1, colour: colours.quiet },
    { value: gaussian, text: `${amount(at(gaussian))}: if normal`, row: 2.95, colour: colours.quiet },
    { value: truth ?? NaN, text: `${amount(at(truth ?? 0))}: true value`, row: 0.5, colour: colours.truth },
  ].filter(({ value }) => Number.isFinite(value));
  const [bar, box] = [DEFAULT_LEVEL, 0.5].map((level) => interval(answer, level).map(at));
  /** @param {Mark} mark */
  const value = (mark) => at(mark.value);
  const end = 1.08 * Math.max(at(quantile(answer, 0.995)), ...marks.map(value), at(0.05));
  /** @param {Mark} mark */
  const endsAt = ({ value, text }) =>
    at(value) / end > 0.5 || (at(value) / end) * width + LETTER * text.length > width;
  /** @param {"start" | "end"} anchor */
  const texts = (anchor) =>
    Plot.text(
      marks.filter((mark) => endsAt(mark) === (anchor === "end")),
      {
        x: value,
        y: "row",
        text: "text",
        fill: "colour",
        stroke: colours.card,
        strokeWidth: 4,
        textAnchor: anchor,
        dx: anchor === "end" ? -5 : 5,
      },
    );
  return draw(`${amount(at(answer.mi))} ${unit}, ${LEVEL_TEXT} interval ${bar.map(amount).join(" to ")}`, {
    width,
    height: 128,
    marginLeft: 12,
    marginRight: 12,
    marginTop: 4,
    marginBottom: 34,
    x: { domain: [0, end], label: unit, labelAnchor: "right", ticks: width < 500 ? 4 : 8 },
    y: { domain: [0.2, 3.2], axis: null },
    marks: [
      Plot.ruleX([0], { stroke: colours.quiet }),
      Plot.ruleX(marks.slice(1), { x: value, stroke: "colour", strokeWidth: 1.3, strokeDasharray: "3 3" }),
      texts("start"),
      texts("end"),
      Plot.ruleY([2], { y: 2, x1: bar[0], x2: bar[1], stroke: colours.bar, strokeWidth: 3 }),
      Plot.ruleY([2], { y: 2, x1: box[0], x2: box[1], stroke: colours.bar, strokeWidth: 12 }),
      Plot.dot([2], {
        y: 2,
        x: at(answer.mi),
        r: 6,
        fill: colours.dot,
        stroke: colours.card,
        strokeWidth: 1.5,
      }),
    ],
  });
}

/**
 * How probable it is that the information is below each amount.
 * @param {Pick<PairResult, "answer" | "gaussian" | "truth">} result
 * @param {Unit} unit
 * @param {number} width
 */
export function quantileChart({ answer, gaussian, truth }, unit, width) {
  const colours = theme();
  const points = quantiles(answer).map(([level, value]) => ({
    level: 100 * level,
    value: convert(value, unit),
  }));
  const lines = [
    { nats: gaussian, colour: colours.quiet },
    { nats: truth ?? NaN, colour: colours.truth },
  ].map(({ nats, colour }) => ({ value: convert(nats, unit), colour }));
  /** @param {{level: number, value: number}} point */
  const title = ({ level, value }) => `${level.toFixed(1)} %: ${amount(value)} ${unit}`;
  const named = [5, 25, 50, 75, 95].map((level) => ({
    level,
    value: convert(quantile(answer, level / 100), unit),
  }));
  const end = Math.max(points[points.length - 1].value, 1e-3);
  const start = Math.max(0, points[0].value - 0.15 * (end - points[0].value));
  const inside = lines.filter(({ value }) => value >= start && value <= end); // which NaN is not
  const text = named.map(({ level, value }) => `${level} %: ${amount(value)}`).join(", ");
  return draw(`Quantiles in ${unit}. ${text}`, {
    width,
    height: height(width),
    marginLeft: 46,
    marginRight: 14,
    marginTop: 28,
    marginBottom: 42,
    x: { label: unit, domain: [start, end], ticks: width < 400 ? 4 : 7, nice: false },
    y: { label: "probability of less", domain: [0, 100], grid: true, tickFormat: percent, ticks: 5 },
    marks: [
      Plot.ruleX(inside, { x: "value", stroke: "colour", strokeDasharray: "3 3" }),
      Plot.areaY(points, {
        x: "value",
        y: "level",
        fill: colours.bar,
        fillOpacity: 0.08,
        curve: "monotone-x",
        clip: true,
      }),
      Plot.line(points, { x: "value", y: "level", stroke: colours.bar, strokeWidth: 2, curve: "monotone-x" }),
      Plot.dot(named, { x: "value", y: "level", r: 3.5, fill: colours.dot, stroke: colours.card }),
      Plot.tip(points, Plot.pointerX({ x: "value", y: "level", fill: colours.card, title })),
    ],
  });
}

/** @param {number} value */
const percent = (value) => `${value} %`;

/**
 * The sample: points, or hexagons where there are too many; codes of text are spread a little.
 * @param {SentColumn} x
 * @param {SentColumn} y
 * @param {number} width
 */
export function sampleChart(x, y, width) {
  const { bar } = theme();
  const points = Array.from(x.values, (v, i) => [spread(x, v, i, 1), spread(y, y.values[i], i, 2)]);
  const many = points.length > MAX_POINTS;
  const place = { x: "0", y: "1" };
  const dots = many
    ? Plot.dot(points, Plot.hexbin({ fill: "count" }, { ...place, binWidth: 11, symbol: "hexagon" }))
    : Plot.dot(points, { ...place, r: points.length > 800 ? 1.8 : 2.5, fill: bar, fillOpacity: 0.45 });
  return draw(`${label(y.name)} against ${label(x.name)}, ${points.length} rows`, {
    width,
    height: height(width),
    marginLeft: y.labels ? 90 : 56,
    marginRight: 14,
    marginTop: 28,
    marginBottom: 42,
    inset: 6,
    color: { type: "sqrt", interpolate: ramp() },
    x: axis(x, width),
    y: axis(y, 300),
    marks: [dots],
  });
}

/**
 * @param {SentColumn} column
 * @param {number} room pixels
 */
function axis({ name, labels }, room) {
  const common = { label: label(name, 34), grid: true };
  if (!labels || labels.length > 12)
    return { ...common, ticks: Math.max(3, Math.round(room / 80)), tickFormat: "~s" };
  /** @param {number} i */
  const tickFormat = (i) => label(labels[i], 11);
  return { ...common, ticks: labels.map((_, i) => i), tickFormat };
}

/**
 * A code a little away from its place, the same way every time.
 * @param {SentColumn} column
 * @param {number} value
 * @param {number} i its row
 * @param {number} salt
 */
function spread({ labels }, value, i, salt) {
  if (!labels) return value;
  const noise = Math.sin((i + 1) * 12.9898 * salt) * 43758.5453;
  return value + 0.5 * (noise - Math.floor(noise) - 0.5);
}
