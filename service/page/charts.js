// Charts by Observable Plot, in the colours of the page.

import { button, el, expect } from "./dom.js";
import { savePng, saveSvg } from "./save.js";

/** @import { Children } from "./dom.js" */

const NAMES = [
  "paper",
  "card",
  "ink",
  "quiet",
  "line",
  "accent",
  "bar",
  "dot",
  "truth",
  "low",
  "mid",
  "high",
];

/** @typedef {SVGSVGElement & {scale: (name: string) => any}} Chart as Plot makes it */

/**
 * The colours of the page as they are now, by name.
 * @returns {Record<string, string>}
 */
export function theme() {
  const style = getComputedStyle(document.documentElement);
  return Object.fromEntries(NAMES.map((name) => [name, style.getPropertyValue(`--${name}`).trim()]));
}

/** From nothing to much: equal steps of it look equal. */
export function ramp() {
  const { low, mid, high } = theme();
  return d3.piecewise(d3.interpolateLab, [low, mid, high]);
}

/**
 * What the colours of a heat-map mean.
 * @param {number} largest
 * @returns {Element}
 */
export function legend(largest) {
  const scale = Plot.legend({
    className: "plot",
    color: { type: "sqrt", domain: [0, largest], interpolate: ramp() },
    width: 220,
    height: 34,
    ticks: 3,
    marginTop: 4,
    marginLeft: 10,
    marginRight: 14,
    tickFormat: "~g",
  });
  scale.querySelector("style").remove();
  scale.setAttribute("aria-hidden", "true");
  return scale;
}

/**
 * A chart as SVG, described by a sentence for those who do not see it.
 * @param {string} description
 * @param {object} options of Plot
 * @returns {Chart}
 */
export function draw(description, options) {
  const { ink } = theme();
  const style = { color: ink, background: "transparent", fontSize: "12px", overflow: "visible" };
  const svg = Plot.plot({ className: "plot", ariaLabel: description, style, ...options });
  svg.setAttribute("role", "img");
  // Its rules stand in answer.css: a style element would need leave from the policy of the page.
  svg.querySelector("style").remove();
  for (const part of svg.querySelectorAll("g[aria-label]")) {
    part.dataset.mark = part.getAttribute("aria-label"); // a picture has one name, and its parts have none
    part.removeAttribute("aria-label");
  }
  return svg;
}

/** How much larger the letters of the page are than those that charts are drawn for. */
const magnified = () => Math.max(1, parseFloat(getComputedStyle(document.documentElement).fontSize) / 16);

/**
 * A figure that draws itself for the width that it has, and again when that changes.
 * @param {string} title
 * @param {(width: number) => SVGElement} draw
 * @param {string} name of the files that it is saved as
 * @param {...Children} more between the title and the chart
 */
export function figure(title, draw, name, ...more) {
  const chart = el("div.chart.open");
  let width = 0;
  const redraw = () => {
    width = chart.clientWidth;
    if (width > 0) chart.replaceChildren(draw(Math.round(width / magnified())));
  };
  new ResizeObserver(() => Math.abs(chart.clientWidth - width) > 1 && redraw()).observe(chart);
  const svg = () => expect(chart.querySelector("svg"), SVGSVGElement);
  const saves = [
    button("SVG", () => saveSvg(svg(), `${name}.svg`), {
      className: "small",
      "aria-label": `${title}: save as SVG`,
    }),
    button("PNG", () => savePng(svg(), `${name}.png`), {
      className: "small",
      "aria-label": `${title}: save as PNG`,
    }),
  ];
  const head = el("figcaption", {}, el("h3", {}, title), el("span.row", {}, saves));
  return Object.assign(el("figure", {}, head, ...more, chart), { redraw });
}
