import assert from "node:assert/strict";
import test from "node:test";

import { amount, count, duration, percent, plural } from "../../../service/page/words.js";

test("counts have separators", () => {
  assert.deepEqual([0, 999, 19_900, 1_234_567].map(count), ["0", "999", "19,900", "1,234,567"]);
});

test("one is singular, all others are plural", () => {
  assert.deepEqual(
    [0, 1, 2, 2000].map((n) => plural(n, "row")),
    ["0 rows", "1 row", "2 rows", "2,000 rows"],
  );
  assert.equal(plural(2, "column has", "columns have"), "2 columns have");
});

test("amounts have three decimals, from 10 on two", () => {
  assert.deepEqual([0, 0.1234, 9.9994, 10, -12.345].map(amount), [
    "0.000",
    "0.123",
    "9.999",
    "10.00",
    "-12.35",
  ]);
});

test("shares have a decimal near their ends, beyond which there are no quantiles", () => {
  const shares = [0, 0.004, 0.005, 0.0999, 0.1, 0.5, 0.9, 0.95, 0.994, 0.995, 1];
  const texts = [
    "< 0.5 %",
    "< 0.5 %",
    "0.5 %",
    "10.0 %",
    "10 %",
    "50 %",
    "90 %",
    "95.0 %",
    "99.4 %",
    "> 99.5 %",
    "> 99.5 %",
  ];
  assert.deepEqual(
    shares.map((share) => percent(share)),
    texts,
  );
});

test("durations are rough", () => {
  const texts = [
    "about a second",
    "about 2 seconds",
    "about 99 seconds",
    "about 2 minutes",
    "about 10 minutes",
  ];
  assert.deepEqual([0.2, 1.5, 99.4, 100, 600].map(duration), texts);
});
