// The tables that come with the page, with the question each opens with and what is known of the answer.

const rho = (r) => -Math.log1p(-r * r) / 2;

const BLOCKS = { a: rho(0.8), b: rho(0.5), c: rho(0.25) };
const KNOWN = {
  "normal_0.3": rho(0.3),
  "normal_0.6": rho(0.6),
  "normal_0.9": rho(0.9),
  "cube_of_0.6": rho(0.6),
  "with_gaps_0.6": rho(0.6),
  zigzag: -Math.log(0.35),
  quarter: Math.log(4),
  independent: 0,
};

/** By name: title, about (a sentence), file, question (settings), truth (nats of a pair of names, or null). */
export const DEMOS = new Map([
  [
    "breast_cancer",
    {
      title: "Breast cancer biopsies",
      about: "569 real biopsies, 30 measures of the cell nuclei in each, and the diagnosis.",
      source: "Wolberg, Street and Mangasarian 1995, UCI Machine Learning Repository, CC BY 4.0",
      question: { mode: "pair", x: ["mean_texture"], y: ["worst_area"], target: "benign" },
      truth: () => null,
    },
  ],
  [
    "known",
    {
      title: "Known answers",
      about: "600 drawn rows in which the information about x is known: curves, classes, gaps.",
      question: { mode: "target", x: ["x"], y: ["zigzag"], target: "x" },
      truth: (a, b) => (a === "x" ? KNOWN[b] : b === "x" ? KNOWN[a] : null) ?? null,
    },
  ],
  [
    "blocks",
    {
      title: "Three blocks",
      about: "400 drawn rows of 12 normal columns: three blocks of equal correlation (0.8, 0.5, 0.25), shuffled.",
      question: { mode: "pairs", x: ["a1"], y: ["a2"], target: "a1" },
      truth: (a, b) => (a[0] === b[0] ? BLOCKS[a[0]] : 0),
    },
  ],
]);

/** Where a demo's file lies. */
export const demoUrl = (name) => new URL(`./data/${name}.csv`, import.meta.url);
