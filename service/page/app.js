// The page: a table, a question about it, and the answer of the service.

import { Api, Refusal } from "./api.js";
import { bodyName, curl, python } from "./code.js";
import { DEMOS, demoUrl } from "./demos.js";
import { announce, buttonById, byId, el, expect, fill } from "./dom.js";
import { bodies, estimate } from "./estimate.js";
import * as fragment from "./fragment.js";
import { keyDialog } from "./keys.js";
import { listenForFiles, showDemos, welcome } from "./opening.js";
import { pairsOf, proposed, showCost, showForm, showTable, side } from "./question.js";
import { BadFile, readBytes, readFile } from "./read.js";
import { save } from "./save.js";
import { DEFAULT_UNIT } from "./settings.js";
import { showCode } from "./show_code.js";
import { plural } from "./words.js";
import { abandon, failure, run, stopped } from "./work.js";

/** @import { Limits, ModelCard } from "./api.js" */
/** @import { Outcome } from "./estimate.js" */
/** @import { Fragment, Mode } from "./fragment.js" */
/** @import { Question } from "./question.js" */
/** @import { Truth } from "./rank_view.js" */
/** @import { Result } from "./records.js" */
/** @import { Unit } from "./settings.js" */
/** @import { Table } from "./table.js" */
/** @import { Actions } from "./tools.js" */
/** @import { Tools } from "./work.js" */

/** @typedef {{table: Table, question: Question, demo: string | null}} Opened a table with the question about it */

const KEY_WANTED = "This service answers only to those who send a key.";

const api = new Api();
/**
 * @type {{opened: Opened | null, unit: Unit, limits: Limits | null, model: ModelCard | null,
 *   outcome: Outcome | null, turn: number}}
 */
const state = { opened: null, unit: DEFAULT_UNIT, limits: null, model: null, outcome: null, turn: 0 };
const wantKey = keyDialog(api, () => about().then(() => state.opened && ask(state.opened)));
const unauthorised = () => wantKey(KEY_WANTED);

/** Which service this is; a failure is shown when something is to be estimated. */
async function about() {
  try {
    [state.limits, state.model] = await Promise.all([api.limits(), api.model()]);
    const { name, version, sha256 } = state.model;
    byId("model").textContent = `Model ${name} ${version}, sha256 ${sha256.slice(0, 12)}`;
  } catch (error) {
    byId("model").textContent = error instanceof Error ? error.message : String(error);
    if (error instanceof Refusal && error.status === 401) unauthorised();
  }
  changed();
}

/** Begins something that makes what is under way obsolete; returns whether it is still the latest. */
function newTurn() {
  state.turn += 1;
  const { turn } = state;
  return () => turn === state.turn;
}

/**
 * Opens a table with the question about it; returns both, or null where there is none.
 * @param {() => Promise<Table>} read
 * @param {string | null} demo
 * @param {Fragment} wanted
 */
async function open(read, demo, wanted) {
  const isLatest = newTurn();
  abandon();
  try {
    const table = await read();
    if (!isLatest()) return null; // another one was opened meanwhile
    state.opened = { table, demo, question: proposed(table, wanted) };
    state.outcome = null;
  } catch (error) {
    if (!(error instanceof BadFile)) console.error(error);
    const message = error instanceof BadFile ? error.message : "The table cannot be loaded.";
    failure(byId("answer"), Object.assign(new Error(message), { expected: true }));
    return null;
  }
  const { opened } = state;
  const { title, rows, columns } = opened.table;
  byId("ask").classList.add("closed");
  for (const each of byId("demos").querySelectorAll("button"))
    each.setAttribute("aria-pressed", String(each.dataset.name === demo));
  showTable(opened.table);
  showQuestion(opened);
  fill(byId("answer"));
  announce(`${title}: ${plural(rows, "row")}, ${plural(columns.length, "column")}.`);
  return opened;
}

/**
 * @param {string} name
 * @param {Fragment} wanted
 */
async function openDemo(name, wanted) {
  const read = async () => readBytes(`${name}.csv`, await (await fetch(demoUrl(name))).arrayBuffer());
  const opened = await open(read, name, { ...DEMOS.get(name)?.question, ...wanted });
  if (opened) await ask(opened);
}

/** @param {File} file */
const openFile = (file) => open(() => readFile(file), null, fragment.parse(location.hash));

/** @param {Opened} opened */
function showQuestion({ table, question }) {
  showForm(table, question, changed);
  changed();
}

/** Brings up to date what depends on the question: its cost and the address. */
function changed() {
  if (!state.opened) return;
  const { table, question, demo } = state.opened;
  showCost(table, question, state.limits);
  const columns = question.columns.size < table.columns.length ? question.columns : [];
  history.replaceState(null, "", fragment.format({ ...question, columns, data: demo, unit: state.unit }));
}

/**
 * Asks the service, and shows what it says.
 * @param {Opened} opened
 * @param {Question} [question]
 * @param {Result[]} [known] results that it has answered already
 */
