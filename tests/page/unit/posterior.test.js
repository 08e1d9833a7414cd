import assert from "node:assert/strict";
import test from "node:test";

import {
  below,
  convert,
  correlation,
  interval,
  quantile,
  quantiles,
} from "../../../service/page/posterior.js";
import { close } from "./close.js";

const ANSWER = { quantiles: { 0.5: 0.4, 0.05: 0.1, 0.95: 1.0, 0.25: 0.2, 0.75: 0.6 } };

test("quantiles come in the order of their levels", () => {
  assert.deepEqual(quantiles(ANSWER), [
    [0.05, 0.1],
    [0.25, 0.2],
    [0.5, 0.4],
    [0.75, 0.6],
    [0.95, 1.0],
  ]);
});

test("between two levels the quantile is linear, and beyond the last it is the last", () => {
  for (const [level, value] of quantiles(ANSWER)) assert.equal(quantile(ANSWER, level), value);
  close(quantile(ANSWER, 0.375), 0.3);
  close(quantile(ANSWER, 0.85), 0.8);
  assert.equal(quantile(ANSWER, 0.001), 0.1);
  assert.equal(quantile(ANSWER, 0.999), 1.0);
});

test("a central interval ends at its two quantiles, in spite of rounding", () => {
  assert.deepEqual(interval(ANSWER, 0.9), [0.1, 1.0]); // 0.5 - 0.9 / 2 is not quite 0.05
  assert.deepEqual(interval(ANSWER, 0.5), [0.2, 0.6]);
});

test("the share below a quantile is its level", () => {
  for (const [level, value] of quantiles(ANSWER)) close(below(ANSWER, value), level);
  close(below(ANSWER, 0.3), 0.375);
});

test("the share falls to 0 at 0 and never exceeds the last level", () => {
  close(below(ANSWER, 0.05), 0.025);
  close(below(ANSWER, 1e-9), 0, 1e-9);
  assert.equal(below(ANSWER, 5), 0.95);
});

test("shares between thresholds add up to what lies between the ends", () => {
  const thresholds = [1e-12, 0.02, 0.15, 0.4, 0.77, 2];
  const shares = thresholds.slice(1).map((end, i) => below(ANSWER, end) - below(ANSWER, thresholds[i]));
  assert.ok(shares.every((share) => share >= 0));
  close(
    shares.reduce((sum, share) => sum + share, 0),
    0.95,
    1e-9,
  );
});

test("a posterior of one value lies below all that is larger", () => {
  const point = { quantiles: { 0.05: 0.01, 0.5: 0.01, 0.95: 0.01 } };
  assert.equal(below(point, 0.02), 1);
  assert.deepEqual(interval(point, 0.9), [0.01, 0.01]);
});

test("a nat is 1 / ln 2 bits", () => {
  assert.equal(convert(1, "nats"), 1);
  close(convert(1, "bits"), Math.LOG2E);
  close(convert(Math.LN2, "bits"), 1);
});

test("a correlation of 0.6 has -ln(1 - 0.36) / 2 nats", () => {
  close(correlation(-Math.log(1 - 0.36) / 2), 0.6);
  assert.equal(correlation(0), 0);
  assert.equal(correlation(-1e-9), 0);
  assert.equal(correlation(50), 1);
});
