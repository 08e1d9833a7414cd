import assert from "node:assert/strict";
import test from "node:test";

import { gaussian } from "../../../service/page/gaussian.js";
import { close } from "./close.js";

const columns = (...lists) => lists.map((list) => Float64Array.from(list));

test("two columns of correlation 0.8 have -ln(1 - 0.64) / 2 nats", () => {
  close(gaussian(columns([1, 2, 3, 4]), columns([1, 3, 2, 4])), 0.5108256237659907);
});

test("a side of two columns goes by the determinants that numpy finds", () => {
  const x = columns([1, 2, 3, 4, 5, 6], [2, 1, 5, 3, 6, 4]);
  const y = columns([1, 3, 2, 5, 4, 7]);
  close(gaussian(x, y), 2.5977114716927314, 1e-9);
  close(gaussian(y, x), 2.5977114716927314, 1e-9);
});

test("scales and shifts change nothing, however large", () => {
  const [x, y] = [columns([1, 2, 3, 4]), columns([1, 3, 2, 4])];
  const scaled = columns([1, 2, 3, 4].map((v) => 1e200 * v));
  const shifted = columns([1, 3, 2, 4].map((v) => 1e-3 * v - 7));
  close(gaussian(scaled, shifted), gaussian(x, y), 1e-9);
});

test("what normal variables share beyond a third is that of their partial correlation", () => {
  const z = columns([-1, -1, 0, 0, 1, 1]);
  const [u, v] = [
    [1, -1, 1, -1, 1, -1],
    [1, -1, 2, -2, 0, 0],
  ];
  // Both are uncorrelated with z, so that their correlation, 6 / sqrt(6 * 10), is the partial one of x and y.
  const shifted = (part) => columns(part.map((value, i) => value + 3 * z[0][i]));
  close(gaussian(shifted(u), shifted(v), z), -0.5 * Math.log1p(-0.6), 1e-9);
  assert.ok(gaussian(shifted(u), shifted(v)) > 0.9);
  assert.ok(Number.isNaN(gaussian(shifted(u), z, z))); // what is given determines a side
});

test("uncorrelated columns have none, and never less", () => {
  assert.equal(gaussian(columns([1, 2, 3, 4]), columns([1, -1, -1, 1])), 0);
});

test("there is no value where a column is constant or determines another", () => {
  assert.ok(Number.isNaN(gaussian(columns([1, 1, 1, 1]), columns([1, 3, 2, 4]))));
  assert.ok(Number.isNaN(gaussian(columns([1, 2, 3, 4]), columns([2, 4, 6, 8]))));
  assert.ok(Number.isNaN(gaussian(columns([1, 3, 2, 4], [2, 6, 4, 8]), columns([1, 2, 3, 4]))));
});
