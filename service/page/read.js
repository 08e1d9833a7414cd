// Files as tables. They are read here, in the browser, and nowhere else.

import { isIndex, isValue, NOT_OF_PANDAS } from "./cells.js";
import { visible } from "./dom.js";
import { distinct, some, table } from "./table.js";
import { BadFile, MAX_BYTES, unpacked } from "./unpack.js";
import { count, plural } from "./words.js";
import { decompressBrotli } from "./vendor/hyparquet-compressors/src/brotli.js";
import { gunzip } from "./vendor/hyparquet-compressors/src/gzip.js";
import { decompressLz4, decompressLz4Raw } from "./vendor/hyparquet-compressors/src/lz4.js";
import { decompress as decompressZstd } from "./vendor/fzstd/fzstd.mjs";
import { parquetMetadataAsync, parquetRead, parquetSchema } from "./vendor/hyparquet/src/index.js";

/** @import { Cell } from "./cells.js" */
/** @import { Table } from "./table.js" */

const MAX_COLUMNS = 2000;
const SEPARATORS = [",", ";", "\t", "|"];
const BY_PLACE = /^Unnamed: \d+(\.\d+)?$/; // as pandas calls columns without a name
const COMMA = /^\s*[+-]?\d*,\d+(?:e[+-]?\d+)?\s*$/i; // 1,5
/** @type {Record<string, (input: Uint8Array, length: number) => Uint8Array>} */
const COMPRESSORS = {
  GZIP: (input, length) => gunzip(input, new Uint8Array(length)),
  BROTLI: decompressBrotli,
  ZSTD: (input) => decompressZstd(input),
  LZ4: decompressLz4,
  LZ4_RAW: decompressLz4Raw,
};
const BINARY = /\.(parquet|xlsx?|ods|arrow|feather|npy|npz)$/i; // by their names no text
const NO_TABLE = "This is neither Parquet nor text. Save the table as CSV in UTF-8 or as Parquet.";

export { BadFile };

/**
 * The table in a file: Parquet by its first bytes, else text with a separator.
 * @param {File} file
 */
export async function readFile(file) {
  if (file.size > MAX_BYTES) {
    throw new BadFile(
      "The file is larger than 256 MB, which is too much for a page. Use the Python library.",
    );
  }
  return readBytes(file.name, await file.arrayBuffer());
}

/**
 * The table in bytes.
 * @param {string} title the file's name
 * @param {ArrayBuffer} packed with gzip or zstandard, or not
 */
export async function readBytes(title, packed) {
  const buffer = await unpacked(packed);
  const magic = new TextDecoder("latin1").decode(buffer.slice(0, 4));
  if (magic !== "PAR1" && BINARY.test(title)) throw new BadFile(NO_TABLE);
  const table = magic === "PAR1" ? await parquet(title, buffer) : separated(title, decoded(buffer));
  if (!table.rows) throw new BadFile("The file has names but no rows.");
  if (!table.columns.length)
    throw new BadFile(`No column of the file can be used. ${table.remarks.join(" ")}`.trim());
  return table;
}

/** @param {ArrayBuffer} buffer */
function decoded(buffer) {
  const start = new Uint8Array(buffer.slice(0, 4096));
  if (start.length === 0) throw new BadFile("The file is empty.");
  const encoding = encodingOf(start);
  if (encoding === "utf-8" && start.includes(0)) throw new BadFile(NO_TABLE);
  try {
    return new TextDecoder(encoding, { fatal: true }).decode(buffer);
  } catch {
    throw new BadFile("The text is not UTF-8. Save the file as CSV in UTF-8.");
  }
}

/**
 * What a mark at the start says: UTF-16, but not UTF-32, or nothing.
 * @param {Uint8Array} start
 */
function encodingOf([a, b, c, d]) {
  if (a === 0xfe && b === 0xff) return "utf-16be";
  return a === 0xff && b === 0xfe && (c !== 0 || d !== 0) ? "utf-16le" : "utf-8";
}

/**
 * What stands most often in the first line, which has names, but for commas within numbers; "" where nothing does.
 * @param {string} text
 */
function guessed(text) {
  const first = (text.match(/^.*\S.*$/m)?.[0] ?? "").replace(/"[^"]*"/g, "");
  if (first.includes(";") && first.split(";").every((cell) => isValue(cell) || COMMA.test(cell))) return ";";
  /** @param {string} separator */
  const pieces = (separator) => first.split(separator).length;
  const likeliest = SEPARATORS.reduce((best, each) => (pieces(each) > pieces(best) ? each : best));
  return first.includes(likeliest) ? likeliest : "";
}

/**
 * CSV and its kin.
 * @param {string} title
 * @param {string} text
 * @returns {Table}
 */
