// What is meant where nothing is said, in Python, HTTP, shell and page alike.

/** @typedef {"nats" | "bits"} Unit */

/** Probability of an interval. */
export const DEFAULT_LEVEL = 0.9;

/** Nats below which a dependence is as good as none. */
export const DEFAULT_THRESHOLD = 0.02;

/** @type {Unit} */
export const DEFAULT_UNIT = "nats";

/** "90 %", as texts name the interval. */
export const LEVEL_TEXT = `${Math.round(100 * DEFAULT_LEVEL)} %`;
