// The answer about one pair.

import { figure } from "./charts.js";
import { choice, el, fill, label, named } from "./dom.js";
import { notes } from "./notes.js";
import { quantileChart, sampleChart, scaleChart } from "./pair_charts.js";
import { THRESHOLD, convert, correlation } from "./posterior.js";
import { summary } from "./records.js";
import { tools } from "./tools.js";
import { amount, count, percent } from "./words.js";

/** The whole card; `result` is a pair's, with the columns that were sent. */
export function pairView(result, unit, actions) {
  const { x, y } = result;
  const between = figure("Where it lies", (width) => scaleChart(result, unit, width), "interval");
  const curve = figure("How sure", (width) => quantileChart(result, unit, width), "quantiles");
  return el("article.card", { "aria-label": "Answer about one pair" },
    el("div.head", {}, el("h2", {}, sides(x), " and ", sides(y)), tools([result], unit, actions)),
    headline(result, unit), between, facts(result, unit), notes(result), el("div.side", {}, sample(result), curve));
}

const sides = (columns) => columns.flatMap(({ name }, i) => [i ? " + " : null, named(name)]);

function headline({ answer }, unit) {
  const { mi, low, high } = summary(answer, unit);
  return el("p.headline", { id: "headline" },
    el("strong", {}, amount(mi)), el("span", {}, unit),
    el("span.range", {}, `90 % interval ${amount(low)} to ${amount(high)}`));
}

function facts({ answer, n, gaussian, x, y }, unit) {
  const { below: share, median } = summary(answer, unit);
  const single = x.length + y.length === 2;
  const entries = [
    ["Same as a correlation of", single && correlation(answer.mi).toFixed(2)],
    [`Chance of less than ${amount(convert(THRESHOLD, unit))} ${unit}`, percent(share)],
    ["If all were normal", Number.isFinite(gaussian) ? `${amount(convert(gaussian, unit))} ${unit}` : "not defined"],
    ["Median", `${amount(median)} ${unit}`],
    ["Rows", count(n)],
  ];
  return el("dl.facts", {}, entries.filter(([, value]) => value).map(([term, value]) => el("div", {}, el("dt", {}, term), el("dd", {}, value))));
}

/** The sample; of sides with several columns one each, which can be chosen. */
function sample({ x, y }) {
  const shown = { x: x[0], y: y[0] };
  const drawn = figure("The sample", (width) => sampleChart(shown.x, shown.y, width), "sample", el("div.axes"));
  const pick = (side, columns) => {
    const names = columns.map(({ name }) => label(name, 40));
    const chosen = (i) => {
      shown[side] = columns[i];
      drawn.redraw();
    };
    return columns.length > 1 ? choice(side, names, 0, chosen) : null;
  };
  fill(drawn.querySelector(".axes"), pick("x", x), pick("y", y));
  return drawn;
}