function separated(title, text) {
  const {
    data: lines,
    errors,
    meta,
  } = Papa.parse(text, { delimiter: guessed(text), skipEmptyLines: "greedy" });
  const separator = meta.delimiter;
  // Spreadsheets set semicolons between cells where the comma is the decimal sign.
  const comma = separator === ";" && lines.some((row) => row.some((cell) => COMMA.test(cell)));
  const data = comma
    ? lines.map((row) => row.map((cell) => (COMMA.test(cell) ? cell.replace(",", ".") : cell)))
    : lines;
  if (!data.length) throw new BadFile("The file is empty.");
  if (errors.some((error) => error.type === "Quotes")) {
    throw new BadFile("A quotation mark is opened and not closed; the cells cannot be told apart.");
  }
  const headless = data[0].every(isValue) && data[0].some((cell) => cell.trim());
  const rows = headless ? data : data.slice(1);
  const names = headless
    ? data[0].map((_, j) => `c${j}`)
    : fitted(
        data[0].map((name) => name.trim() || name),
        rows,
      );
  check(names.length);
  const uneven = rows.filter((row) => row.length !== names.length).length;
  const remarks = [];
  if (headless) remarks.push("The first line holds numbers, so the columns are called c0, c1 and so on.");
  if (comma) remarks.push("Commas in numbers are read as decimal points.");
  if (uneven) {
    remarks.push(
      `${plural(uneven, "line has", "lines have")} another number of cells than the first line; cells that are not there count as missing.`,
    );
  }
  if (!rows.length) throw new BadFile("The file has names but no rows.");
  const cells = names.map((_, j) => rows.map((row) => row[j]));
  const { index, used } = sorted(names, cells);
  const called = distinct(names);
  if (index.length)
    remarks.push(
      `Left out, since it only numbers or names the rows: ${some(index.map((j) => visible(called[j])))}.`,
    );
  const result = table(
    title,
    used.map((j) => called[j]),
    used.map((j) => cells[j]),
    remarks,
  );
  const markers = NOT_OF_PANDAS.filter((text) => result.columns.some((column) => column.markers.has(text)));
  return { ...result, rows: rows.length, reading: { separator, comma, headless, markers } };
}

/**
 * Names for every cell of the rows. R writes names of rows without a name above them: the first is then short of
 * one; so it is where every row ends in a separator, whose last cells are empty.
 * @param {string[]} names
 * @param {string[][]} rows
 */
function fitted(names, rows) {
  if (!rows.length || rows.some((row) => row.length !== names.length + 1)) return names;
  return rows.some((row) => row[names.length].trim()) ? ["", ...names] : names;
}

/**
 * The places of columns: those at the start without a name that are no more than an index, and those that are
 * used. A column without a name and without cells is none.
 * @param {string[]} names
 * @param {string[][]} cells
 */
function sorted(names, cells) {
  let first = 0;
  while (first < names.length && (!names[first] || BY_PLACE.test(names[first])) && isIndex(cells[first]))
    first += 1;
  const places = [...names.keys()];
  const used = places.filter((j) => j >= first && (names[j] || cells[j].some((cell) => cell?.trim())));
  return { index: places.slice(0, first), used };
}

/**
 * @param {string} title
 * @param {ArrayBuffer} buffer
 */
async function parquet(title, buffer) {
  try {
    const metadata = await parquetMetadataAsync(buffer);
    const fields = parquetSchema(metadata).children.filter((field) => !field.children.length);
    const names = fields.map((field) => field.element.name);
    check(names.length);
    const left = parquetSchema(metadata).children.length - names.length;
    const remarks = left ? [`${plural(left, "nested column is", "nested columns are")} left out.`] : [];
    const cells = await columns(buffer, metadata, names);
    return table(title, names, cells, remarks);
  } catch (error) {
    if (error instanceof BadFile) throw error;
    throw new BadFile("The Parquet file cannot be read: it is cut, encrypted or of an unknown kind.");
  }
}

/**
 * The cells of columns.
 * @param {ArrayBuffer} buffer
 * @param {{num_rows: bigint}} metadata
 * @param {string[]} names
 */
async function columns(buffer, metadata, names) {
  const rows = Number(metadata.num_rows);
  const cells = names.map(() => /** @type {Cell[]} */ (new Array(rows).fill(null)));
  const places = new Map(names.map((name, j) => [name, j]));
  await parquetRead({
    file: buffer,
    metadata,
    columns: names,
    compressors: COMPRESSORS,
    onChunk: ({ columnName, columnData, rowStart }) => {
      const column = cells[places.get(columnName) ?? 0];
      for (let i = 0; i < columnData.length; i += 1) column[rowStart + i] = columnData[i];
    },
  });
  return cells;
}

/** @param {number} columns how many */
function check(columns) {
  if (columns < 1) throw new BadFile("The file has no columns of plain values.");
  if (columns > MAX_COLUMNS) {
    throw new BadFile(`The file has ${count(columns)} columns; this page shows up to ${count(MAX_COLUMNS)}.`);
  }
}
