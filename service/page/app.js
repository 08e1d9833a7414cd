// The page: a table, a question about it, and the answer of the service.

import { Api, Refusal } from "./api.js";
import { askPairs, bodies } from "./asker.js";
import { bodyName, curl, python } from "./code.js";
import { DEMOS, demoUrl } from "./demos.js";
import { announce, at, el, fill } from "./dom.js";
import { npy } from "./encode.js";
import { gaussian } from "./gaussian.js";
import { keyDialog } from "./keys.js";
import { matrixView } from "./matrix_view.js";
import { pairView } from "./pair_view.js";
import { codes, problem, refusal } from "./problem.js";
import { pairsOf, proposed, showCost, showForm, showTable, side } from "./question.js";
import { rankView } from "./rank_view.js";
import { BadFile, readBytes, readFile } from "./read.js";
import { save } from "./save.js";
import * as settings from "./settings.js";
import { showCode } from "./show_code.js";
import { amount, count, plural } from "./words.js";
import { abandon, failure, run, stopped } from "./work.js";

const api = new Api();
const state = { table: null, demo: null, question: null, unit: "nats", limits: null, model: null, result: null, busy: 0 };
const askForKey = keyDialog(api, () => about().then(() => state.table && ask()));

/** Which service this is; a failure is shown when something is asked of it. */
async function about() {
  try {
    [state.limits, state.model] = await Promise.all([api.limits(), api.model()]);
    const { name, version, sha256 } = state.model;
    at("model").textContent = `Model ${name} ${version}, sha256 ${sha256.slice(0, 12)}`;
  } catch (error) {
    at("model").textContent = error.message;
    if (error.status === 401) askForKey("This service answers only to those who send a key.");
  }
  changed();
}

/** Opens a table that `read` promises, with the question that is asked about it. */
async function open(read, demo, asked) {
  state.busy += 1;
  const turn = state.busy;
  abandon();
  try {
    const table = await read();
    if (turn !== state.busy) return false; // another one was opened meanwhile
    Object.assign(state, { table, demo, question: proposed(table, asked), result: null });
  } catch (error) {
    if (!(error instanceof BadFile)) console.error(error);
    const expected = error instanceof BadFile ? error.message : "The table cannot be loaded.";
    failure(at("answer"), Object.assign(new Error(expected), { expected: true }));
    return false;
  }
  at("ask").classList.add("closed");
  for (const each of at("demos").children) each.setAttribute("aria-pressed", String(each.dataset.name === demo));
  showTable(state.table);
  showQuestion();
  fill(at("answer"));
  announce(`${state.table.title}: ${plural(state.table.rows, "row")}, ${plural(state.table.columns.length, "column")}.`);
  return true;
}

async function openDemo(name, asked) {
  const demo = DEMOS.get(name);
  const read = async () => readBytes(`${name}.csv`, await (await fetch(demoUrl(name))).arrayBuffer());
  if (await open(read, name, { ...demo.question, ...asked })) await ask();
}

const openFile = (file) => open(() => readFile(file), null, settings.read(location.hash));

function showQuestion() {
  showForm(state.table, state.question, changed);
  changed();
}

function changed() {
  if (!state.table) return;
  showCost(state.table, state.question, state.limits);
  const { mode, target, columns, x, y } = state.question;
  const some = columns.size < state.table.columns.length ? columns : [];
  const said = { data: state.demo, mode, unit: state.unit, target, x, y, columns: some };
  history.replaceState(null, "", settings.written(said));
}

/** Asks the service, and shows what it says; `known` are results that it has given already. */
async function ask(question = state.question, known = []) {
  if (question === state.question && at("run").disabled) return;
  const { table } = state;
  state.busy += 1;
  const turn = state.busy;
  state.result = null;
  const work = question.mode === "pair" ? askOne : askMany;
  const title = question.mode === "pair" ? "Estimating" : `Estimating ${plural(pairsOf(table, question).length, "pair")}`;
  const refused = () => askForKey("This service answers only to those who send a key.");
  const place = el("div", {});
  fill(at("answer"), place);
  const result = await run(place, title, (tools) => work(table, copy(question), tools, known), refused);
  if (!result || turn !== state.busy) return;
  state.result = result;
  show();
  announce(heard(result));
}

const copy = (question) => ({ ...question, x: new Set(question.x), y: new Set(question.y), columns: new Set(question.columns) });

const truthOf = () => (state.demo ? DEMOS.get(state.demo).truth : () => null);

async function askOne(table, question, tools) {
  state.limits ??= await api.limits(tools.signal);
  const [x, y] = [side(table, question.x), side(table, question.y)];
  const made = problem(x, y, table.rows);
  const reason = refusal(made, state.limits);
  if (reason) throw Object.assign(new Error(reason), { expected: true });
  const answer = await api.estimate(npy(made.x, made.y), x.length, tools);
  const truth = x.length + y.length === 2 ? truthOf()(x[0].name, y[0].name) : null;
  const sent = (columns, arrays) => columns.map(({ name, labels }, i) => ({ name, labels, values: arrays[i] }));
  const linear = gaussian(made.x, made.y);
  const { n, dropped } = made;
  return { kind: pairView, question, x: sent(x, made.x), y: sent(y, made.y), n, dropped, codes: codes([...x, ...y]), rows: table.rows, columns: [...x, ...y], answer, truth, gaussian: linear };
}

