// A piece of work that takes a while: shown with its progress, ended by a button, its failure put into words.

import { Refusal } from "./api.js";
import { announce, button, el, fill } from "./dom.js";
import { count } from "./words.js";

let under = new AbortController();

/** Ends what is under way, if anything is: nobody waits for it any more. */
export const abandon = () => under.abort();

/**
 * Runs work, in the place of what was under way, and shows how it goes.
 * @param {Element} place where
 * @param {string} title what is done
 * @param {(tools: {signal: AbortSignal, progress: Function, waiting: Function}) => Promise} work
 * @param {(refusal: Refusal) => void} refused told of a refusal for want of a key
 * @returns what the work gave, or undefined after an end or a failure, which then stands in the place
 */
export async function run(place, title, work, refused) {
  abandon();
  const stop = new AbortController();
  under = stop;
  const bar = el("progress", { "aria-label": title });
  const said = el("span.quiet", {});
  fill(place, el("div.card", { id: "working" }, el("h2", {}, title), bar, el("div.row", {}, button("Cancel", () => stop.abort()), said)));
  const progress = (done, of) => {
    Object.assign(bar, { max: of, value: done });
    said.textContent = `${count(done)} of ${count(of)}`;
  };
  const waiting = (seconds) => {
    said.textContent = `The service is busy; the page asks again in ${seconds < 1 ? "a moment" : `${Math.ceil(seconds)} s`}.`;
  };
  announce(title);
  try {
    return await work({ signal: stop.signal, progress, waiting });
  } catch (error) {
    if (stop !== under) return undefined;
    if (stop.signal.aborted) {
      fill(place, el("p.card", {}, "Cancelled."));
      announce("Cancelled.");
    } else {
      failure(place, error);
      if (error.status === 401) refused(error);
    }
    return undefined;
  }
}

/** Says that work has ended before its time, with a button that goes on with it. */
export const stopped = (text, more) =>
  el("div.card", { id: "stopped" }, el("p.note.bad", {}, text), el("div.row", {}, button("Estimate the rest", more)));

/** Puts a failure where an answer was expected. */
export function failure(place, error) {
  const text = error instanceof Refusal || error.expected ? error.message : "The page failed on this question; the fault is ours.";
  if (!(error instanceof Refusal) && !error.expected) console.error(error);
  fill(place, el("div.card", { role: "alert", id: "failure" }, el("p.note.bad", {}, text)));
}
