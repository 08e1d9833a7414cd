import assert from "node:assert/strict";
import test from "node:test";

import { sentence } from "../../../service/page/api.js";
import { label, visible } from "../../../service/page/dom.js";
import { short } from "../../../service/page/notes.js";

test("invisible characters and blank names get a sign", () => {
  assert.equal(visible("a\u202eb\u0000\n"), "a\ufffdb\ufffd\ufffd");
  assert.deepEqual([visible(""), visible("   "), visible("\u200b")], ["(no name)", "(no name)", "\ufffd"]);
});

test("labels are cut by characters, not by halves of them", () => {
  assert.equal(label("abc", 3), "abc");
  assert.equal(label("abcd", 3), "ab…");
  assert.equal(label("🧪🧪🧪", 2), "🧪…");
});

test("a label that runs from right to left is isolated", () => {
  assert.equal(label("שלום"), "\u2068שלום\u2069");
});

test("a sentence has a capital letter and a full stop, but n, x and y stay", () => {
  const sentences = [
    "it is late",
    "n = 5 is too few",
    "x is constant",
    "nothing is left.",
    "größe?",
    "ärger!",
  ];
  assert.deepEqual(sentences.map(sentence), [
    "It is late.",
    "n = 5 is too few.",
    "x is constant.",
    "Nothing is left.",
    "Größe?",
    "Ärger!",
  ]);
});

test("codes are two words", () => {
  assert.deepEqual(["ties", "constant_x", "some_new_code", "rows_out_of_range"].map(short), [
    "ties",
    "constant",
    "some new code",
    "unusual number of rows",
  ]);
});
