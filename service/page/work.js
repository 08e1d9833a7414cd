// A piece of work that takes a while: shown with its progress, ended by a button, its failure put into words.

import { Refusal } from "./api.js";
import { announce, button, el, fill } from "./dom.js";
import { count } from "./words.js";

/**
 * What work is run with.
 * @typedef {object} Tools
 * @property {AbortSignal} signal
 * @property {(done: number, total: number) => void} progress
 * @property {(seconds: number) => void} waiting
 */

/** @typedef {Error & {expected?: boolean}} Failure expected: its message is for people */

let current = new AbortController();

/** Ends what is under way, if anything is: nobody waits for it any more. */
export const abandon = () => current.abort();

/**
 * Runs work, in the place of what was under way, and shows how it goes.
 * @template T
 * @param {Element} place where
 * @param {string} title what is done
 * @param {(tools: Tools) => Promise<T>} work
 * @param {() => void} unauthorised called where a key is wanted
 * @returns {Promise<T | undefined>} what the work gave, or undefined after an end or a failure, which then stands in
 *   the place
 */
export async function run(place, title, work, unauthorised) {
  abandon();
  const stop = new AbortController();
  current = stop;
  const bar = el("progress", { "aria-label": title });
  const state = el("span.quiet", {});
  fill(
    place,
    el(
      "div.card",
      { id: "working" },
      el("h2", {}, title),
      bar,
      el(
        "div.row",
        {},
        button("Cancel", () => stop.abort()),
        state,
      ),
    ),
  );
  /** @type {Tools["progress"]} */
  const progress = (done, total) => {
    Object.assign(bar, { max: total, value: done });
    state.textContent = `${count(done)} of ${count(total)}`;
  };
  /** @type {Tools["waiting"]} */
  const waiting = (seconds) => {
    state.textContent = `The service is busy; the page asks again in ${seconds < 1 ? "a moment" : `${Math.ceil(seconds)} s`}.`;
  };
  announce(title);
  try {
    return await work({ signal: stop.signal, progress, waiting });
  } catch (error) {
    if (stop !== current) return undefined;
    if (stop.signal.aborted) {
      fill(place, el("p.card", {}, "Cancelled."));
      announce("Cancelled.");
    } else {
      failure(place, /** @type {Failure} */ (error));
      if (error instanceof Refusal && error.status === 401) unauthorised();
    }
    return undefined;
  }
}

/**
 * Says that work has ended before its time, with a button that goes on with it.
 * @param {string} text
 * @param {() => void} more
 */
export const stopped = (text, more) =>
  el(
    "div.card",
    { id: "stopped" },
    el("p.note.bad", {}, text),
    el("div.row", {}, button("Estimate the rest", more)),
  );

/**
 * Puts a failure where an answer was expected.
 * @param {Element} place
 * @param {Failure} error
 */
export function failure(place, error) {
  const expected = error instanceof Refusal || error.expected;
  const text = expected ? error.message : "The page failed on this question; the fault is ours.";
  if (!expected) console.error(error);
  fill(place, el("div.card", { role: "alert", id: "failure" }, el("p.note.bad", {}, text)));
}
