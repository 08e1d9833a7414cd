// The answer about all pairs: a heat-map in an order that shows groups, beside the sorted pairs.

import { figure, legend } from "./charts.js";
import { clustered } from "./cluster.js";
import { el, fill } from "./dom.js";
import { heatMap, walkable } from "./heat_map.js";
import { glossary } from "./notes.js";
import { pairTable } from "./pair_table.js";
import { THRESHOLD, convert, correlation } from "./posterior.js";
import { clear, said } from "./rank_view.js";
import { sorted } from "./records.js";
import { tools } from "./tools.js";
import { amount, plural } from "./words.js";

/** The whole card. */
export function matrixView({ columns, results }, unit, actions) {
  const pairs = sorted(results);
  const names = columns.map(({ name }) => name);
  const found = lookup(names, results);
  const orders = { clustered: clustered(names.length, (i, j) => 1 - correlation(found(i, j)?.answer?.mi ?? 0)) };
  orders.file = names.map((_, i) => i);
  let order = orders.clustered;
  const inOrder = () => order.map((i) => names[i]);
  const pair = (i, j) => found(order[i], order[j]);
  const drawn = (width) => heatMap(inOrder(), pair, unit, width, actions.open);
  const reorder = () => {
    order = orders[grouped.checked ? "clustered" : "file"];
    map.redraw();
  };
  const grouped = el("input", { type: "checkbox", checked: true, onchange: reorder });
  const map = figure(`Mutual information in ${unit}`, drawn, "matrix",
    el("div.head", {}, el("label.check", {}, grouped, "What belongs together side by side"), legend(convert(pairs[0].answer?.mi ?? 1, unit))));
  walkable(map.querySelector(".chart"), inOrder, pair, unit, actions.open);
  const table = el("div.column", {});
  const list = () => fill(table, pairTable("Pairs by their mutual information", only.checked ? pairs.filter(clear) : pairs, unit, ({ x, y }) => [x, y], actions.open));
  const only = el("input", { type: "checkbox", onchange: list });
  list();
  const about = `Only those whose 90 % interval lies above ${amount(convert(THRESHOLD, unit))} ${unit}`;
  return el("article.card", { "aria-label": "Answer about all pairs" },
    el("div.head", {}, el("h2", {}, `${plural(results.length, "pair")} of ${plural(names.length, "column")}`), tools(pairs, unit, actions)),
    said(columns), el("div.side", {}, map, el("div.column", {}, el("h3", {}, "Strongest first"), el("label.check", {}, only, about), table)),
    glossary(results));
}

/** From places of two columns to their result, in either order. */
function lookup(names, results) {
  const place = new Map(names.map((name, i) => [name, i]));
  const found = new Map();
  const key = (i, j) => Math.min(i, j) * names.length + Math.max(i, j);
  for (const result of results) found.set(key(place.get(result.x), place.get(result.y)), result);
  return (i, j) => found.get(key(i, j));
}
