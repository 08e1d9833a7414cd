// An order in which what belongs together stands together: average linkage, the closest ends joined.

/**
 * @typedef {(i: number, j: number) => number} Distance of two items
 * @typedef {number[]} Cluster places of items, in order
 */

/**
 * The order of n items by their distances.
 * @param {number} n
 * @param {Distance} distance
 */
export function clustered(n, distance) {
  /** @type {Cluster[]} */
  let clusters = Array.from({ length: n }, (_, i) => [i]);
  const distances = Array.from({ length: n }, (_, i) =>
    Float64Array.from({ length: n }, (_, j) => distance(i, j)),
  );
  while (clusters.length > 1) {
    const [a, b] = closest(clusters, distances);
    const merged = joined(clusters[a], clusters[b], distance);
    average(distances, clusters[a], clusters[b]);
    clusters = clusters.filter((_, k) => k !== a && k !== b);
    clusters.push(merged);
  }
  return clusters[0] ?? [];
}

/**
 * Distances between clusters stand at their smallest members.
 * @param {Cluster} cluster
 */
const head = (cluster) => Math.min(...cluster);

/**
 * @param {Cluster[]} clusters
 * @param {Float64Array[]} distances
 */
function closest(clusters, distances) {
  let [best, a, b] = [Infinity, 0, 1];
  const heads = clusters.map(head);
  for (let i = 0; i < heads.length; i += 1) {
    for (let j = i + 1; j < heads.length; j += 1) {
      const between = distances[heads[i]][heads[j]];
      if (between < best) [best, a, b] = [between, i, j];
    }
  }
  return [a, b];
}

/**
 * @param {Float64Array[]} distances changed in place
 * @param {Cluster} a
 * @param {Cluster} b
 */
function average(distances, a, b) {
  const [p, q, into] = [head(a), head(b), Math.min(head(a), head(b))];
  for (let k = 0; k < distances.length; k += 1) {
    const mean = (a.length * distances[p][k] + b.length * distances[q][k]) / (a.length + b.length);
    distances[into][k] = mean;
    distances[k][into] = mean;
  }
}

/**
 * Two clusters side by side, each in the direction in which the ends that meet are close.
 * @param {Cluster} a
 * @param {Cluster} b
 * @param {Distance} distance
 */
function joined(a, b, distance) {
  const ways = [a, a.toReversed()].flatMap((left) => [b, b.toReversed()].map((right) => ({ left, right })));
  const gap = ({ left, right } = ways[0]) => distance(left[left.length - 1], right[0]);
  const { left, right } = ways.reduce((best, way) => (gap(way) < gap(best) ? way : best));
  return [...left, ...right];
}
