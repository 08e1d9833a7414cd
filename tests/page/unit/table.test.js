import assert from "node:assert/strict";
import test from "node:test";

import { isValue } from "../../../service/page/cells.js";
import { table } from "../../../service/page/table.js";

/** The column of these cells. */
const column = (...cells) => columns(...cells)[0];
const columns = (...cells) => table("t", ["a"], [cells]).columns;

test("numbers are read in every way of writing them", () => {
  const { kind, values, strays, missing } = column("1", " -2.5 ", "+.5", "1e3", "7.", 4, 5n, "1E-2");
  assert.equal(kind, "number");
  assert.deepEqual([...values], [1, -2.5, 0.5, 1000, 7, 4, 5, 0.01]);
  assert.deepEqual([strays, missing], [0, 0]);
});

test("cells that pandas takes for missing are, and infinities too", () => {
  const absent = [
    "",
    "  ",
    "NA",
    "N/A",
    "null",
    "None",
    "NaN",
    "inf",
    "-Infinity",
    null,
    undefined,
    NaN,
    Infinity,
  ];
  const { kind, values, missing, strays } = column(...absent, "1", "2");
  assert.equal(kind, "number");
  assert.deepEqual([...values.slice(-2)], [1, 2]);
  assert.equal(missing, absent.length);
  assert.equal(strays, 0);
  assert.ok(values.slice(0, -2).every(Number.isNaN));
});

test("texts are coded by falling count, then in the order of the alphabet, missing ones stay missing", () => {
  const { kind, values, labels, missing } = column("low", "high", " low ", "", "mid");
  assert.equal(kind, "text");
  assert.deepEqual(labels, ["low", "high", "mid"]);
  assert.deepEqual([...values], [0, 1, 0, NaN, 2]);
  assert.equal(missing, 1);
});

test("a column is of numbers where nine tenths of its cells are; the rest are strays", () => {
  const nine = ["1", "2", "3", "4", "5", "6", "7", "8", "9"];
  assert.deepEqual(
    [column(...nine, "x").kind, column(...nine, "x").strays, column(...nine, "x").missing],
    ["number", 1, 0],
  );
  assert.deepEqual(columns(...nine.slice(1), "x"), []);
  assert.equal(column(...nine, "x", "", "").kind, "number"); // missing cells do not count
});

test("booleans are text, dates are milliseconds", () => {
  assert.deepEqual(column(true, false, true).labels, ["true", "false"]);
  assert.deepEqual([...column(new Date(5), new Date("1970-01-02")).values], [5, 86_400_000]);
});

test("constant and empty columns are known, whole numbers beyond 2^53 are ranked", () => {
  assert.deepEqual([column("3", "3", "").constant, column("3", "4").constant], [true, false]);
  assert.deepEqual(
    [column("", "NA").empty, column("", "NA").constant, column("1").empty],
    [true, false, false],
  );
  assert.deepEqual([...column(2n ** 53n - 1n, 5n).values], [2 ** 53 - 1, 5]);
  assert.deepEqual(
    [...column(2n ** 53n + 1n, 2n ** 53n, 5n, null, 2n ** 53n + 1n).values],
    [2, 1, 0, NaN, 2],
  );
});

test("names are distinct, as pandas makes them", () => {
  const names = ["a", "a", "a.1", "", "a", ""];
  const columns = table(
    "t",
    names,
    names.map(() => ["1"]),
  ).columns.map(({ name }) => name);
  assert.deepEqual(columns, ["a", "a.2", "a.1", "Unnamed: 3", "a.3", "Unnamed: 5"]);
});

test("names of objects' own properties are names", () => {
  const names = ["__proto__", "constructor", "toString"];
  assert.deepEqual(
    table(
      "t",
      names,
      names.map(() => ["1"]),
    ).columns.map(({ name }) => name),
    names,
  );
});

test("a value is a number or a missing cell", () => {
  assert.deepEqual(["1", "-.5", "", "NA", "1,5", "x", "0x10", "1 2"].map(isValue), [
    true,
    true,
    true,
    true,
    false,
    false,
    false,
    false,
  ]);
});
