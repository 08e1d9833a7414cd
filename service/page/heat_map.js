// All pairs as a square of colours: with a pointer, and with the arrow keys, each cell says its names.

import { sentence } from "./api.js";
import { draw, ramp, theme } from "./charts.js";
import { announce, label, shown } from "./dom.js";
import { convert } from "./posterior.js";
import { amount } from "./words.js";

const CELLS = 60; // columns up to which cells are drawn one by one; beyond, they are one picture
const NUMBERS = 13; // columns up to which cells have room for numbers
const LETTER = 7; // pixels of a letter of a label, about
const LINE = 17; // pixels from one label to the next
const STEPS = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] };

/** The chart of columns in an order; `found(i, j)` is the result of two of them, or undefined. */
export function heatMap(names, found, unit, width, open) {
  const n = names.length;
  const pairs = every(n, found);
  const cells = pairs.filter(({ answer }) => answer).map(({ i, j, answer }) => ({ i, j, mi: convert(answer.mi, unit) }));
  const most = cells.reduce((top, { mi }) => Math.max(top, mi), 1e-9);
  const longest = Math.max(...names.map((name) => shown(name).length));
  const room = Math.min(Math.max(0.26 * width, 106), 8 + LETTER * Math.min(22, longest));
  const side = width - room - 4;
  const one = n <= CELLS;
  const all = names.map((_, i) => i);
  const ticks = all.filter((i) => i % Math.ceil((LINE * n) / side) === 0);
  const text = (i) => label(names[i], Math.floor((room - 8) / LETTER));
  const scale = { type: one ? "band" : "linear", domain: one ? all : [-0.5, n - 0.5], padding: 0.03, ticks, tickSize: one ? 0 : 3, tickFormat: text, label: null };
  const svg = draw(`Heat-map of ${n} columns; the table has the numbers`, {
    width, height: width, marginLeft: room, marginRight: 4, marginTop: 4, marginBottom: room,
    x: { ...scale, tickRotate: -90 }, y: { ...scale, reverse: !one },
    color: { type: "sqrt", domain: [0, most], interpolate: ramp() },
    marks: [one ? squares(cells, n, side, most) : image(cells, n), tip(pairs, names, unit)],
  });
  svg.addEventListener("click", (event) => {
    const box = svg.getBoundingClientRect();
    const place = (pixels, start) => Math.floor((((pixels / box.width) * width - start) / side) * n);
    const [i, j] = [place(event.clientY - box.top, 4), place(event.clientX - box.left, room)];
    if (i !== j && found(i, j)?.answer) open(found(i, j));
  });
  svg.classList.add("clickable");
  return svg;
}

/** Every column with every other, in both orders. */
function every(n, found) {
  const places = Array.from({ length: n * n }, (_, k) => ({ i: Math.floor(k / n), j: k % n }));
  return places.filter(({ i, j }) => i !== j).map(({ i, j }) => ({ i, j, ...found(i, j) }));
}

function squares(cells, n, side, most) {
  const colours = theme();
  const numbers = n <= NUMBERS && side / n > 34;
  const ink = ({ mi }) => (Math.sqrt(mi / most) < 0.55 ? colours.ink : colours.card);
  return [
    Plot.cell(cells, { x: "j", y: "i", fill: "mi", inset: 0.25 }),
    numbers ? Plot.text(cells, { x: "j", y: "i", text: ({ mi }) => mi.toFixed(2), fill: ink, fontSize: 10.5 }) : null,
  ];
}

/** Thousands of cells as one picture. */
function image(cells, n) {
  const values = new Float64Array(n * n).fill(NaN);
  for (const { i, j, mi } of cells) values[i * n + j] = mi;
  return Plot.raster(values, { width: n, height: n, x1: -0.5, x2: n - 0.5, y1: -0.5, y2: n - 0.5, imageRendering: "pixelated" });
}

const amounts = ({ answer, error } = {}, unit) =>
  answer ? `${amount(convert(answer.mi, unit))} ${unit}` : sentence(error ?? "not estimated");

function tip(pairs, names, unit) {
  const title = (pair) => `${label(names[pair.i], 40)}\n${label(names[pair.j], 40)}\n${amounts(pair, unit)}`;
  return Plot.tip(pairs, Plot.pointer({ x: "j", y: "i", title, fill: theme().card, lineHeight: 1.2, maxRadius: 20 }));
}

/**
 * Lets the arrow keys go from cell to cell of the chart that an element holds, and Enter open one.
 * @param {() => string[]} names in the order of the chart
 * @param {(i: number, j: number) => object} found the result of two places of that order
 */
export function walkable(chart, names, found, unit, open) {
  let [i, j] = [1, 0];
  const tell = () => {
    point(chart.querySelector("svg"), i, j);
    announce(`${shown(names()[i])} and ${shown(names()[j])}: ${amounts(found(i, j), unit)}`);
  };
  const go = ([down, right]) => {
    const last = names().length - 1;
    let [a, b] = [i + down, j + right];
    if (a === b) [a, b] = [a + down, b + right]; // no column is asked about itself
    if (Math.min(a, b) >= 0 && Math.max(a, b) <= last) [i, j] = [a, b];
    tell();
  };
  chart.tabIndex = 0;
  chart.setAttribute("role", "application");
  chart.setAttribute("aria-label", "Heat-map: arrow keys go from pair to pair, Enter opens one");
  chart.addEventListener("focus", () => chart.matches(":focus-visible") && tell());
  chart.addEventListener("blur", () => chart.querySelector("svg").dispatchEvent(new PointerEvent("pointerleave", { pointerType: "mouse" })));
  chart.addEventListener("keydown", (event) => {
    if (event.key in STEPS) {
      event.preventDefault();
      go(STEPS[event.key]);
    }
    if (event.key === "Enter" && found(i, j)?.answer) open(found(i, j));
  });
}

/** Does to a cell what a pointer does that comes to it. */
function point(svg, i, j) {
  const middle = (name, k) => svg.scale(name).apply(k) + (svg.scale(name).bandwidth ?? 0) / 2;
  const box = svg.getBoundingClientRect();
  const size = box.width / Number(svg.getAttribute("width"));
  const place = { clientX: box.left + size * middle("x", j), clientY: box.top + size * middle("y", i) };
  svg.dispatchEvent(new PointerEvent("pointermove", { ...place, pointerType: "mouse" }));
}
