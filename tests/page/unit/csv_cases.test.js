// The cases that the command reads, too: tests/sdk/files/test_csv_cases.py.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import test from "node:test";
import { runInThisContext } from "node:vm";

import { MARKERS } from "../../../service/page/cells.js";
import { readBytes } from "../../../service/page/read.js";

/** @param {string} path */
const text = (path) => readFileSync(new URL(`../../../${path}`, import.meta.url), "utf8");
runInThisContext(text("service/page/vendor/papaparse/papaparse.min.js"));

/** A column as a case has it: labels as themselves, times in seconds. */
const cells = ({ values, labels, timed }) =>
  [...values].map((v) => (Number.isNaN(v) ? null : labels ? labels[v] : timed ? v / 1000 : v + 0));

for (const { name, text: content, columns, labels = {}, times = [], left_out = {}, said = [] } of JSON.parse(
  text("tests/csv_cases.json"),
)) {
  test(name, async () => {
    const table = await readBytes("t.csv", new TextEncoder().encode(content).buffer);
    assert.deepEqual(Object.fromEntries(table.columns.map((each) => [each.name, cells(each)])), columns);
    for (const { name, labels: order, timed } of table.columns) {
      if (labels[name]) assert.deepEqual(order, labels[name]);
      assert.equal(timed, times.includes(name));
    }
    const remarks = table.remarks.join(" ");
    for (const [column, content] of Object.entries(left_out))
      assert.ok(remarks.includes(`${column} (${content}`));
    for (const word of said) assert.ok(remarks.includes(word), `${word} in ${remarks}`);
  });
}

test("the list of markers is that of the command", () => {
  const source = text("sdk/files/markers.py").split("DEFAULT_MARKERS = (")[1].split("\n)\n")[0];
  assert.deepEqual(
    MARKERS,
    [...source.matchAll(/"(.*?)"/g)].map(([, marker]) => marker),
  );
});
