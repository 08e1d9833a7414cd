import assert from "node:assert/strict";
import test from "node:test";

import { codes, problem, refusal, remarks } from "../../../service/page/problem.js";
import { table } from "../../../service/page/table.js";

const LIMITS = { min_rows: 10, max_columns: 2 };
const TABLE = table(
  "t",
  ["a", "b", "c", "d"],
  [
    ["1", "2", "", "4"],
    ["5", "6", "7", "8"],
    ["low", "high", "low", ""],
    ["1970-01-02", "1970-01-01", "1970-01-03", "1970-01-04"],
  ],
);
const [A, B, C, D] = TABLE.columns;
const sides = (dx, dy, n) => ({ x: new Array(dx), y: new Array(dy), n });

test("rows with a missing cell in a column of the pair are left out, and in no other", () => {
  const { x, y, n, dropped } = problem([A], [C], 4);
  assert.deepEqual([x, y], [[Float64Array.of(1, 2)], [Float64Array.of(0, 1)]]);
  assert.deepEqual([n, dropped], [2, 2]);
  assert.equal(problem([A], [D], 4).n, 3);
  assert.equal(problem([D], [D], 4).dropped, 0);
});

test("rows with a missing cell in what is given are left out, too", () => {
  const { x, given, n, dropped } = problem([A], [B], 4, [C]);
  assert.deepEqual([x, given], [[Float64Array.of(1, 2)], [Float64Array.of(0, 1)]]);
  assert.deepEqual([n, dropped], [2, 2]);
});

test("several columns a side stay in their order", () => {
  const { x, y } = problem([D, A], [C], 4);
  assert.deepEqual(x, [Float64Array.of(86_400_000, 0), Float64Array.of(1, 2)]);
  assert.equal(y.length, 1);
});

test("too few rows and too many columns are refused in words, at the limit nothing is", () => {
  assert.equal(refusal(sides(1, 1, 10), LIMITS), null);
  assert.equal(refusal(sides(2, 2, 10), LIMITS), null);
  assert.match(refusal(sides(1, 1, 9), LIMITS), /^Only 9 complete rows are left; at least 10/);
  const given = [1];
  assert.equal(refusal({ ...sides(1, 1, 10), given }, LIMITS), null);
  assert.match(refusal({ ...sides(2, 1, 10), given }, LIMITS), /^A side with what is given has 3 columns/);
  assert.match(refusal(sides(1, 3, 10), LIMITS), /^A side has 3 columns; this service covers up to 2/);
});

test("text columns are coded", () => {
  assert.deepEqual(codes([A, C]), ["coded"]);
  assert.deepEqual(codes([A, B]), []);
  assert.deepEqual(codes([A, D, C]), ["coded", "time"]);
});

test("everything that was done is remarked", () => {
  const strays = { ...B, labels: null, strays: 1 };
  assert.deepEqual(remarks([A, C, strays, D], 2, 4), [
    { text: "2 rows of 4 were left out: a cell is missing in one of the columns." },
    { name: "c", text: " is text; its 2 values were sent as codes." },
    { name: "d", text: " holds dates or times, sent as numbers; only their order counts." },
    { name: "b", text: " has 1 cell of text among numbers, counted as missing." },
  ]);
  assert.match(remarks([A], 1, 4)[0].text, /^1 row of 4 was left out/);
  assert.deepEqual(remarks([A], 0, 4), []);
});