async function askMany(table, question, { signal, progress, waiting }, known) {
  state.limits = await api.limits(signal); // the pace of the service changes, and with it what may wait
  const pairs = pairsOf(table, question);
  progress(0, pairs.length);
  const told = { signal, waiting, progress: (done) => progress(done, pairs.length) };
  const all = known.slice();
  const end = await askPairs(api, pairs, table.rows, state.limits, all, told).catch((error) => error);
  const results = all.filter(({ answer, error }) => answer || error);
  if (end && !kept(end, signal, results)) throw end;
  const rest = end && { why: signal.aborted ? "Cancelled." : end.message, of: pairs.length, all };
  const kind = question.mode === "target" ? rankView : matrixView;
  return { kind, question, results, rest, target: question.target, columns: side(table, question.columns), truth: truthOf() };
}

/** Whether what was answered before an end is shown: there is some, and the end is nobody's fault here. */
const kept = (end, { aborted }, results) =>
  (aborted || (end instanceof Refusal && end.status !== 401)) && results.some(({ answer }) => answer);

/** Puts the answer on the page as it is to be seen now: unit, colours. */
function show() {
  const { result, unit } = state;
  if (!result) return;
  const { question, rest } = result;
  const note = rest && stopped(heard(result), () => ask(question, rest.all));
  fill(at("answer"), note, result.kind(result, unit, actions(result)));
}

function heard({ kind, answer, results, rest }) {
  if (rest) return `${rest.why} ${count(results.length)} of ${plural(rest.of, "pair")} had their answer by then.`;
  if (kind !== pairView) return `${plural(results.length, "pair")} estimated.`;
  return `The estimate is ${amount(answer.mi)} nats.`;
}

/** What the buttons of an answer do. */
function actions({ question }) {
  const { table } = state;
  const names = (columns) => side(table, columns).map(({ name }) => name);
  const asked = { ...question, x: names(question.x), y: names(question.y), columns: names(question.columns) };
  const coded = codes(side(table, new Set([...question.x, ...question.y]))).length > 0;
  const facts = () => ({ data: table.title, mode: asked.mode, target: asked.mode === "target" ? asked.target : undefined, model: state.model });
  return {
    facts,
    open: ({ x, y }) => one(x, y),
    python: () => showCode("In Python", python({ ...asked, coded }, table, api.hasKey), "It reads the same file; codes of text columns are made alike."),
    curl: () => {
      const sent = requests(table, question);
      const all = () => {
        for (const [i, body] of sent.entries()) save(bodyName(asked.mode, sent.length > 1 ? i + 1 : null), "application/octet-stream", body);
      };
      const about = "It sends a file that holds the numbers as the page sends them.";
      showCode("In a shell", curl(asked, sent.length, api.hasKey), about, { text: sent.length > 1 ? `Save the ${sent.length} files` : "Save the file", action: all });
    },
  };
}

function requests(table, question) {
  if (question.mode === "pair") {
    const { x, y } = problem(side(table, question.x), side(table, question.y), table.rows);
    return [npy(x, y)];
  }
  const problems = pairsOf(table, question).map(([a, b]) => problem([a], [b], table.rows));
  return bodies(problems.filter((each) => !refusal(each, state.limits)), state.limits);
}

/** From a pair among many to the question about it alone. */
function one(x, y) {
  Object.assign(state.question, { mode: "pair", x: new Set([x]), y: new Set([y]) });
  showQuestion();
  turn();
  ask();
}

/** Turns to the answer where it stands below the question, and not beside it. */
function turn() {
  at("answer").focus({ preventScroll: true });
  if (matchMedia("(max-width: 61.99rem)").matches) at("answer").scrollIntoView();
}

function welcome() {
  fill(at("answer"), el("div.intro", {},
    el("h2", {}, "How much do these columns say about each other?"),
    el("p", {}, "Mutual information measures dependence of any shape: 0 where two columns are independent, more the better one can be told from the other. It is estimated here from the rows of a table, with intervals that say how sure the estimate is."),
    el("p.quiet", {}, "Open a table on this page, or take a demo: its answer is shown at once.")));
}

function demos() {
  const made = [...DEMOS].map(([name, { title, about: text, source }]) =>
    el("button.demo", { type: "button", "data-name": name, "aria-pressed": "false", title: source, onclick: () => openDemo(name, {}) },
      el("b", {}, title), el("span.quiet", {}, text)));
  fill(at("demos"), made);
}

function wire() {
  const drop = at("drop");
  at("file").addEventListener("change", ({ target }) => {
    if (target.files[0]) openFile(target.files[0]);
    target.value = "";
  });
  for (const name of ["dragenter", "dragover"]) {
    document.addEventListener(name, (event) => {
      event.preventDefault();
      drop.classList.add("over");
    });
  }
  for (const name of ["dragleave", "drop"]) document.addEventListener(name, () => drop.classList.remove("over"));
  document.addEventListener("drop", (event) => {
    event.preventDefault();
    if (event.dataTransfer.files[0]) openFile(event.dataTransfer.files[0]);
  });
  at("ask").addEventListener("submit", (event) => {
    event.preventDefault();
    turn();
    ask();
  });
  at("modes").addEventListener("change", ({ target }) => {
    state.question.mode = target.value;
    showQuestion();
  });
  at("units").addEventListener("change", ({ target }) => use(target.value));
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", show);
  addEventListener("hashchange", start);
}

function use(unit) {
  state.unit = unit;
  at("units").querySelector(`[value="${unit}"]`).checked = true;
  show();
  changed();
}

/** Begins with what the address asks for. */
function start() {
  const asked = settings.read(location.hash);
  use(asked.unit ?? "nats");
  if (asked.data && DEMOS.has(asked.data)) openDemo(asked.data, asked);
  else if (!state.table) welcome();
}

demos();
wire();
about();
start();
