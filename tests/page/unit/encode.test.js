import assert from "node:assert/strict";
import test from "node:test";

import { npy, room, safetensors } from "../../../service/page/encode.js";

const columns = (...lists) => lists.map((list) => Float64Array.from(list));
const hex = (bytes) => Buffer.from(bytes).toString("hex");
/** What numpy.save writes before the numbers of an array of shape (2, 2). */
const head = (type) => {
  const text = `{'descr': '${type}', 'fortran_order': False, 'shape': (2, 2), }`;
  return `934e554d505901007600${hex(Buffer.from(text.padEnd(117)))}0a`;
};

test("numbers that float32 holds are numpy.save's bytes in float32, row by row", () => {
  assert.equal(
    hex(npy(columns([1, 3]), columns([2, 4.5]))),
    `${head("<f4")}0000803f000000400000404000009040`,
  );
});

test("one number that float32 does not hold makes all of them float64", () => {
  const numbers = "9a9999999999b93f000000000000f03f00000000000000400000000000000840";
  assert.equal(hex(npy(columns([0.1, 2]), columns([1, 3]))), head("<f8") + numbers);
});

test("what stands before the numbers is a multiple of 64 bytes long, whatever the shape", () => {
  for (const n of [1, 10, 1000, 100_000]) {
    const bytes = npy(
      [new Float64Array(n)],
      Array.from({ length: 12 }, () => new Float64Array(n)),
    );
    const length = bytes[8] + 256 * bytes[9];
    assert.equal((length + 10) % 64, 0);
    assert.equal(bytes.length, 10 + length + 13 * n * 4);
    assert.equal(bytes[9 + length], 10); // a line ends there
  }
});

test("safetensors hold a header of names, types, shapes and places, then the numbers", () => {
  const bytes = safetensors([
    { x: columns([1, 2]), y: columns([3, 4], [5, 6]) },
    { x: columns([0.1]), y: columns([7]) },
  ]);
  const size = Number(new DataView(bytes.buffer).getBigUint64(0, true));
  assert.deepEqual(JSON.parse(Buffer.from(bytes.slice(8, 8 + size)).toString()), {
    __metadata__: { levels: "all" },
    "x.0": { dtype: "F32", shape: [2, 1], data_offsets: [0, 8] },
    "y.0": { dtype: "F32", shape: [2, 2], data_offsets: [8, 24] },
    "x.1": { dtype: "F64", shape: [1, 1], data_offsets: [24, 32] },
    "y.1": { dtype: "F32", shape: [1, 1], data_offsets: [32, 36] },
  });
  const data = Buffer.from(bytes.slice(8 + size));
  assert.equal(data.length, 36);
  assert.deepEqual(
    [0, 4, 8, 12, 16, 20].map((place) => data.readFloatLE(place)),
    [1, 2, 3, 5, 4, 6],
  );
  assert.equal(data.readDoubleLE(24), 0.1);
});

test("what is given stands behind the columns of y, and beside x and y where there are many", () => {
  const [x, y, given] = [columns([1, 2]), columns([3, 4]), columns([5, 6], [7, 8])];
  assert.deepEqual(npy(x, y, given), npy(x, [...y, ...given]));
  const bytes = safetensors([
    { x, y, given: [] },
    { x, y, given },
  ]);
  const size = Number(new DataView(bytes.buffer).getBigUint64(0, true));
  const header = JSON.parse(Buffer.from(bytes.slice(8, 8 + size)).toString());
  assert.deepEqual(Object.keys(header), ["__metadata__", "x.0", "y.0", "x.1", "y.1", "given.1"]);
  assert.deepEqual(header["given.1"], { dtype: "F32", shape: [2, 2], data_offsets: [32, 48] });
});

test("no problems are a header alone", () => {
  const text = `{"__metadata__":{"levels":"all"}}`;
  assert.equal(Buffer.from(safetensors([]).slice(8)).toString(), text);
});

test("the room of a table is that of its numbers in float64", () => {
  assert.equal(room(columns([1, 2, 3], [4, 5, 6])), 48);
});
