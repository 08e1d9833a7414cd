// The answer about all pairs: a heat-map in an order that shows groups, beside the sorted pairs.
/* global Plot */

import { draw, figure, legend, ramp, theme } from "./charts.js";
import { clustered } from "./cluster.js";
import { el, fill, label, shown } from "./dom.js";
import { glossary } from "./notes.js";
import { pairTable } from "./pair_table.js";
import { THRESHOLD, convert, correlation } from "./posterior.js";
import { clear, said } from "./rank_view.js";
import { sorted } from "./records.js";
import { tools } from "./tools.js";
import { amount, plural } from "./words.js";

const CELLS = 60; // columns up to which every pair is a cell of its own
const NUMBERS = 13; // columns up to which cells have room for numbers

/** The whole card. */
export function matrixView({ columns, results }, unit, actions) {
  const pairs = sorted(results);
  const names = columns.map(({ name }) => name);
  const found = lookup(names, results);
  const orders = { clustered: clustered(names.length, (i, j) => 1 - correlation(found(i, j)?.answer?.mi ?? 0)) };
  orders.file = names.map((_, i) => i);
  let order = orders.clustered;
  const drawn = (width) => heatMap(order.map((i) => names[i]), (i, j) => found(order[i], order[j]), unit, width, actions.open);
  const grouped = el("input", { type: "checkbox", checked: true, onchange: () => ((order = orders[grouped.checked ? "clustered" : "file"]), map.redraw()) });
  const map = figure(`Mutual information in ${unit}`, drawn, "matrix", 
    el("div.head", {}, el("label.check", {}, grouped, "What belongs together side by side"), legend(convert(pairs[0].answer?.mi ?? 1, unit))));
  const table = el("div.column", {});
  const list = () => fill(table, pairTable("Pairs by their mutual information", only.checked ? pairs.filter(clear) : pairs, unit, ({ x, y }) => [x, y], actions.open));
  const only = el("input", { type: "checkbox", onchange: list });
  list();
  const about = `Only those whose 90 % interval lies above ${amount(convert(THRESHOLD, unit))} ${unit}`;
  return el("article.card", { "aria-label": "Answer about all pairs" },
    el("div.head", {}, el("h2", {}, `${plural(results.length, "pair")} of ${plural(names.length, "column")}`), tools(pairs, unit, actions)),
    said(columns), el("div.side", {}, map, el("div.column", {}, el("h3", {}, "Strongest first"), el("label.check", {}, only, about), table)),
    glossary(results));
}

/** From places of two columns to their result, in either order. */
function lookup(names, results) {
  const place = new Map(names.map((name, i) => [name, i]));
  const found = new Map();
  const key = (i, j) => Math.min(i, j) * names.length + Math.max(i, j);
  for (const result of results) found.set(key(place.get(result.x), place.get(result.y)), result);
  return (i, j) => found.get(key(i, j));
}

function heatMap(names, found, unit, width, open) {
  const n = names.length;
  const cells = [];
  for (let i = 0; i < n; i += 1) {
    for (let j = 0; j < n; j += 1) {
      const answer = i === j ? null : found(i, j)?.answer;
      if (answer) cells.push({ i, j, mi: convert(answer.mi, unit) });
    }
  }
  const most = cells.reduce((top, { mi }) => Math.max(top, mi), 1e-9);
  const room = n > CELLS ? 16 : Math.min(0.3 * width, 8 + 6.4 * Math.min(22, Math.max(...names.map((name) => shown(name).length))));
  const side = width - room - 4;
  const letters = Math.floor((room - 8) / 6.4);
  const axis = n > CELLS ? { axis: null } : { tickSize: 0, tickFormat: (i) => label(names[i], letters), label: null };
  const scale = { type: n > CELLS ? "linear" : "band", domain: n > CELLS ? [-0.5, n - 0.5] : names.map((_, i) => i), padding: 0.03 };
  const svg = draw(`Heat-map of ${n} columns; the table has the numbers`, {
    width, height: width, marginLeft: room, marginRight: 4, marginTop: 4, marginBottom: room,
    x: { ...scale, ...axis, tickRotate: -90 }, y: { ...scale, ...axis, reverse: n > CELLS },
    color: { type: "sqrt", domain: [0, most], interpolate: ramp() },
    marks: n > CELLS ? [image(cells, n)] : squares(cells, names, unit, side, most),
  });
  svg.addEventListener("click", (event) => {
    const box = svg.getBoundingClientRect();
    const place = (pixels, start) => Math.floor((((pixels / box.width) * width - start) / side) * n);
    const [i, j] = [place(event.clientY - box.top, 4), place(event.clientX - box.left, room)];
    if (i >= 0 && j >= 0 && i < n && j < n && i !== j && found(i, j)?.answer) open(found(i, j));
  });
  svg.classList.add("clickable");
  return svg;
}

function squares(cells, names, unit, side, most) {
  const colours = theme();
  const text = ({ i, j, mi }) => `${label(names[i], 40)}\n${label(names[j], 40)}\n${amount(mi)} ${unit}`;
  const numbers = names.length <= NUMBERS && side / names.length > 34;
  const pale = ({ mi }) => Math.sqrt(mi / most) < 0.55;
  const ink = (light) => (light ? colours.ink : colours.card);
  return [
    Plot.cell(cells, { x: "j", y: "i", fill: "mi", inset: 0.25 }),
    numbers ? Plot.text(cells, { x: "j", y: "i", text: ({ mi }) => mi.toFixed(2), fill: (cell) => ink(pale(cell)), fontSize: 10.5 }) : null,
    Plot.tip(cells, Plot.pointer({ x: "j", y: "i", title: text, fill: colours.card, maxRadius: 20 })),
  ];
}

/** Thousands of cells as one picture. */
function image(cells, n) {
  const values = new Float64Array(n * n).fill(NaN);
  for (const { i, j, mi } of cells) values[i * n + j] = mi;
  return Plot.raster(values, { width: n, height: n, x1: -0.5, x2: n - 0.5, y1: -0.5, y2: n - 0.5, imageRendering: "pixelated" });
}
