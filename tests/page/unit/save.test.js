import assert from "node:assert/strict";
import test from "node:test";

import { csv } from "../../../service/page/save.js";

test("cells are quoted where they have to be, numbers and gaps are plain", () => {
  assert.equal(
    csv([{ a: 1.5, b: null, c: 'say "so"', d: "x,y", e: "two\nlines", f: true }]),
    'a,b,c,d,e,f\r\n1.5,,"say ""so""","x,y","two\nlines",true\r\n',
  );
});

test("a text that a spreadsheet would run gets an apostrophe, a number does not", () => {
  for (const start of ["=", "+", "-", "@", "\t"])
    assert.equal(csv([{ a: `${start}1` }]), `a\r\n'${start}1\r\n`);
  assert.equal(csv([{ a: -1 }]), "a\r\n-1\r\n");
});
