// Numbers that are equal but for rounding.

import assert from "node:assert/strict";

/**
 * @param {number} value
 * @param {number} expected
 * @param {number} [tolerance] relative
 */
export function close(value, expected, tolerance = 1e-12) {
  const error = Math.abs(value - expected);
  assert.ok(error <= tolerance * Math.max(1, Math.abs(expected)), `${value} is not ${expected}`);
}
