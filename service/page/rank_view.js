// The answer about a target: every other column, the strongest first.

import { draw, figure, theme } from "./charts.js";
import { el, fill, label, named } from "./dom.js";
import { glossary } from "./notes.js";
import { pairTable } from "./pair_table.js";
import { THRESHOLD, convert, interval } from "./posterior.js";
import { sorted } from "./records.js";
import { tools } from "./tools.js";
import { amount, plural } from "./words.js";

const MOST = 60; // lines of the chart; the table has all
const LINE = 24; // pixels

/** Whether a result's 90 % interval lies above what counts as nothing. */
export const clear = ({ answer }) => Boolean(answer) && interval(answer, 0.9)[0] > THRESHOLD;

/** The whole card. */
export function rankView({ target, results, columns, truth }, unit, actions) {
  const ranked = sorted(results);
  const place = el("div.side.late", {});
  const show = () => {
    const kept = only.checked ? ranked.filter(clear) : ranked;
    fill(place, kept.length ? parts(kept, target, truth, unit, actions) : el("p", {}, "No interval lies above it."));
  };
  const only = el("input", { type: "checkbox", onchange: show });
  show();
  return el("article.card", { "aria-label": "Answer about a target" },
    el("div.head", {}, el("h2", {}, "What the columns say about ", named(target)), tools(ranked, unit, actions)),
    el("label.check", {}, only, `Only those whose 90 % interval lies above ${amount(convert(THRESHOLD, unit))} ${unit}`),
    said(columns), place, glossary(results));
}

/** What was done to text columns before they were sent. */
export function said(columns) {
  const coded = columns.filter((column) => column.kind === "text");
  if (!coded.length) return null;
  const names = coded.slice(0, 8).flatMap(({ name }, i) => [i ? ", " : null, named(name)]);
  const more = coded.length > 8 ? ` and ${coded.length - 8} more` : "";
  return el("p.note", {}, `${plural(coded.length, "column")} of text, sent as codes: `, names, `${more}.`);
}

function parts(kept, target, truth, unit, { open }) {
  const drawn = kept.filter(({ answer }) => answer).slice(0, MOST);
  const title = drawn.length < kept.length ? `The first ${drawn.length} of ${kept.length}` : "Dot: mean; bars: 50 % and 90 % interval";
  const chart = figure(title, (width) => rankChart(drawn, target, truth, unit, width), "ranking");
  return [drawn.length ? chart : null, pairTable("Columns by what they say about the target", kept, unit, ({ x }) => [x], open)];
}

function rankChart(results, target, truth, unit, width) {
  const colours = theme();
  const at = (nats) => convert(nats, unit);
  const lines = results.map((result, i) => {
    const [[a, b], [c, d]] = [0.9, 0.5].map((level) => interval(result.answer, level).map(at));
    return { i, a, b, c, d, mi: at(result.answer.mi), name: result.x, truth: truth(result.x, target) };
  });
  const room = Math.min(0.38 * width, 190);
  const known = lines.filter((line) => line.truth !== null);
  const tip = ({ name, mi, a, b }) => `${label(name, 60)}\n${amount(mi)} ${unit}, ${amount(a)} to ${amount(b)}`;
  return draw(`${lines.length} columns by their information about ${label(target)}; the table has the numbers`, {
    width, height: lines.length * LINE + 50, marginLeft: room, marginRight: 16, marginTop: 8, marginBottom: 40,
    x: { label: `${unit} about ${label(target, 20)}`, domain: [0, 1.03 * Math.max(at(0.05), ...lines.map(({ b }) => b), ...known.map((line) => at(line.truth)))], grid: true, ticks: width < 500 ? 4 : 7 },
    y: { type: "band", domain: lines.map(({ i }) => i), label: null, tickSize: 0, padding: 0.25, tickFormat: (i) => label(lines[i].name, Math.floor(room / 7)) },
    marks: [
      Plot.ruleX([0], { stroke: colours.quiet }),
      Plot.ruleY(lines, { y: "i", x1: "a", x2: "b", stroke: colours.bar, strokeWidth: 2 }),
      Plot.ruleY(lines, { y: "i", x1: "c", x2: "d", stroke: colours.bar, strokeWidth: 8 }),
      Plot.dot(lines, { y: "i", x: "mi", r: 4, fill: colours.dot, stroke: colours.card, strokeWidth: 1 }),
      Plot.tickX(known, { y: "i", x: (line) => at(line.truth), stroke: colours.truth, strokeWidth: 2.5 }),
      known.length ? Plot.text(["\u2503 true value"], { frameAnchor: "bottom-right", fill: colours.truth, dy: -4 }) : null,
      Plot.tip(lines, Plot.pointerY({ y: "i", x: "b", title: tip, fill: colours.card, anchor: "top" })),
    ],
  });
}
