import assert from "node:assert/strict";
import test from "node:test";

import { bodyName, curl, python, quoted } from "../../../service/page/code.js";

const QUESTION = { mode: "pair", x: ["a"], y: ["b", "c"], given: [], target: "t", columns: ["d"] };
const CSV = { title: "f.csv", reading: { separator: ",", comma: false, headless: false } };

test("a text is a Python string without anything invisible", () => {
  assert.equal(quoted(`say "so"\\`), `"say \\"so\\"\\\\"`);
  assert.equal(quoted("\u202eabc"), '"\\U0000202eabc"');
  assert.equal(quoted("\u{e0001}\x7f"), '"\\U000e0001\\U0000007f"');
  assert.equal(quoted("größe"), '"größe"');
});

test("the file is read as the page has read it", () => {
  const read = (reading, title = "f.csv") =>
    /pandas\.(.*)/.exec(python(QUESTION, { title, reading }, false))?.[1];
  assert.equal(read(CSV.reading), 'read_csv("f.csv")');
  assert.equal(
    read({ separator: ";", comma: true, headless: true }),
    'read_csv("f.csv", sep=";", decimal=",", header=None).add_prefix("c")',
  );
  assert.equal(
    read({ separator: ",", comma: false, headless: false, markers: ["?", "."] }),
    'read_csv("f.csv", na_values=["?", "."])',
  );
  assert.equal(read(undefined, "f.parquet"), 'read_parquet("f.parquet")');
});

test("each kind of question has its call", () => {
  const call = (question) =>
    python({ ...QUESTION, ...question }, CSV, false)
      .split("\n    ")
      .slice(1)
      .join("; ")
      .trim();
  assert.equal(
    call({}),
    'x, y = frame[["a"]], frame[["b", "c"]]; print(client.estimate(x, y, missing="drop"))',
  );
  assert.equal(
    call({ given: ["z", 'q"'] }),
    'x, y = frame[["a"]], frame[["b", "c"]]; given = frame[["z", "q\\""]]; print(client.estimate(x, y, given=given, missing="drop"))',
  );
  assert.match(call({ mode: "target" }), /client\.rank\(frame, "t", columns=\["d"\], missing="drop"\)/);
  assert.match(call({ mode: "pairs" }), /client\.matrix\(frame, columns=\["d"\], missing="drop"\)/);
});

test("a key is named, never written", () => {
  assert.match(python(QUESTION, CSV, true), /, api_key=\.\.\.\) as client/);
  assert.match(curl(QUESTION, 1, true), /authorization: Bearer \$MIZZLE_API_KEY/);
  assert.doesNotMatch(curl(QUESTION, 1, false), /authorization/);
});

test("a command sends the files that are saved", () => {
  assert.match(
    curl({ ...QUESTION, x: ["a", "b"] }, 1, false),
    /estimate\?dim_x=2&levels=all'.*application\/x-npy' --data-binary @pair\.npy\n$/s,
  );
  assert.match(
    curl({ ...QUESTION, given: ["z", "q"] }, 1, false),
    /estimate\?dim_x=1&dim_given=2&levels=all'/,
  );
  assert.match(
    curl({ ...QUESTION, mode: "pairs" }, 1, false),
    /estimate:batch'.*x-safetensors' --data-binary @pairs\.safetensors\n$/s,
  );
  assert.match(
    curl({ ...QUESTION, mode: "pairs" }, 3, false),
    /^for i in \$\(seq 3\); do\n.*@pairs-\$i\.safetensors\ndone\n$/s,
  );
  assert.deepEqual(
    [bodyName("pair"), bodyName("target"), bodyName("pairs", 2)],
    ["pair.npy", "pairs.safetensors", "pairs-2.safetensors"],
  );
});
