// From a question about a table to what is shown: the requests, and the outcome of their answers.

import { Refusal } from "./api.js";
import { batches, estimatePairs } from "./batches.js";
import { chanceSection } from "./chance_view.js";
import { npy, safetensors } from "./encode.js";
import { gaussian } from "./gaussian.js";
import { matrixView } from "./matrix_view.js";
import { pairView } from "./pair_view.js";
import { codes, problem, refusal } from "./problem.js";
import { pairsOf, side } from "./question.js";
import { rankView } from "./rank_view.js";
import { amount, count, plural } from "./words.js";

/** @import { Api, Limits } from "./api.js" */
/** @import { Question } from "./question.js" */
/** @import { Truth } from "./rank_view.js" */
/** @import { Result } from "./records.js" */
/** @import { Unit } from "./settings.js" */
/** @import { Column, Table } from "./table.js" */
/** @import { Actions } from "./tools.js" */
/** @import { Tools } from "./work.js" */

/**
 * What a question is put to.
 * @typedef {object} Context
 * @property {Api} api
 * @property {Table} table
 * @property {Limits} limits
 * @property {Truth} truth
 * @property {() => void} unauthorised called where a key is wanted
 */

/**
 * @typedef {object} Outcome
 * @property {Question} question
 * @property {string} text a sentence
 * @property {(unit: Unit, actions: Actions) => HTMLElement} card
 * @property {Result[]} [unfinished] the results of work that has ended before its time
 */

/**
 * The outcome of a question.
 * @param {Context} context
 * @param {Question} question
 * @param {Tools} tools
 * @param {Result[]} known results that are there already
 * @returns {Promise<Outcome>}
 */
export const estimate = (context, question, tools, known) =>
  question.mode === "pair"
    ? estimateOne(context, question, tools)
    : estimateMany(context, question, tools, known);

/**
 * @param {Context} context
 * @param {Question} question
 * @param {Tools} tools
 * @returns {Promise<Outcome>}
 */
async function estimateOne(context, question, tools) {
  const { api, table, limits, truth } = context;
  const [x, y, given] = [question.x, question.y, question.given].map((names) => side(table, names));
  const sides = problem(x, y, table.rows, given);
  const reason = refusal(sides, limits);
  if (reason) throw Object.assign(new Error(reason), { expected: true });
  const dims = { x: x.length, given: given.length };
  const answer = await api.estimate(npy(sides.x, sides.y, sides.given), dims, tools);
  const { n, dropped } = sides;
  const columns = [...x, ...y, ...given];
  const result = {
    x: sent(x, sides.x),
    y: sent(y, sides.y),
    given: sent(given, sides.given),
    columns,
    rows: table.rows,
    n,
    dropped,
    codes: codes(columns),
    answer,
    truth: columns.length === 2 ? truth(x[0].name, y[0].name) : null,
    gaussian: gaussian(sides.x, sides.y, sides.given),
  };
  const chance = chanceSection(context, sides, result);
  return {
    question,
    text: `The estimate is ${amount(answer.mi)} nats.`,
    card: (unit, actions) => pairView(result, unit, actions, chance(unit)),
  };
}

/**
 * Columns with the rows of them that were sent.
 * @param {Column[]} columns
 * @param {Float64Array[]} values
 */
const sent = (columns, values) => columns.map(({ name, labels }, i) => ({ name, labels, values: values[i] }));

/**
 * @param {Context} context
 * @param {Question} question
 * @param {Tools} tools
 * @param {Result[]} known
 * @returns {Promise<Outcome>}
 */
async function estimateMany({ api, table, limits, truth }, question, { signal, progress, waiting }, known) {
  const pairs = pairsOf(table, question);
  progress(0, pairs.length);
  const all = known.slice();
  /** @param {number} done */
  const answered = (done) => progress(done, pairs.length);
  const end = await estimatePairs(api, pairs, table.rows, limits, all, {
    signal,
    waiting,
    progress: answered,
  }).catch((error) => error);
  const results = all.filter(({ answer, error }) => answer || error);
  if (end && !isUseful(end, signal, results)) throw end;
  const why = end && (signal.aborted ? "Cancelled." : end.message);
  const text = end
    ? `${why} ${count(results.length)} of ${plural(pairs.length, "pair")} had their answer by then.`
    : `${plural(results.length, "pair")} estimated.`;
  const view = question.mode === "target" ? rankView : matrixView;
  const answers = { results, target: question.target, columns: side(table, question.columns), truth };
  return { question, text, card: (unit, actions) => view(answers, unit, actions), unfinished: end && all };
}

/**
 * Whether the answers before an end are shown: there are some, and the end is nobody's fault here.
 * @param {unknown} end
 * @param {AbortSignal} signal
 * @param {Result[]} results
 */
const isUseful = (end, { aborted }, results) =>
  (aborted || (end instanceof Refusal && end.status !== 401)) && results.some(({ answer }) => answer);

/**
 * The bodies of a question, as few as the service takes, for those who want to send them themselves.
 * @param {Table} table
 * @param {Question} question
 * @param {Limits} limits
 */
export function bodies(table, question, limits) {
  if (question.mode === "pair") {
    const [a, b, c] = [question.x, question.y, question.given].map((names) => side(table, names));
    const { x, y, given } = problem(a, b, table.rows, c);
    return [npy(x, y, given)];
  }
  const problems = pairsOf(table, question).map(([a, b]) => problem([a], [b], table.rows));
  const sendable = problems.filter((each) => !refusal(each, limits));
  return batches(sendable, { ...limits, queue_cells: Infinity }).map(safetensors);
}
