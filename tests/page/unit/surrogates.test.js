import assert from "node:assert/strict";
import test from "node:test";

import "./d3.js";
import { significance } from "../../../service/page/chance.js";
import { autocorrelationLength, neighbours, surrogates } from "../../../service/page/surrogates.js";

const N = 200;
const REPEATS = 120;
const whole = Array.from({ length: N }, (_, i) => i);
const source = d3.randomLcg(7);
const normal = d3.randomNormal.source(source)();
const noise = () => Float64Array.from(whole, normal);
/** A series that remembers: each value is .95 of the one before, and noise. */
const series = () => {
  let last = normal() / Math.sqrt(1 - 0.95 ** 2);
  return Float64Array.from(whole, () => {
    last = 0.95 * last + normal();
    return last;
  });
};
const problem = (x, y, ...given) => ({ x: [x], y: [y], given, n: N });
const orders = (kind, sides, count = 99) =>
  [...surrogates(kind, sides, count).orders].map((order) => Array.from(order));

test("a seed draws the same orders again, each with every row once", () => {
  const sides = problem(noise(), noise());
  for (const kind of ["shuffle", "shift"]) {
    const drawn = orders(kind, sides);
    assert.deepEqual(drawn, orders(kind, sides));
    for (const order of drawn)
      assert.deepEqual(
        order.toSorted((a, b) => a - b),
        whole,
      );
    assert.equal(new Set(drawn.map(String)).size, 99);
  }
});

test("shifts turn the circle, by what both series remember at least", () => {
  const [x, y] = [series(), series()];
  const least = Math.max(autocorrelationLength(x), autocorrelationLength(y));
  assert.ok(least > 5, String(least));
  for (const order of orders("shift", problem(x, y))) {
    const step = order[0];
    assert.deepEqual(
      order,
      whole.map((i) => (i + step) % N),
    );
    assert.ok(step >= least && step <= N - least, `${step} of ${least}`);
  }
});

test("few ways to turn are each taken once, and a trend is told", () => {
  const trend = Float64Array.from(whole);
  const { total, orders, remarks } = surrogates("shift", problem(trend, trend), 199);
  assert.equal(total, N - 2 * 25 + 1);
  assert.equal(new Set([...orders].map(([first]) => first)).size, total);
  assert.match(remarks[0], /trends and random walks.*differences/);
  assert.match(remarks[1], /in only 151 ways/);
});

test("a series of no memory forgets at once, a constant one too", () => {
  assert.equal(autocorrelationLength(Float64Array.from(whole, (i) => i % 2)), 1);
  assert.equal(autocorrelationLength(new Float64Array(N)), 1);
  // Blocks of 10 equal values: (10 - lag) / 10 of the pairs at a lag are of one block.
  const blocks = Float64Array.from({ length: 4000 }, (_, i) => (i % 10 ? NaN : source()));
  for (const i of blocks.keys()) if (i % 10) blocks[i] = blocks[i - 1];
  assert.ok(Math.abs(autocorrelationLength(blocks) - 5.5) <= 1);
});

test("the nearest of a column are a window of it, and of several by the largest difference of ranks", () => {
  const five = Float64Array.of(30, 10, 20, 50, 40, 70, 60);
  const sorted = (places) => places.map((rows) => rows.toSorted((a, b) => a - b));
  assert.deepEqual(sorted(neighbours([five], 7, source))[0], [0, 1, 2, 3, 4]);
  assert.deepEqual(sorted(neighbours([five], 7, source))[5], [0, 3, 4, 5, 6]);
  assert.deepEqual(sorted(neighbours([five, five], 7, source))[0], [0, 1, 2, 3, 4]);
  const rows = neighbours([noise(), noise()], N, source);
  for (const [i, near] of rows.entries()) {
    assert.equal(new Set(near).size, 5);
    assert.ok(near.includes(i));
  }
});

test("local permutations move rows among those nearest by what is given", () => {
  const given = noise();
  const place = new Map(whole.toSorted((i, j) => given[i] - given[j]).map((row, i) => [row, i]));
  for (const order of orders("local", problem(noise(), noise(), given))) {
    const steps = order.map((j, i) => Math.abs(place.get(i) - place.get(j)));
    assert.ok(Math.max(...steps) <= 4); // at an end of the window
    assert.ok(new Set(order).size > 0.75 * N); // few rows are taken twice
    assert.ok(steps.filter((step) => step > 0).length > N / 2);
  }
});

test("equal values of what is given are exchanged by chance", () => {
  const given = Float64Array.from(whole, (i) => i % 2);
  const rows = neighbours([given], N, source);
  for (const [i, near] of rows.entries()) assert.ok(near.filter((j) => (i - j) % 2 === 0).length >= 3);
  assert.notDeepEqual(rows, neighbours([given], N, source));
});

function centred(column) {
  const mean = d3.mean(column);
  return column.map((v) => v - mean);
}

/** The square of the covariance, but for a factor that no order changes. */
function statistic(x, y, order) {
  let sum = 0;
  for (let i = 0; i < N; i += 1) sum += x[i] * y[order[i]];
  return sum ** 2;
}

/** The share of samples with p of at most .05. */
function rejected(kind, draw) {
  const pvalues = Array.from({ length: REPEATS }, () => {
    const sides = draw();
    const [x, y] = [...sides.x, ...sides.y].map((column) => centred(column));
    const values = Array.from(surrogates(kind, sides, 99).orders, (order) => statistic(x, y, order));
    return significance(statistic(x, y, whole), values).pvalue;
  });
  return pvalues.filter((p) => p <= 0.05).length / REPEATS;
}

// Four standard errors of a share of .05 in REPEATS samples.
const HIGHEST = 0.05 + 4 * Math.sqrt((0.05 * 0.95) / REPEATS);

test("independent rows are called dependent by shuffles in one of twenty samples", () => {
  const share = rejected("shuffle", () => problem(noise(), noise()));
  assert.ok(share > 0 && share <= HIGHEST, String(share));
});

test("independent series are, by shuffles nearly always, by shifts no more often than others", () => {
  assert.ok(rejected("shuffle", () => problem(series(), series())) > 0.4);
  const share = rejected("shift", () => problem(series(), series()));
  assert.ok(share <= HIGHEST, String(share));
});

test("what a third explains is called dependent by shuffles, and by local permutations no more often", () => {
  const confounded = () => {
    const z = noise();
    return problem(
      z.map((v) => v + normal()),
      z.map((v) => v + normal()),
      z,
    );
  };
  assert.ok(rejected("shuffle", confounded) > 0.9);
  const share = rejected("local", confounded);
  assert.ok(share <= HIGHEST, String(share));
});
