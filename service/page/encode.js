// Tables as bytes: .npy for one problem, safetensors for many. Columns are Float64Arrays of equal length.
// Numbers travel as float32 where that loses nothing, else as float64.

/**
 * The sides of a sample, as columns.
 * @typedef {object} Sides
 * @property {Float64Array[]} x
 * @property {Float64Array[]} y
 * @property {Float64Array[]} [given]
 */

const text = new TextEncoder();

/** @param {Float64Array[]} columns */
const exact = (columns) => columns.every((column) => column.every((v) => Math.fround(v) === v));

/**
 * Row by row, in the smaller type that holds every number.
 * @param {Float64Array[]} columns
 */
function rows(columns) {
  const [n, d] = [columns[0].length, columns.length];
  const single = exact(columns);
  const width = single ? 4 : 8;
  const view = new DataView(new ArrayBuffer(n * d * width));
  const put = single ? view.setFloat32 : view.setFloat64;
  for (let j = 0; j < d; j += 1)
    for (let i = 0; i < n; i += 1) put.call(view, (i * d + j) * width, columns[j][i], true);
  return { bytes: new Uint8Array(view.buffer), single, shape: [n, d] };
}

/**
 * How many bytes a table takes at most.
 * @param {Float64Array[]} columns
 */
export const room = (columns) => columns.length * columns[0].length * 8;

/**
 * One array of shape (n, dx + dy + dz), as numpy.save writes it (version 1.0).
 * @param {Float64Array[]} x
 * @param {Float64Array[]} y
 * @param {Float64Array[]} [given]
 */
export function npy(x, y, given = []) {
  const { bytes, single, shape } = rows([...x, ...y, ...given]);
  const description = `{'descr': '<f${single ? 4 : 8}', 'fortran_order': False, 'shape': (${shape.join(", ")}), }`;
  const head = description.padEnd(Math.ceil((description.length + 11) / 64) * 64 - 11) + "\n";
  const start = Uint8Array.of(0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, 1, 0, head.length & 255, head.length >> 8);
  return joined([start, text.encode(head), bytes]);
}

/**
 * x.0, y.0, x.1, y.1 and so on, given.0 beside them where something is given, to be answered at every level.
 * @param {Sides[]} problems
 */
export function safetensors(problems) {
  /** @type {Record<string, object>} */
  const header = { __metadata__: { levels: "all" } };
  const parts = [];
  let end = 0;
  for (const [i, { x, y, given = [] }] of problems.entries()) {
    for (const [side, columns] of Object.entries({ x, y, given })) {
      if (!columns.length) continue;
      const { bytes, single, shape } = rows(columns);
      header[`${side}.${i}`] = {
        dtype: single ? "F32" : "F64",
        shape,
        data_offsets: [end, end + bytes.length],
      };
      parts.push(bytes);
      end += bytes.length;
    }
  }
  const head = text.encode(JSON.stringify(header));
  const size = new DataView(new ArrayBuffer(8));
  size.setBigUint64(0, BigInt(head.length), true);
  return joined([new Uint8Array(size.buffer), head, ...parts]);
}

/** @param {Uint8Array[]} parts */
function joined(parts) {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let end = 0;
  for (const part of parts) {
    whole.set(part, end);
    end += part.length;
  }
  return whole;
}
