// The tables that come with the page, with the question each opens with and what is known of the answer.

/** @import { Fragment } from "./fragment.js" */

/**
 * @typedef {object} Demo
 * @property {string} title
 * @property {string} about a sentence
 * @property {string} [source]
 * @property {Fragment} question that it opens with
 * @property {(a: string, b: string) => number | null} truth nats of a pair of names, where they are known
 */

/**
 * Nats of two normal variables of correlation r.
 * @param {number} r
 */
const normal = (r) => -Math.log1p(-r * r) / 2;

/** @type {Record<string, number>} */
const BLOCKS = { a: normal(0.8), b: normal(0.5), c: normal(0.25) };
/** @type {Record<string, number>} */
const KNOWN = {
  "normal_0.3": normal(0.3),
  "normal_0.6": normal(0.6),
  "normal_0.9": normal(0.9),
  "cube_of_0.6": normal(0.6),
  "with_gaps_0.6": normal(0.6),
  zigzag: -Math.log(0.35),
  quarter: Math.log(4),
  independent: 0,
};

/** @type {[string, Demo][]} */
const ENTRIES = [
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
      about:
        "400 drawn rows of 12 normal columns: three blocks of equal correlation (0.8, 0.5, 0.25), shuffled.",
      question: { mode: "pairs", x: ["a1"], y: ["a2"], target: "a1" },
      truth: (a, b) => (a[0] === b[0] ? BLOCKS[a[0]] : 0),
    },
  ],
];

/** The demos by name. */
export const DEMOS = new Map(ENTRIES);

/**
 * Where a demo's file lies.
 * @param {string} name
 */
export const demoUrl = (name) => new URL(`./data/${name}.csv`, import.meta.url);
