import assert from "node:assert/strict";
import test from "node:test";

import { record, sorted, summary } from "../../../service/page/records.js";
import { close } from "./close.js";

const ANSWER = {
  mi: 0.5,
  quantiles: { 0.05: 0.1, 0.5: 0.4, 0.95: 1 },
  in_range: true,
  warnings: [{ code: "ties", message: "many are equal" }],
};

test("a summary has the mean, the median and the ends of the interval in the unit", () => {
  const { mi, low, high, median, below } = summary(ANSWER, "nats");
  assert.deepEqual([mi, low, high, median], [0.5, 0.1, 1, 0.4]);
  close(below, 0.01); // 0.02 is a fifth of the way to the first quantile, at 0.05
  const bits = summary(ANSWER, "bits");
  close(bits.high, 1 / Math.LN2);
  assert.equal(bits.below, below); // a share has no unit
});

test("a record has the same fields with and without an answer", () => {
  const pair = { x: "a", y: "b", n: 10, dropped: 2, codes: ["coded"] };
  const good = record({ ...pair, answer: ANSWER }, "nats");
  const bad = record({ ...pair, error: "too few rows" }, "nats");
  assert.deepEqual(Object.keys(good), Object.keys(bad));
  assert.equal(good.warnings, "coded ties");
  assert.deepEqual([good.in_range, good.error], [true, null]);
  assert.deepEqual([bad.mi, bad.below, bad.in_range, bad.error], [null, null, null, "too few rows"]);
});

test("a record says what was given and how it was tested, where it was", () => {
  const pair = { x: "a", y: "b", n: 10, dropped: 2, codes: [], answer: ANSWER };
  const plain = Object.keys(record({ ...pair, given: "" }, "nats"));
  assert.deepEqual(plain, Object.keys(record(pair, "nats")));
  const { given, pvalue } = record({ ...pair, given: "z + q", pvalue: 0.01 }, "nats");
  assert.deepEqual([given, pvalue], ["z + q", 0.01]);
});

test("the strongest stands first, what has no answer last, equals in their order", () => {
  const results = [
    { name: "none" },
    ...[0, 3, 1, 3].map((mi, i) => ({ name: i, answer: { ...ANSWER, mi } })),
  ];
  assert.deepEqual(
    sorted(results).map(({ name }) => name),
    [1, 3, 2, 0, "none"],
  );
});
