// All pairs as a square of colours: with a pointer, and with the arrow keys, each cell says its names.

import { sentence } from "./api.js";
import { draw, ramp, theme } from "./charts.js";
import { announce, expect, label, visible } from "./dom.js";
import { convert } from "./posterior.js";
import { amount } from "./words.js";

/** @import { Chart } from "./charts.js" */
/** @import { Result } from "./records.js" */
/** @import { Unit } from "./settings.js" */

/** @typedef {(i: number, j: number) => Result | undefined} ResultOf two places of the chart's order */
/** @typedef {{i: number, j: number, mi: number}} Square a cell with an answer, in the chart's unit */
/** @typedef {{i: number, j: number, answer?: Result["answer"], error?: Result["error"]}} Place of a cell */

const CELLS = 60; // columns up to which cells are drawn one by one; beyond, they are one picture
const NUMBERS = 13; // columns up to which cells have room for numbers
const LETTER = 7; // pixels of a letter of a label, about
const LINE = 17; // pixels from one label to the next
/** @type {Record<string, [number, number]>} */
const STEPS = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] };

/**
 * The chart of columns in an order.
 * @param {string[]} names
 * @param {ResultOf} resultOf
 * @param {Unit} unit
 * @param {number} width
 * @param {(result: Result) => void} open called with the result of a cell that is clicked
 */
export function heatMap(names, resultOf, unit, width, open) {
  const n = names.length;
  const pairs = every(n, resultOf);
  const cells = pairs.flatMap(({ i, j, answer }) => (answer ? [{ i, j, mi: convert(answer.mi, unit) }] : []));
  const largest = cells.reduce((top, { mi }) => Math.max(top, mi), 1e-9);
  const longest = Math.max(...names.map((name) => visible(name).length));
  const room = Math.min(Math.max(0.26 * width, 106), 8 + LETTER * Math.min(22, longest));
  const side = width - room - 4;
  const single = n <= CELLS; // each cell is drawn by itself
  const all = names.map((_, i) => i);
  const ticks = all.filter((i) => i % Math.ceil((LINE * n) / side) === 0);
  /** @param {number} i */
  const tickFormat = (i) => label(names[i], Math.floor((room - 8) / LETTER));
  const scale = {
    type: single ? "band" : "linear",
    domain: single ? all : [-0.5, n - 0.5],
    padding: 0.03,
    ticks,
    tickSize: single ? 0 : 3,
    tickFormat,
    label: null,
  };
  const svg = draw(`Heat-map of ${n} columns; the table has the numbers`, {
    width,
    height: width,
    marginLeft: room,
    marginRight: 4,
    marginTop: 4,
    marginBottom: room,
    x: { ...scale, tickRotate: -90 },
    y: { ...scale, reverse: !single },
    color: { type: "sqrt", domain: [0, largest], interpolate: ramp() },
    marks: [single ? squares(cells, n, side, largest) : image(cells, n), tip(pairs, names, unit)],
  });
  svg.addEventListener("click", (event) => {
    const box = svg.getBoundingClientRect();
    /** @type {(pixels: number, start: number) => number} */
    const place = (pixels, start) => Math.floor((((pixels / box.width) * width - start) / side) * n);
    const [i, j] = [place(event.clientY - box.top, 4), place(event.clientX - box.left, room)];
    const result = i === j ? undefined : resultOf(i, j);
    if (result?.answer) open(result);
  });
  svg.classList.add("clickable");
  return svg;
}

/**
 * Every column with every other, in both orders.
 * @param {number} n
 * @param {ResultOf} resultOf
 * @returns {Place[]}
 */
function every(n, resultOf) {
  const places = Array.from({ length: n * n }, (_, k) => ({ i: Math.floor(k / n), j: k % n }));
  return places.filter(({ i, j }) => i !== j).map(({ i, j }) => ({ i, j, ...resultOf(i, j) }));
}

/**
 * @param {Square[]} cells
 * @param {number} n
 * @param {number} side pixels
 * @param {number} largest
 */
