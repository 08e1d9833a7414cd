// The answer about all pairs: a heat-map in an order that shows groups, beside the sorted pairs.

import { figure, legend } from "./charts.js";
import { clustered } from "./cluster.js";
import { el, fill, query } from "./dom.js";
import { heatMap, walkable } from "./heat_map.js";
import { glossary } from "./notes.js";
import { pairTable } from "./pair_table.js";
import { convert, correlation } from "./posterior.js";
import { clear, clearLabel, codedNote } from "./rank_view.js";
import { sorted } from "./records.js";
import { tools } from "./tools.js";
import { plural } from "./words.js";

/** @import { ManyResults } from "./rank_view.js" */
/** @import { Result } from "./records.js" */
/** @import { Unit } from "./settings.js" */
/** @import { Actions } from "./tools.js" */

/**
 * The whole card.
 * @param {Pick<ManyResults, "columns" | "results">} answers
 * @param {Unit} unit
 * @param {Actions} actions
 */
export function matrixView({ columns, results }, unit, actions) {
  const pairs = sorted(results);
  const names = columns.map(({ name }) => name);
  const resultOf = lookup(names, results);
  const orders = {
    clustered: clustered(names.length, (i, j) => 1 - correlation(resultOf(i, j)?.answer?.mi ?? 0)),
    file: names.map((_, i) => i),
  };
  let order = orders.clustered;
  const inOrder = () => order.map((i) => names[i]);
  /** @type {(i: number, j: number) => Result | undefined} */
  const pair = (i, j) => resultOf(order[i], order[j]);
  /** @param {number} width */
  const draw = (width) => heatMap(inOrder(), pair, unit, width, actions.open);
  const reorder = () => {
    order = orders[grouped.checked ? "clustered" : "file"];
    map.redraw();
  };
  const grouped = el("input", { type: "checkbox", checked: true, onchange: reorder });
  const map = figure(
    `Mutual information in ${unit}`,
    draw,
    "matrix",
    el(
      "div.head",
      {},
      el("label.check", {}, grouped, "What belongs together side by side"),
      legend(convert(pairs[0].answer?.mi ?? 1, unit)),
    ),
  );
  walkable(query(map, ".chart"), inOrder, pair, unit, actions.open);
  const table = el("div.column", {});
  const list = () =>
    fill(
      table,
      pairTable(
        "Pairs by their mutual information",
        only.checked ? pairs.filter(clear) : pairs,
        unit,
        ({ x, y }) => [x, y],
        actions.open,
      ),
    );
  const only = el("input", { type: "checkbox", onchange: list });
  list();
  return el(
    "article.card",
    { "aria-label": "Answer about all pairs" },
    el(
      "div.head",
      {},
      el("h2", {}, `${plural(results.length, "pair")} of ${plural(names.length, "column")}`),
      tools(pairs, unit, actions),
    ),
    codedNote(columns),
    el(
      "div.side",
      {},
      map,
      el(
        "div.column",
        {},
        el("h3", {}, "Strongest first"),
        el("label.check", {}, only, clearLabel(unit)),
        table,
      ),
    ),
    glossary(results),
  );
}

/**
 * From places of two columns to their result, in either order.
 * @param {string[]} names
 * @param {Result[]} results
 * @returns {(i: number, j: number) => Result | undefined}
 */
function lookup(names, results) {
  const places = new Map(names.map((name, i) => [name, i]));
  /** @param {string} name */
  const place = (name) => places.get(name) ?? -1;
  /** @type {Map<number, Result>} */
  const byPlaces = new Map();
  /** @type {(i: number, j: number) => number} */
  const key = (i, j) => Math.min(i, j) * names.length + Math.max(i, j);
  for (const result of results) byPlaces.set(key(place(result.x), place(result.y)), result);
  return (i, j) => byPlaces.get(key(i, j));
}
