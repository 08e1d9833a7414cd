// The mutual information of normal variables with the sample's correlations:
// I = -1/2 ln(det R / (det Rx det Ry)), R the correlation matrix of both sides.

/** In nats; NaN where a column is constant or a side is linearly dependent. */
export function gaussian(x, y) {
  const every = [...x, ...y].map(standard);
  const parts = [every, every.slice(0, x.length), every.slice(x.length)].map((side) => logDeterminant(products(side)));
  return Math.max((parts[1] + parts[2] - parts[0]) / 2, 0);
}

/** Pearson's correlation of two columns. */
export const pearson = (a, b) => dot(standard(a), standard(b));

/** A column with mean 0 and length 1. */
function standard(column) {
  const mean = column.reduce((sum, v) => sum + v, 0) / column.length;
  const centred = Float64Array.from(column, (v) => v - mean);
  const most = centred.reduce((top, v) => Math.max(top, Math.abs(v)), 0);
  const scaled = centred.map((v) => v / most); // squares of huge or tiny numbers leave the range of doubles
  const length = Math.sqrt(dot(scaled, scaled));
  return scaled.map((v) => v / length);
}

function dot(a, b) {
  let sum = 0;
  for (let i = 0; i < a.length; i += 1) sum += a[i] * b[i];
  return sum;
}

const products = (columns) => columns.map((a) => columns.map((b) => dot(a, b)));

/** By Cholesky; NaN for a matrix that is not clearly positive definite. */
function logDeterminant(matrix) {
  const lower = matrix.map((row) => row.slice());
  let log = 0;
  for (let j = 0; j < lower.length; j += 1) {
    for (let k = 0; k < j; k += 1) for (let i = j; i < lower.length; i += 1) lower[i][j] -= lower[i][k] * lower[j][k];
    const root = lower[j][j] > 1e-12 ? Math.sqrt(lower[j][j]) : NaN;
    for (let i = j; i < lower.length; i += 1) lower[i][j] /= root;
    log += 2 * Math.log(root);
  }
  return log;
}
