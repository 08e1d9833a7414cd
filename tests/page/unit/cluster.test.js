import assert from "node:assert/strict";
import test from "node:test";

import { clustered } from "../../../service/page/cluster.js";

const between = (positions) => (i, j) => Math.abs(positions[i] - positions[j]);

test("nothing has no order, and one item its own", () => {
  assert.deepEqual(
    clustered(0, () => 0),
    [],
  );
  assert.deepEqual(
    clustered(1, () => 0),
    [0],
  );
});

test("points of a line come in the order of the line, from either end", () => {
  const positions = [0, 10, 1, 11, 5];
  const order = clustered(5, between(positions)).map((i) => positions[i]);
  assert.deepEqual(order[0] < order[4] ? order : order.toReversed(), [0, 1, 5, 10, 11]);
});

test("every item is there once", () => {
  const order = clustered(40, (i, j) => ((i * 7919 + 1) * (j * 7919 + 1)) % 97);
  assert.deepEqual(
    order.toSorted((a, b) => a - b),
    Array.from({ length: 40 }, (_, i) => i),
  );
});

test("groups are not mixed", () => {
  const groups = [0, 1, 2, 0, 1, 2, 0, 1, 2];
  const order = clustered(9, (i, j) => Number(groups[i] !== groups[j])).map((i) => groups[i]);
  assert.equal(order.filter((group, i) => group !== order[i + 1]).length, 3);
});

test("linkage is average: a distant member keeps a cluster away", () => {
  // {0, 1} and {2} are 2 apart at their closest members and 4.5 on average, {2} and {3} 4. By the closest members
  // 2 would join first, and 3 then stand beside 0.
  const distances = [
    [0, 1, 7, 3],
    [1, 0, 2, 9],
    [7, 2, 0, 4],
    [3, 9, 4, 0],
  ];
  assert.deepEqual(
    clustered(4, (i, j) => distances[i][j]),
    [0, 1, 2, 3],
  );
});

test("the ends that meet are the close ones", () => {
  const distances = [
    [0, 1, 8, 2],
    [1, 0, 9, 9],
    [8, 9, 0, 1],
    [2, 9, 1, 0],
  ];
  assert.deepEqual(
    clustered(4, (i, j) => distances[i][j]),
    [1, 0, 3, 2],
  );
});
