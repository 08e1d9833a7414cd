import assert from "node:assert/strict";
import test from "node:test";

import "./d3.js";
import * as chance from "../../../service/page/chance.js";

const N = 60;
const column = (seed) => Float64Array.from({ length: N }, (_, i) => (i * seed) % 101);
const PROBLEM = { x: [column(7)], y: [column(13), column(29)], given: [], n: N, dropped: 0 };
const LIMITS = {
  min_rows: 10,
  max_columns: 64,
  max_body_bytes: 1e6,
  max_request_cells: 1e6,
  max_request_problems: 10,
  queue_cells: 2e6,
  cells_per_second: 1e6,
};
const tools = (progress = () => {}) => ({ signal: new AbortController().signal, progress, waiting() {} });

/** A service that answers each problem by a function of its number. */
function service(answer) {
  const names = [];
  const batch = async (body) => {
    const size = Number(new DataView(body.buffer).getBigUint64(0, true));
    const header = Object.keys(JSON.parse(Buffer.from(body.slice(8, 8 + size)).toString()));
    names.push(...header);
    return header.filter((name) => name.startsWith("x.")).map(() => answer());
  };
  return { names, limits: async () => LIMITS, batch };
}

test("p counts the sample itself, and equals but for rounding", () => {
  assert.deepEqual(chance.significance(0.5, [0.1, 0.2, 0.3]), { least: 0, pvalue: 0.25 });
  assert.deepEqual(chance.significance(0.5, [0.4999999, 0.6, 0.49]), { least: 2, pvalue: 0.75 });
  assert.deepEqual(chance.significance(0, new Array(99).fill(0)), { least: 99, pvalue: 1 });
});

test("every surrogate is estimated once, and progress counts them", async () => {
  let answered = 0;
  const counts = [];
  const estimate = () => {
    answered += 1;
    return { estimate: { mi: answered / 100 } };
  };
  const found = await chance.test(
    service(estimate),
    PROBLEM,
    0.955,
    "shuffle",
    tools((n) => counts.push(n)),
  );
  assert.deepEqual(
    found.values.toSorted(),
    Array.from({ length: 99 }, (_, i) => (i + 1) / 100),
  );
  assert.deepEqual([found.least, found.pvalue, found.kind], [4, 0.05, "shuffle"]);
  assert.equal(counts.at(-1), 99);
});

test("what is given goes with every surrogate", async () => {
  const api = service(() => ({ estimate: { mi: 0 } }));
  await chance.test(api, { ...PROBLEM, given: [column(31)] }, 0, "local", tools());
  assert.equal(api.names.filter((name) => name.startsWith("given.")).length, 99);
});

test("one surrogate without an estimate is no test", async () => {
  const failing = service(() => ({ error: { detail: "the worker died" } }));
  await assert.rejects(chance.test(failing, PROBLEM, 0, "shuffle", tools()), {
    message: "the worker died",
    expected: true,
  });
});

test("too few and too many rows are told, and what helps", () => {
  assert.match(chance.untested(49), /at least 50 complete rows; these are 49/);
  assert.deepEqual([50, 20_000].map(chance.untested), [null, null]);
  assert.match(chance.untested(20_001), /up to 20,000 rows; in Python, mizzle\.test/);
});

test("a finding is words", () => {
  const found = (kind, least, total) =>
    chance.finding({
      kind,
      values: new Array(total).fill(0),
      least,
      pvalue: (1 + least) / (1 + total),
      remarks: [],
    });
  assert.equal(
    found("shuffle", 0, 99),
    "p = 0.01: chance alone seldom does this. Of 99 shuffles of y, none shares as much with x; 99 can show no smaller p.",
  );
  assert.equal(
    found("local", 1, 99),
    "p = 0.02: chance alone seldom does this. Of 99 permutations of y, 1 shares as much with x.",
  );
  assert.equal(
    found("shift", 40, 79),
    "p = 0.51: chance alone could do this. Of 79 circular shifts of y, 40 share as much with x.",
  );
});
