// What a problem costs the service, in padded cells, as /v1/limits counts them.

/** @import { Problem } from "./problem.js" */

const DISTANCE_CELLS = 8;
const BLOCK_CELLS = 3200000;
const ROWS = Array.from({ length: 40 }, (_, i) => Math.round(16 * 2 ** (i / 2)));

/**
 * Cells of n rows of dx + dy columns.
 * @param {number} n
 * @param {number} dx
 * @param {number} dy
 */
export function cells(n, dx, dy) {
  const padded = ROWS.find((rows) => rows >= n) ?? n;
  const columns = 2 * 2 ** Math.ceil(Math.log2(Math.max(dx, dy, 1)));
  return padded * columns + Math.min(padded * DISTANCE_CELLS, BLOCK_CELLS);
}

/**
 * Cells of a problem. With something given it is two to the service, those of I(X,Z;Y) and I(Z;Y), of which the side
 * that the page cannot tell is taken as the wider one.
 * @param {Pick<Problem, "x" | "y" | "given" | "n">} problem
 */
export function cost({ x, y, given = [], n }) {
  if (!given.length) return cells(n, x.length, y.length);
  const wider = Math.max(x.length, y.length);
  return cells(n, wider + given.length, wider) + cells(n, given.length, wider);
}
