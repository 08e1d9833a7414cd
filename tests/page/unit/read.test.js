import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import test from "node:test";
import { runInThisContext } from "node:vm";
import { gzipSync } from "node:zlib";

import { BadFile, readBytes, readFile } from "../../../service/page/read.js";
import { unpacked } from "../../../service/page/unpack.js";

// The page loads it by a script element, which makes `Papa` global; so does this.
runInThisContext(
  readFileSync(new URL("../../../service/page/vendor/papaparse/papaparse.min.js", import.meta.url), "utf8"),
);

// "x,y\n1,2\n", as zstd packs it
const ZSTANDARD = [40, 181, 47, 253, 32, 8, 65, 0, 0, 120, 44, 121, 10, 49, 44, 50, 10];
const read = (text, title = "t.csv") => readBytes(title, new TextEncoder().encode(text).buffer);
const fails = (promise, message) =>
  assert.rejects(promise, (error) => error instanceof BadFile && message.test(error.message));
const content = ({ columns }) => Object.fromEntries(columns.map(({ name, values }) => [name, [...values]]));

test("separators are recognised", async () => {
  for (const separator of [",", ";", "\t", "|"]) {
    const table = await read(["x,y", "1,2", "3,4"].join("\n").replaceAll(",", separator));
    assert.deepEqual(content(table), { x: [1, 3], y: [2, 4] });
    assert.deepEqual(table.reading, { separator, comma: false, headless: false, markers: [] });
  }
});

test("semicolons make commas decimal points, and the page says so", async () => {
  const table = await read("x;y\n1,5;2\n,25;-1,0e3");
  assert.deepEqual(content(table), { x: [1.5, 0.25], y: [2, -1000] });
  assert.equal(table.reading.comma, true);
  assert.deepEqual(table.remarks, ["Commas in numbers are read as decimal points."]);
});

test("a first line of numbers is data", async () => {
  const table = await read("1,2\n3,4\n");
  assert.deepEqual(content(table), { c0: [1, 3], c1: [2, 4] });
  assert.equal(table.reading.headless, true);
});

test("quotes, marks of order, line ends of Windows and blank lines do not matter", async () => {
  const table = await read('\ufeff"x, or ""so""",y\r\n1,2\r\n\r\n3,4\r\n  \r\n');
  assert.deepEqual(content(table), { 'x, or "so"': [1, 3], y: [2, 4] });
  assert.equal(table.rows, 2);
});

test("cells that are not there are missing, cells too many are left out", async () => {
  const table = await read("x,y\n1\n2,3,4");
  assert.deepEqual(content(table), { x: [1, 2], y: [NaN, 3] });
  assert.match(table.remarks[0], /^2 lines have another number of cells/);
});

test("what is no table is refused in words", async () => {
  await fails(read(""), /file is empty/);
  await fails(read("\n \n"), /file is empty/);
  await fails(read("x,y\n"), /names but no rows/);
  await fails(read("a\0b"), /neither Parquet nor text/);
  await fails(read("x,y\n1,2", "t.xlsx"), /neither Parquet nor text/);
  await fails(read('x,y\n"1,2\n'), /opened and not closed/);
  await fails(readBytes("t.csv", Uint8Array.of(0xe4, 0x2c, 0x31).buffer), /not UTF-8/);
  await fails(read(`PAR1${"\0".repeat(50)}`, "t.parquet"), /Parquet file cannot be read/);
  await fails(
    read(`${Array.from({ length: 2001 }, (_, i) => `c${i}`)}\n1`),
    /2,001 columns; this page shows up to 2,000/,
  );
});

test("UTF-16 with a mark is read, UTF-32 is not", async () => {
  const utf16 = Buffer.from("\ufeffx,y\n1,2\n", "utf16le");
  for (const bytes of [utf16, Buffer.from(utf16).swap16()])
    assert.deepEqual(content(await readBytes("t.csv", new Uint8Array(bytes).buffer)), { x: [1], y: [2] });
  await fails(readBytes("t.csv", Uint8Array.of(0xff, 0xfe, 0, 0, 0x78, 0, 0, 0).buffer), /neither Parquet/);
});

test("packed files are unpacked, up to a limit", async () => {
  const text = "x,y\n1,2\n".padEnd(2000, "\n");
  const packed = new Uint8Array(gzipSync(text)).buffer;
  assert.deepEqual(content(await readBytes("t.csv.gz", packed)), { x: [1], y: [2] });
  assert.deepEqual(content(await readBytes("t.csv.zst", Uint8Array.from(ZSTANDARD).buffer)), {
    x: [1],
    y: [2],
  });
  for (const bytes of [packed, Uint8Array.from(ZSTANDARD).buffer]) {
    await assert.rejects(unpacked(bytes, 7), /unpacks to more than/);
    await fails(readBytes("t.csv.gz", bytes.slice(0, -3)), /damaged or cut short/);
  }
  for (const magic of [
    [0x42, 0x5a, 0x68],
    [0x50, 0x4b, 3, 4],
  ])
    await fails(readBytes("t.csv", Uint8Array.from(magic).buffer), /Unpack it first/);
});

test("columns of free text are left out, and where none is left this is said", async () => {
  const names = Array.from({ length: 30 }, (_, i) => `person ${i},${i}`).join("\n");
  const table = await read(`who,n\n${names}`);
  assert.deepEqual(
    table.columns.map(({ name }) => name),
    ["n"],
  );
  assert.match(table.remarks[0], /^Left out, .*: who \(free text, 30 different values in 30 rows\)/);
  await fails(
    read(`who,what\n${names.replaceAll(",", ",thing ")}`),
    /No column of the file can be used.*who/,
  );
});

test("a file too large is not even opened", async () => {
  await fails(
    readFile({ name: "t.csv", size: 2 ** 28 + 1, arrayBuffer: () => assert.fail("it was opened") }),
    /larger than 256 MB/,
  );
});
