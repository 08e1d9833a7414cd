// An order in which what belongs together stands together: average linkage, the closest ends joined.

/** The order of n items by their distances, a function (i, j) -> number. */
export function clustered(n, distance) {
  let clusters = Array.from({ length: n }, (_, i) => [i]);
  const far = Array.from({ length: n }, (_, i) => Float64Array.from({ length: n }, (_, j) => distance(i, j)));
  while (clusters.length > 1) {
    const [a, b] = closest(clusters, far);
    const merged = joined(clusters[a], clusters[b], distance);
    average(far, clusters[a], clusters[b]);
    clusters = clusters.filter((_, k) => k !== a && k !== b);
    clusters.push(merged);
  }
  return clusters[0] ?? [];
}

/** Distances between clusters stand at their smallest members. */
const head = (cluster) => Math.min(...cluster);

function closest(clusters, far) {
  let [best, a, b] = [Infinity, 0, 1];
  const heads = clusters.map(head);
  for (let i = 0; i < heads.length; i += 1) {
    for (let j = i + 1; j < heads.length; j += 1) {
      const between = far[heads[i]][heads[j]];
      if (between < best) [best, a, b] = [between, i, j];
    }
  }
  return [a, b];
}

function average(far, a, b) {
  const [p, q, into] = [head(a), head(b), Math.min(head(a), head(b))];
  for (let k = 0; k < far.length; k += 1) {
    const mean = (a.length * far[p][k] + b.length * far[q][k]) / (a.length + b.length);
    far[into][k] = mean;
    far[k][into] = mean;
  }
}

/** Two clusters side by side, each turned so that the ends that meet are close. */
function joined(a, b, distance) {
  const ways = [a, a.toReversed()].flatMap((left) => [b, b.toReversed()].map((right) => [left, right]));
  const gap = ([left, right]) => distance(left.at(-1), right[0]);
  return ways.reduce((best, way) => (gap(way) < gap(best) ? way : best)).flat();
}
