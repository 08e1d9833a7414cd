import assert from "node:assert/strict";
import test from "node:test";

import { format, parse } from "../../../service/page/fragment.js";

const QUESTION = {
  data: null,
  mode: "pair",
  unit: "nats",
  target: "t",
  x: ["a"],
  y: ["b", "c"],
  given: [],
  columns: ["d", "e"],
};

test("each kind of question names what belongs to it", () => {
  assert.equal(format(QUESTION), "#mode=pair&x=a&y=b&y=c");
  assert.equal(format({ ...QUESTION, given: ["z"] }), "#mode=pair&x=a&y=b&y=c&given=z");
  assert.equal(
    format({ ...QUESTION, given: ["z"], mode: "target" }),
    "#mode=target&target=t&columns=d&columns=e",
  );
  assert.equal(
    format({ ...QUESTION, mode: "pairs", data: "blocks" }),
    "#data=blocks&mode=pairs&columns=d&columns=e",
  );
  assert.equal(format({ ...QUESTION, unit: "bits" }), "#mode=pair&x=a&y=b&y=c&unit=bits");
});

test("what is written is read", () => {
  const names = ["x.0 #?&%20=;", "größe", "", "<b>", "a\nb", "+"];
  for (const mode of ["pair", "target", "pairs"]) {
    const question = {
      ...QUESTION,
      mode,
      unit: "bits",
      target: names[0],
      x: names,
      y: names,
      given: names,
      columns: names,
    };
    const { data: _, ...settings } = parse(format(question));
    for (const [name, value] of Object.entries(settings)) assert.deepEqual(value, question[name]);
    assert.equal("x" in settings, mode === "pair");
    assert.equal("given" in settings, mode === "pair");
  }
});

test("what is unknown or wrong is left out", () => {
  assert.deepEqual(parse(""), {});
  assert.deepEqual(parse("#mode=other&unit=hartleys&threshold=3&__proto__=1"), {});
  assert.deepEqual(parse("#mode=pairs&data=anything"), { mode: "pairs", data: "anything" });
});

test("a list of columns that is too long is left out", () => {
  const columns = Array.from({ length: 2000 }, (_, i) => `column ${i}`);
  assert.equal(format({ ...QUESTION, mode: "pairs", columns }), "#mode=pairs");
});
