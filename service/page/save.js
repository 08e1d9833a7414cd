// Answers as files.

import { el } from "./dom.js";

const CELL = /^[=+\-@\t\r\0]/; // what a spreadsheet would take for a formula
const MARGIN = 16; // around a chart
const SCALE = 2; // pixels of a picture to one of the page

/**
 * Hands bytes or text to the browser's downloads.
 * @param {string} name
 * @param {string} media
 * @param {...BlobPart} parts
 */
export function save(name, media, ...parts) {
  const url = URL.createObjectURL(new Blob(parts, { type: media }));
  el("a", { href: url, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}

/**
 * Records of one form as CSV; a text that a spreadsheet would run gets an apostrophe in front.
 * @param {Record<string, unknown>[]} records
 */
export function csv(records) {
  const names = Object.keys(records[0]);
  const lines = [names, ...records.map((record) => names.map((name) => record[name]))];
  return lines.map((line) => line.map(cell).join(",")).join("\r\n") + "\r\n";
}

/** @param {unknown} value */
function cell(value) {
  if (value === null || value === undefined) return "";
  if (typeof value !== "string") return String(value);
  const safe = CELL.test(value) ? `'${value}` : value;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

/**
 * A chart as it stands alone: its letters, its ground and a margin go with it.
 * @param {SVGSVGElement} svg
 */
function alone(svg) {
  const copy = /** @type {SVGSVGElement} */ (svg.cloneNode(true));
  const [width, height] = ["width", "height"].map((name) => Number(svg.getAttribute(name)) + 2 * MARGIN);
  for (const [name, value] of Object.entries({
    width,
    height,
    viewBox: `${-MARGIN} ${-MARGIN} ${width} ${height}`,
  })) {
    copy.setAttribute(name, String(value));
  }
  copy.setAttribute("xmlns", "http://www.w3.org/2000/svg");
  copy.style.fontFamily = getComputedStyle(svg).fontFamily;
  copy.style.background = getComputedStyle(document.documentElement).getPropertyValue("--card").trim();
  for (const text of copy.querySelectorAll(/** @type {"text"} */ ("text, tspan")))
    text.style.whiteSpace = "pre";
  return new XMLSerializer().serializeToString(copy);
}

/**
 * A chart as SVG.
 * @param {SVGSVGElement} svg
 * @param {string} name
 */
export const saveSvg = (svg, name) => save(name, "image/svg+xml", alone(svg));

/**
 * A chart as PNG, twice as fine as it is shown.
 * @param {SVGSVGElement} svg
 * @param {string} name
 */
export async function savePng(svg, name) {
  const url = URL.createObjectURL(new Blob([alone(svg)], { type: "image/svg+xml" }));
  const image = new Image();
  image.src = url;
  await image.decode();
  const canvas = el("canvas", { width: SCALE * image.width, height: SCALE * image.height });
  canvas.getContext("2d")?.drawImage(image, 0, 0, canvas.width, canvas.height);
  URL.revokeObjectURL(url);
  canvas.toBlob((blob) => blob && save(name, "image/png", blob));
}
