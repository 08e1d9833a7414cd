// Files as tables. They are read here, in the browser, and nowhere else.

import { isValue, table } from "./table.js";
import { count, plural } from "./words.js";
import { decompressBrotli } from "./vendor/hyparquet-compressors/src/brotli.js";
import { gunzip } from "./vendor/hyparquet-compressors/src/gzip.js";
import { decompressLz4, decompressLz4Raw } from "./vendor/hyparquet-compressors/src/lz4.js";
import { decompress as decompressZstd } from "./vendor/fzstd/fzstd.mjs";
import { parquetMetadataAsync, parquetRead, parquetSchema } from "./vendor/hyparquet/src/index.js";

const MOST_BYTES = 256 * 2 ** 20;
const MOST_COLUMNS = 2000;
const SEPARATORS = [",", ";", "\t", "|"];
const COMMA = /^\s*[+-]?\d*,\d+(?:e[+-]?\d+)?\s*$/i; // 1,5
const COMPRESSORS = {
  GZIP: (input, length) => gunzip(input, new Uint8Array(length)),
  BROTLI: decompressBrotli,
  ZSTD: (input) => decompressZstd(input),
  LZ4: decompressLz4,
  LZ4_RAW: decompressLz4Raw,
};

const OTHERS = /\.(parquet|xlsx?|ods|arrow|feather|npy|npz)$/i; // by their names no text
const NO_TABLE = "This is neither Parquet nor text. Save the table as CSV in UTF-8 or as Parquet.";

/** A file that cannot be read; the message is for people. */
export class BadFile extends Error {}

/** The table in a file: Parquet by its first bytes, else text with a separator. */
export async function readFile(file) {
  if (file.size > MOST_BYTES) {
    throw new BadFile("The file is larger than 256 MB, which is too much for a page. Use the Python library.");
  }
  return readBytes(file.name, await file.arrayBuffer());
}

/** The table in bytes; `title` is the file's name. */
export async function readBytes(title, buffer) {
  const magic = new TextDecoder("latin1").decode(buffer.slice(0, 4));
  if (magic !== "PAR1" && OTHERS.test(title)) throw new BadFile(NO_TABLE);
  const read = magic === "PAR1" ? await parquet(title, buffer) : separated(title, decoded(buffer));
  if (!read.columns.length || !read.rows) throw new BadFile("The file has names but no rows.");
  return read;
}

function decoded(buffer) {
  const start = new Uint8Array(buffer.slice(0, 4096));
  if (start.length === 0) throw new BadFile("The file is empty.");
  if (start.includes(0)) {
    throw new BadFile(NO_TABLE);
  }
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(buffer);
  } catch {
    throw new BadFile("The text is not UTF-8. Save the file as CSV in UTF-8.");
  }
}

/** What stands most often in the first line, which has names, but for commas within numbers; "" where nothing does. */
function guessed(text) {
  const first = (text.match(/^.*\S.*$/m)?.[0] ?? "").replace(/"[^"]*"/g, "");
  if (first.includes(";") && first.split(";").every((cell) => isValue(cell) || COMMA.test(cell))) return ";";
  const pieces = (separator) => first.split(separator).length;
  const most = SEPARATORS.reduce((best, each) => (pieces(each) > pieces(best) ? each : best));
  return first.includes(most) ? most : "";
}

/** CSV and its kin. */
function separated(title, text) {
  const { data: lines, errors, meta } = Papa.parse(text, { delimiter: guessed(text), skipEmptyLines: "greedy" });
  const separator = meta.delimiter;
  // Spreadsheets set semicolons between cells where the comma is the decimal sign.
  const comma = separator === ";" && lines.some((row) => row.some((cell) => COMMA.test(cell)));
  const data = comma ? lines.map((row) => row.map((cell) => (COMMA.test(cell) ? cell.replace(",", ".") : cell))) : lines;
  if (!data.length) throw new BadFile("The file is empty.");
  if (errors.some((error) => error.type === "Quotes")) {
    throw new BadFile("A quotation mark is opened and not closed; the cells cannot be told apart.");
  }
  const headless = data[0].every(isValue) && data[0].some((cell) => cell.trim());
  const names = headless ? data[0].map((_, j) => `c${j}`) : data.shift();
  check(names.length);
  const uneven = data.filter((row) => row.length !== names.length).length;
  const remarks = [];
  if (headless) remarks.push("The first line holds numbers, so the columns are called c0, c1 and so on.");
  if (comma) remarks.push("Commas in numbers are read as decimal points.");
  if (uneven) {
    remarks.push(`${plural(uneven, "line has", "lines have")} another number of cells than the first line; cells that are not there count as missing.`);
  }
  if (!data.length) throw new BadFile("The file has names but no rows.");
  const made = table(title, names, names.map((_, j) => data.map((row) => row[j])), remarks);
  return { ...made, reading: { separator, comma, headless } };
}

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

async function columns(buffer, metadata, names) {
  const rows = Number(metadata.num_rows);
  const cells = names.map(() => new Array(rows).fill(null));
  const place = new Map(names.map((name, j) => [name, j]));
  await parquetRead({
    file: buffer,
    metadata,
    columns: names,
    compressors: COMPRESSORS,
    onChunk: ({ columnName, columnData, rowStart }) => {
      const column = cells[place.get(columnName)];
      for (let i = 0; i < columnData.length; i += 1) column[rowStart + i] = columnData[i];
    },
  });
  return cells;
}

function check(columns) {
  if (columns < 1) throw new BadFile("The file has no columns of plain values.");
  if (columns > MOST_COLUMNS) {
    throw new BadFile(`The file has ${count(columns)} columns; this page shows up to ${count(MOST_COLUMNS)}.`);
  }
}
