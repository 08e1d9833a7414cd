// The charts of one pair: the interval on its scale, the posterior, and the sample itself.

import { draw, ramp, theme } from "./charts.js";
import { label } from "./dom.js";
import { convert, interval, quantile, quantiles } from "./posterior.js";
import { amount } from "./words.js";

const FEW = 2500; // rows that are drawn as points
const height = (width) => Math.round(Math.min(320, 0.8 * width));
const LETTER = 6.6; // pixels that a letter of a label takes, about

/** Where the estimate lies between independence and what else is known of the pair; values in nats. */
export function scaleChart({ answer, gaussian, truth }, unit, width) {
  const colours = theme();
  const at = (nats) => convert(nats, unit);
  const marks = [
    { value: 0, text: "0: independent", row: 1.1, colour: colours.quiet },
    { value: gaussian, text: `${amount(at(gaussian))}: if normal`, row: 2.95, colour: colours.quiet },
    { value: truth, text: `${amount(at(truth ?? 0))}: true value`, row: 0.5, colour: colours.truth },
  ].filter(({ value }) => Number.isFinite(value) && value !== null);
  const [bar, box] = [0.9, 0.5].map((level) => interval(answer, level).map(at));
  const end = 1.08 * Math.max(at(quantile(answer, 0.995)), ...marks.map(({ value }) => at(value)), at(0.05));
  const turned = ({ value, text }) => at(value) / end > 0.5 || (at(value) / end) * width + LETTER * text.length > width;
  const texts = (side, anchor) =>
    Plot.text(marks.filter((mark) => turned(mark) === side), {
      x: ({ value }) => at(value), y: "row", text: "text", fill: "colour", stroke: colours.card, strokeWidth: 4, textAnchor: anchor, dx: side ? -5 : 5,
    });
  return draw(`${amount(at(answer.mi))} ${unit}, 90 % interval ${bar.map(amount).join(" to ")}`, {
    width, height: 128, marginLeft: 12, marginRight: 12, marginTop: 4, marginBottom: 34,
    x: { domain: [0, end], label: unit, labelAnchor: "right", ticks: width < 500 ? 4 : 8 },
    y: { domain: [0.2, 3.2], axis: null },
    marks: [
      Plot.ruleX([0], { stroke: colours.quiet }),
      Plot.ruleX(marks.slice(1), { x: ({ value }) => at(value), stroke: "colour", strokeWidth: 1.3, strokeDasharray: "3 3" }),
      texts(false, "start"), texts(true, "end"),
      Plot.ruleY([2], { y: 2, x1: bar[0], x2: bar[1], stroke: colours.bar, strokeWidth: 3 }),
      Plot.ruleY([2], { y: 2, x1: box[0], x2: box[1], stroke: colours.bar, strokeWidth: 12 }),
      Plot.dot([2], { y: 2, x: at(answer.mi), r: 6, fill: colours.dot, stroke: colours.card, strokeWidth: 1.5 }),
    ],
  });
}

/** How probable it is that the information is below each amount. */
export function quantileChart({ answer, gaussian, truth }, unit, width) {
  const colours = theme();
  const points = quantiles(answer).map(([level, value]) => ({ level: 100 * level, value: convert(value, unit) }));
  const lines = [[gaussian, colours.quiet], [truth, colours.truth]].filter(([v]) => v !== null && Number.isFinite(v));
  const named = [5, 25, 50, 75, 95].map((level) => ({ level, value: convert(quantile(answer, level / 100), unit) }));
  const end = Math.max(points.at(-1).value, 1e-3);
  const start = Math.max(0, points[0].value - 0.15 * (end - points[0].value));
  const shown = lines.filter(([v]) => convert(v, unit) >= start && convert(v, unit) <= end);
  const said = named.map(({ level, value }) => `${level} %: ${amount(value)}`).join(", ");
  return draw(`Quantiles in ${unit}. ${said}`, {
    width, height: height(width), marginLeft: 46, marginRight: 14, marginTop: 28, marginBottom: 42,
    x: { label: unit, domain: [start, end], ticks: width < 400 ? 4 : 7, nice: false },
    y: { label: "probability of less", domain: [0, 100], grid: true, tickFormat: (v) => `${v} %`, ticks: 5 },
    marks: [
      Plot.ruleX(shown, { x: ([v]) => convert(v, unit), stroke: ([, c]) => c, strokeDasharray: "3 3" }),
      Plot.areaY(points, { x: "value", y: "level", fill: colours.bar, fillOpacity: 0.08, curve: "monotone-x", clip: true }),
      Plot.line(points, { x: "value", y: "level", stroke: colours.bar, strokeWidth: 2, curve: "monotone-x" }),
      Plot.dot(named, { x: "value", y: "level", r: 3.5, fill: colours.dot, stroke: colours.card }),
      Plot.tip(points, Plot.pointerX({ x: "value", y: "level", fill: colours.card, title: ({ level, value }) => `${level.toFixed(1)} %: ${amount(value)} ${unit}` })),
    ],
  });
}

/** The sample: points, or hexagons where there are too many; codes of text are spread a little. */
export function sampleChart(x, y, width) {
  const { bar } = theme();
  const points = Array.from(x.values, (v, i) => [spread(x, v, i, 1), spread(y, y.values[i], i, 2)]);
  const many = points.length > FEW;
  const place = { x: "0", y: "1" };
  const dots = many
    ? Plot.dot(points, Plot.hexbin({ fill: "count" }, { ...place, binWidth: 11, symbol: "hexagon" }))
    : Plot.dot(points, { ...place, r: points.length > 800 ? 1.8 : 2.5, fill: bar, fillOpacity: 0.45 });
  return draw(`${label(y.name)} against ${label(x.name)}, ${points.length} rows`, {
    width, height: height(width), marginLeft: y.labels ? 90 : 56, marginRight: 14, marginTop: 28, marginBottom: 42, inset: 6,
    color: { type: "sqrt", interpolate: ramp() },
    x: axis(x, width), y: axis(y, 300),
    marks: [dots],
  });
}

function axis({ name, labels }, room) {
  const few = labels && labels.length <= 12;
  const ticks = few ? labels.map((_, i) => i) : Math.max(3, Math.round(room / 80));
  const format = few ? { tickFormat: (i) => label(labels[i], 11) } : { tickFormat: "~s" };
  return { label: label(name, 34), grid: true, ticks, ...format };
}

/** A code a little beside itself, the same way every time. */
function spread({ labels }, value, i, salt) {
  if (!labels) return value;
  const turn = Math.sin((i + 1) * 12.9898 * salt) * 43758.5453;
  return value + 0.5 * (turn - Math.floor(turn) - 0.5);
}