async function ask({ table, question: present, demo }, question = present, known = []) {
  if (question === present && buttonById("run").disabled) return;
  const isLatest = newTurn();
  state.outcome = null;
  const single = question.mode === "pair";
  const title = single ? "Estimating" : `Estimating ${plural(pairsOf(table, question).length, "pair")}`;
  const place = el("div", {});
  fill(byId("answer"), place);
  /** @param {Tools} tools */
  const work = async (tools) => {
    // The pace of the service changes, and with it what may wait.
    if (!single || !state.limits) state.limits = await api.limits(tools.signal);
    const context = { api, table, limits: state.limits, truth: truthOf(demo), unauthorised };
    return estimate(context, copy(question), tools, known);
  };
  const outcome = await run(place, title, work, unauthorised);
  if (!outcome || !isLatest()) return;
  state.outcome = outcome;
  show();
  announce(outcome.text);
}

/** @type {(question: Question) => Question} */
const copy = (question) => ({
  ...question,
  x: new Set(question.x),
  y: new Set(question.y),
  given: new Set(question.given),
  columns: new Set(question.columns),
});

/** @type {(demo: string | null) => Truth} */
const truthOf = (demo) => DEMOS.get(demo ?? "")?.truth ?? (() => null);

/** Puts the answer on the page as it is to be seen now: unit, colours. */
function show() {
  const { outcome, opened, unit } = state;
  if (!outcome || !opened) return;
  const { question, text, unfinished } = outcome;
  const note = unfinished && stopped(text, () => ask(opened, question, unfinished));
  fill(byId("answer"), note, outcome.card(unit, actions(opened, question)));
}

/**
 * What the buttons of an answer do.
 * @param {Opened} opened
 * @param {Question} question that was answered
 * @returns {Actions}
 */
function actions(opened, question) {
  const { table } = opened;
  const { mode, target } = question;
  /** @param {Set<string>} columns */
  const names = (columns) => side(table, columns).map(({ name }) => name);
  const named = {
    mode,
    target,
    x: names(question.x),
    y: names(question.y),
    given: mode === "pair" ? names(question.given) : [],
    columns: names(question.columns),
  };
  return {
    facts: () => ({
      data: table.title,
      mode,
      target: mode === "target" ? target : undefined,
      model: state.model,
    }),
    open: ({ x, y }) => openPair(opened, x, y),
    python: () =>
      showCode(
        "In Python",
        python(named, table, api.hasKey),
        "It reads the same file; codes of text columns are made alike.",
      ),
    curl: () => {
      const sent = state.limits ? bodies(table, question, state.limits) : [];
      const saveAll = () => {
        for (const [i, body] of sent.entries())
          save(bodyName(mode, sent.length > 1 ? i + 1 : null), "application/octet-stream", body);
      };
      const text = sent.length > 1 ? `Save the ${sent.length} files` : "Save the file";
      showCode(
        "In a shell",
        curl(named, sent.length, api.hasKey),
        "It sends a file that holds the numbers as the page sends them.",
        { text, action: saveAll },
      );
    },
  };
}

/**
 * From a pair among many to the question about it alone.
 * @param {Opened} opened
 * @param {string} x
 * @param {string} y
 */
function openPair(opened, x, y) {
  Object.assign(opened.question, { mode: "pair", x: new Set([x]), y: new Set([y]), given: new Set() });
  showQuestion(opened);
  scrollToAnswer();
  ask(opened);
}

/** Goes to the answer where it stands below the question, and not at its side. */
function scrollToAnswer() {
  byId("answer").focus({ preventScroll: true });
  if (matchMedia("(max-width: 61.99rem)").matches) byId("answer").scrollIntoView();
}

function listen() {
  listenForFiles(openFile);
  byId("ask").addEventListener("submit", (event) => {
    event.preventDefault();
    scrollToAnswer();
    if (state.opened) ask(state.opened);
  });
  byId("modes").addEventListener("change", ({ target }) => {
    if (!state.opened) return;
    state.opened.question.mode = /** @type {Mode} */ (expect(target, HTMLInputElement).value);
    showQuestion(state.opened);
  });
  byId("units").addEventListener("change", ({ target }) =>
    use(/** @type {Unit} */ (expect(target, HTMLInputElement).value)),
  );
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", show);
  addEventListener("hashchange", start);
}

/** @param {Unit} unit */
function use(unit) {
  state.unit = unit;
  expect(byId("units").querySelector(`[value="${unit}"]`), HTMLInputElement).checked = true;
  show();
  changed();
}

/** Begins with what the address wants. */
function start() {
  const wanted = fragment.parse(location.hash);
  use(wanted.unit ?? DEFAULT_UNIT);
  if (wanted.data && DEMOS.has(wanted.data)) openDemo(wanted.data, wanted);
  else if (!state.opened) welcome();
}

showDemos((name) => openDemo(name, {}));
listen();
about();
start();
