// The mutual information of normal variables with the sample's correlations, where others may be given:
// I(X;Y|Z) = -1/2 ln(det Rxyz det Rz / (det Rxz det Ryz)), R the correlation matrices; without Z, det Rz is 1.

/**
 * In nats; NaN where a column is constant or a side is linearly dependent.
 * @param {Float64Array[]} x columns
 * @param {Float64Array[]} y columns
 * @param {Float64Array[]} [given] columns
 */
export function gaussian(x, y, given = []) {
  const [a, b, c] = [x, y, given].map((side) => side.map(standard));
  const [joint, left, right, condition] = [[...a, ...b, ...c], [...a, ...c], [...b, ...c], c].map((columns) =>
    logDeterminant(products(columns)),
  );
  return Math.max((left + right - joint - condition) / 2, 0);
}

/**
 * A column with mean 0 and length 1.
 * @param {Float64Array} column
 */
function standard(column) {
  const mean = column.reduce((sum, v) => sum + v, 0) / column.length;
  const centred = Float64Array.from(column, (v) => v - mean);
  const largest = centred.reduce((top, v) => Math.max(top, Math.abs(v)), 0);
  const scaled = centred.map((v) => v / largest); // squares of huge or tiny numbers leave the range of doubles
  const length = Math.sqrt(dot(scaled, scaled));
  return scaled.map((v) => v / length);
}

/**
 * @param {Float64Array} a
 * @param {Float64Array} b
 */
function dot(a, b) {
  let sum = 0;
  for (let i = 0; i < a.length; i += 1) sum += a[i] * b[i];
  return sum;
}

/** @param {Float64Array[]} columns */
const products = (columns) => columns.map((a) => columns.map((b) => dot(a, b)));

/**
 * By Cholesky; NaN for a matrix that is not clearly positive definite.
 * @param {number[][]} matrix
 */
function logDeterminant(matrix) {
  const lower = matrix.map((row) => row.slice());
  let log = 0;
  for (let j = 0; j < lower.length; j += 1) {
    for (let k = 0; k < j; k += 1)
      for (let i = j; i < lower.length; i += 1) lower[i][j] -= lower[i][k] * lower[j][k];
    const root = lower[j][j] > 1e-12 ? Math.sqrt(lower[j][j]) : NaN;
    for (let i = j; i < lower.length; i += 1) lower[i][j] /= root;
    log += 2 * Math.log(root);
  }
  return log;
}
