import assert from "node:assert/strict";
import test from "node:test";

import { DEMOS } from "../../../service/page/demos.js";
import { close } from "./close.js";

const truth = (demo, a, b) => DEMOS.get(demo)?.truth(a, b);

test("what is known of the drawn columns is their formula", () => {
  close(truth("known", "x", "normal_0.6"), -0.5 * Math.log(1 - 0.36));
  close(truth("known", "quarter", "x"), Math.log(4));
  close(truth("known", "x", "zigzag"), 1.0498221244986778);
  assert.equal(truth("known", "independent", "x"), 0);
});

test("between other columns nothing is known", () => {
  assert.equal(truth("known", "quarter", "zigzag"), null);
  assert.equal(truth("known", "x", "x"), null);
  assert.equal(truth("breast_cancer", "benign", "mean_radius"), null);
});

test("columns of a block have the correlation of the block, of two blocks none", () => {
  close(truth("blocks", "a1", "a5"), -0.5 * Math.log(1 - 0.64));
  close(truth("blocks", "c1", "c2"), -0.5 * Math.log(1 - 0.0625));
  assert.equal(truth("blocks", "a1", "b1"), 0);
});
