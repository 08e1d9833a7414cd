// What can be read off an answer of the service: a mean and quantiles, in nats.

const PER_NAT = { nats: 1, bits: 1 / Math.LN2 };

/** Nothing to speak of, in nats: what the share `below` is taken under. */
export const THRESHOLD = 0.02;

/** An amount in nats in another unit. */
export const convert = (nats, unit) => nats * PER_NAT[unit];

/** Levels and values of an answer, both increasing. */
export function quantiles(answer) {
  const pairs = Object.entries(answer.quantiles).map(([level, value]) => [Number(level), value]);
  return pairs.sort((a, b) => a[0] - b[0]);
}

/** The quantile at a level, linear between those of the answer. */
export function quantile(answer, level) {
  const known = quantiles(answer);
  const after = known.findIndex(([at]) => at >= level - 1e-12);
  if (after <= 0) return known[after === 0 ? 0 : known.length - 1][1];
  const [[a, low], [b, high]] = [known[after - 1], known[after]];
  return low + ((level - a) / (b - a)) * (high - low);
}

/** The central interval of a probability. */
export const interval = (answer, level) => [quantile(answer, 0.5 - level / 2), quantile(answer, 0.5 + level / 2)];

/** The share of the posterior below a threshold above 0, as Estimate.below in Python has it. */
export function below(answer, threshold) {
  const known = quantiles(answer);
  const after = known.findIndex(([, value]) => value >= threshold);
  if (after < 0) return known[0][1] === known.at(-1)[1] ? 1 : known.at(-1)[0];
  const [[a, low], [b, high]] = [after === 0 ? [0, 0] : known[after - 1], known[after]];
  return a + ((threshold - low) / (high - low)) * (b - a);
}

/** The correlation of two normal variables with so much information. */
export const correlation = (nats) => Math.sqrt(-Math.expm1(-2 * Math.max(nats, 0)));