function squares(cells, n, side, largest) {
  const colours = theme();
  const numbers = n <= NUMBERS && side / n > 34;
  /** @param {Square} square */
  const ink = ({ mi }) => (Math.sqrt(mi / largest) < 0.55 ? colours.ink : colours.card);
  /** @param {Square} square */
  const text = ({ mi }) => mi.toFixed(2);
  return [
    Plot.cell(cells, { x: "j", y: "i", fill: "mi", inset: 0.25 }),
    numbers ? Plot.text(cells, { x: "j", y: "i", text, fill: ink, fontSize: 10.5 }) : null,
  ];
}

/**
 * Thousands of cells as one picture.
 * @param {Square[]} cells
 * @param {number} n
 */
function image(cells, n) {
  const values = new Float64Array(n * n).fill(NaN);
  for (const { i, j, mi } of cells) values[i * n + j] = mi;
  return Plot.raster(values, {
    width: n,
    height: n,
    x1: -0.5,
    x2: n - 0.5,
    y1: -0.5,
    y2: n - 0.5,
    imageRendering: "pixelated",
  });
}

/**
 * @param {Pick<Place, "answer" | "error"> | undefined} result
 * @param {Unit} unit
 */
const amounts = ({ answer, error } = {}, unit) =>
  answer ? `${amount(convert(answer.mi, unit))} ${unit}` : sentence(error ?? "not estimated");

/**
 * @param {Place[]} pairs
 * @param {string[]} names
 * @param {Unit} unit
 */
function tip(pairs, names, unit) {
  /** @param {Place} pair */
  const title = (pair) => `${label(names[pair.i], 40)}\n${label(names[pair.j], 40)}\n${amounts(pair, unit)}`;
  return Plot.tip(
    pairs,
    Plot.pointer({ x: "j", y: "i", title, fill: theme().card, lineHeight: 1.2, maxRadius: 20 }),
  );
}

/**
 * Lets the arrow keys go from cell to cell of the chart that an element holds, and Enter open one.
 * @param {HTMLElement} chart
 * @param {() => string[]} names in the order of the chart
 * @param {ResultOf} resultOf
 * @param {Unit} unit
 * @param {(result: Result) => void} open called with the result of a cell that is opened
 */
export function walkable(chart, names, resultOf, unit, open) {
  let [i, j] = [1, 0];
  const svg = () => /** @type {Chart} */ (expect(chart.querySelector("svg"), SVGSVGElement));
  const read = () => {
    point(svg(), i, j);
    announce(`${visible(names()[i])} and ${visible(names()[j])}: ${amounts(resultOf(i, j), unit)}`);
  };
  /** @param {[number, number]} step */
  const go = ([down, right]) => {
    const last = names().length - 1;
    let [a, b] = [i + down, j + right];
    if (a === b) [a, b] = [a + down, b + right]; // there is no pair of a column with itself
    if (Math.min(a, b) >= 0 && Math.max(a, b) <= last) [i, j] = [a, b];
    read();
  };
  chart.tabIndex = 0;
  chart.setAttribute("role", "application");
  chart.setAttribute("aria-label", "Heat-map: arrow keys go from pair to pair, Enter opens one");
  chart.addEventListener("focus", () => chart.matches(":focus-visible") && read());
  chart.addEventListener("blur", () =>
    svg().dispatchEvent(new PointerEvent("pointerleave", { pointerType: "mouse" })),
  );
  chart.addEventListener("keydown", (event) => {
    if (event.key in STEPS) {
      event.preventDefault();
      go(STEPS[event.key]);
    }
    const result = resultOf(i, j);
    if (event.key === "Enter" && result?.answer) open(result);
  });
}

/**
 * Does to a cell what a pointer does that comes to it.
 * @param {Chart} svg
 * @param {number} i
 * @param {number} j
 */
function point(svg, i, j) {
  /** @type {(name: string, k: number) => number} */
  const middle = (name, k) => svg.scale(name).apply(k) + (svg.scale(name).bandwidth ?? 0) / 2;
  const box = svg.getBoundingClientRect();
  const size = box.width / Number(svg.getAttribute("width"));
  const place = { clientX: box.left + size * middle("x", j), clientY: box.top + size * middle("y", i) };
  svg.dispatchEvent(new PointerEvent("pointermove", { ...place, pointerType: "mouse" }));
}
