import assert from "node:assert/strict";
import test from "node:test";

import { about } from "../../../service/page/picker.js";
import { pairsOf, proposed, side } from "../../../service/page/question.js";
import { table } from "../../../service/page/table.js";

const TABLE = table(
  "t",
  ["same", "word", "a", "b", "gone"],
  [
    ["1", "1"],
    ["x", "y"],
    ["1", "2"],
    ["3", ""],
    ["", ""],
  ],
);
const names = (columns) => columns.map(({ name }) => name);

test("what is likely is proposed: columns of numbers that vary, as many as there are", () => {
  const { mode, x, y, target, columns } = proposed(
    table(
      "t",
      ["same", "word", "a", "b"],
      [
        ["1", "1"],
        ["x", "y"],
        ["1", "2"],
        ["3", "4"],
      ],
    ),
    {},
  );
  assert.deepEqual([mode, [...x], [...y], target], ["pair", ["a"], ["b"], "b"]);
  assert.deepEqual([...columns], ["same", "word", "a", "b"]);
});

test("what is wanted is proposed as far as the table has it", () => {
  const wanted = {
    mode: "target",
    x: ["b", "other"],
    y: ["a", "b"],
    target: "word",
    columns: ["a", "other"],
  };
  const { mode, x, y, target, columns } = proposed(TABLE, wanted);
  assert.deepEqual([mode, [...x], [...y], target, [...columns]], ["target", ["b"], ["a"], "word", ["a"]]);
});

test("a side is never proposed twice, and empty columns never among many", () => {
  const { x, y, columns } = proposed(TABLE, { y: ["a"] });
  assert.equal([...x].filter((name) => y.has(name)).length, 0);
  assert.equal(columns.has("gone"), false);
});

test("what is given is no part of the pair, and nothing unless it is wanted", () => {
  const given = (wanted) => [...proposed(TABLE, wanted).given];
  assert.deepEqual(given({ x: ["a"], y: ["b"], given: ["b", "word", "other", "a", "same"] }), [
    "word",
    "same",
  ]);
  assert.deepEqual(given({ x: ["a"], given: ["word", "b"] }), ["b"]); // word is proposed as y
  assert.deepEqual(given({}), []);
});

test("a table of one column has a question, which cannot be put", () => {
  const { x, y } = proposed(table("t", ["a"], [["1", "2"]]), {});
  assert.deepEqual([[...x], [...y]], [["a"], ["a"]]);
});

test("of very many columns not all pairs are proposed, unless they are wanted", () => {
  const many = Array.from({ length: 60 }, (_, i) => `c${i}`);
  const wide = table(
    "t",
    many,
    many.map(() => ["1", "2"]),
  );
  assert.equal(proposed(wide, { mode: "pairs" }).columns.size, 40);
  assert.equal(proposed(wide, { mode: "pairs", columns: many }).columns.size, 60);
  assert.equal(proposed(wide, { mode: "target" }).columns.size, 60);
});

test("pairs are each column with the target, or each with every other once", () => {
  const columns = new Set(["b", "a", "word"]);
  const pairs = (question) => pairsOf(TABLE, { target: "a", columns, ...question }).map(names);
  assert.deepEqual(pairs({ mode: "target" }), [
    ["word", "a"],
    ["b", "a"],
  ]);
  assert.deepEqual(pairs({ mode: "pairs" }), [
    ["word", "a"],
    ["word", "b"],
    ["a", "b"],
  ]);
  assert.deepEqual(pairs({ mode: "target", target: "other" }), []);
});

test("a side is in the order of the table", () => {
  assert.deepEqual(names(side(TABLE, new Set(["b", "word", "other"]))), ["word", "b"]);
});

test("a column says what is to be known before it is chosen", () => {
  assert.deepEqual(TABLE.columns.map(about), [
    "constant",
    "2 text values",
    "",
    "constant, 1 missing",
    "empty",
  ]);
});
