// The service, asked by name: waits where it says so, and turns every refusal into one kind of error.

const BASE = new URL("../", import.meta.url);
const PATIENT = new Set([429, 503]);
const TRIES = 12;
const LONGEST = 60; // seconds of one wait

/** What the service said, or that it said nothing. `code` is the problem's, or "unreachable". */
export class Refusal extends Error {
  constructor(code, status, message) {
    super(message);
    this.code = code;
    this.status = status;
  }
}

/** The address of a path of the service. */
export const address = (path) => new URL(path, BASE).href;

/** Talks to the service that the page came from. The key stays in this object, and so in memory. */
export class Api {
  #key = "";

  /** Whether a key is sent. */
  get hasKey() {
    return this.#key !== "";
  }

  /** Sends this key from now on; an empty one sends none. */
  use(key) {
    this.#key = key.trim();
  }

  /** What this service takes at once; an object of numbers. */
  limits = (signal) => this.#ask("v1/limits", { signal });

  /** The card of the model that answers. */
  model = async (signal) => (await this.#ask("v1/models", { signal })).models[0];

  /** The answer to one problem in .npy, of which the first `dim` columns are x. */
  estimate = (body, dim, options) =>
    this.#ask(`v1/estimate?dim_x=${dim}&levels=all`, { ...options, body, type: "application/x-npy" });

  /** What became of each problem of a safetensors file. */
  batch = async (body, options) =>
    (await this.#ask("v1/estimate:batch", { ...options, body, type: "application/x-safetensors" })).answers;

  /** `waiting(seconds)` is told of every wait; `signal` ends everything. */
  async #ask(path, { body, type, signal, waiting = () => {} } = {}) {
    for (let tries = 1; ; tries += 1) {
      const response = await this.#send(path, body, type, signal);
      if (response.ok) return response.json();
      const refusal = await refused(response);
      if (!PATIENT.has(response.status) || tries >= TRIES) throw refusal;
      const seconds = Math.min(after(response), LONGEST);
      waiting(seconds, refusal);
      await sleep(seconds, signal);
    }
  }

  async #send(path, body, type, signal) {
    const headers = { accept: "application/json" };
    if (type) headers["content-type"] = type;
    if (this.#key) headers.authorization = `Bearer ${this.#key}`;
    const options = { method: body ? "POST" : "GET", headers, body, signal, cache: "no-store", credentials: "omit" };
    try {
      return await fetch(address(path), { ...options, redirect: "error" });
    } catch (error) {
      if (signal?.aborted) throw error;
      throw new Refusal("unreachable", 0, "The service does not answer. Is it still running?");
    }
  }
}

async function refused(response) {
  const problem = await response.json().catch(() => ({}));
  const said = typeof problem.detail === "string" ? problem.detail : `the service answered HTTP ${response.status}`;
  return new Refusal(problem.code ?? "unknown", response.status, sentence(said));
}

/** A text with a capital letter, but for those that are names as in "n = 5", and a full stop. */
export function sentence(text) {
  const end = /[.!?]$/.test(text) ? "" : ".";
  return text.replace(/^(?![nxy]\b)\p{L}/u, (letter) => letter.toUpperCase()) + end;
}

/** Seconds that a refusal asks to wait. */
function after(response) {
  const exact = Number(response.headers.get("retry-after-ms") ?? NaN) / 1000;
  const whole = Number(response.headers.get("retry-after") ?? NaN);
  return [exact, whole, 1].find((seconds) => Number.isFinite(seconds) && seconds >= 0);
}

/** Waits, unless `signal` ends the waiting. */
function sleep(seconds, signal) {
  return new Promise((resolve, reject) => {
    const stop = () => {
      clearTimeout(timer);
      reject(signal.reason);
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener("abort", stop);
      resolve();
    }, 1000 * seconds);
    if (signal?.aborted) stop();
    signal?.addEventListener("abort", stop, { once: true });
  });
}
