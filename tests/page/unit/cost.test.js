import assert from "node:assert/strict";
import test from "node:test";

import { cells, cost } from "../../../service/page/cost.js";

test("rows are padded to the next size, columns of the larger side to a power of two", () => {
  assert.equal(cells(10, 1, 1), 160); // 16 rows of 2 * 1 + 8
  assert.equal(cells(16, 1, 1), 160);
  assert.equal(cells(17, 1, 1), 230);
  assert.equal(cells(569, 1, 1), 7240);
  assert.equal(cells(16, 5, 2), 384); // 16 rows of 2 * 8 + 8
  assert.equal(cells(10_000, 33, 64), 1_575_560);
});

test("sides can be exchanged", () => {
  assert.equal(cells(100, 3, 7), cells(100, 7, 3));
});

test("of many rows only some are more than ranked", () => {
  assert.equal(cells(370_728, 1, 1), 3_707_280); // 10 a row
  assert.equal(cells(1_000_000, 1, 1), 1_048_576 * 2 + 3_200_000);
});

test("with something given, both problems of the chain rule are counted", () => {
  const problem = (dx, dy, dz) => ({ x: new Array(dx), y: new Array(dy), given: new Array(dz), n: 100 });
  assert.equal(cost(problem(2, 1, 0)), cells(100, 2, 1));
  assert.equal(cost(problem(2, 1, 3)), cells(100, 5, 2) + cells(100, 3, 2));
});

test("what is larger than every size is not padded", () => {
  assert.equal(cells(1e9, 1, 1), 2_003_200_000);
});
