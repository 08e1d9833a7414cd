// The service, spoken to by name: waits where it says so, and turns every refusal into one kind of error.

/** @import { Answer } from "./posterior.js" */

/**
 * What the service takes at once, as far as the page needs it.
 * @typedef {object} Limits
 * @property {number} min_rows
 * @property {number} max_columns of one side
 * @property {number} max_body_bytes
 * @property {number} max_request_cells
 * @property {number} max_request_problems
 * @property {number} queue_cells that may wait at the present pace
 * @property {number} [always_admitted_problems] that may wait, whatever they cost
 * @property {number} cells_per_second the present pace
 */

/** @typedef {{name: string, version: string, sha256: string}} ModelCard */

/** @typedef {{estimate?: Answer, error?: {detail: string}}} BatchItem */

/**
 * @typedef {object} RequestOptions
 * @property {AbortSignal} [signal] ends everything
 * @property {(seconds: number, refusal: Refusal) => void} [waiting] called before every wait
 */

/** @typedef {{x: number, given: number}} Dims how many of the first columns are x, and of the last ones given */

/** @typedef {RequestOptions & {body?: Uint8Array<ArrayBuffer>, type?: string}} Request */

const BASE = new URL("../", import.meta.url);
const RETRIED = new Set([429, 503]);
const MAX_TRIES = 12;
const MAX_WAIT = 60; // seconds

/** What the service said, or that it said nothing. `code` is the problem's, or "unreachable". */
export class Refusal extends Error {
  /**
   * @param {string} code
   * @param {number} status of HTTP; 0 where there is none
   * @param {string} message
   */
  constructor(code, status, message) {
    super(message);
    this.code = code;
    this.status = status;
  }
}

/**
 * The address of a path of the service.
 * @param {string} path
 */
export const address = (path) => new URL(path, BASE).href;

/**
 * Where a problem in .npy is sent.
 * @param {Dims} dims
 */
export const estimatePath = ({ x, given }) =>
  `v1/estimate?dim_x=${x}${given ? `&dim_given=${given}` : ""}&levels=all`;

/** Talks to the service that the page came from. The key stays in this object, and so in memory. */
export class Api {
  #key = "";

  /** Whether a key is sent. */
  get hasKey() {
    return this.#key !== "";
  }

  /**
   * Sends this key from now on; an empty one sends none.
   * @param {string} key
   */
  use(key) {
    this.#key = key.trim();
  }

  /**
   * What this service takes at once.
   * @param {AbortSignal} [signal]
   * @returns {Promise<Limits>}
   */
  limits = (signal) => this.#request("v1/limits", { signal });

  /**
   * The card of the model that answers.
   * @param {AbortSignal} [signal]
   * @returns {Promise<ModelCard>}
   */
  model = async (signal) => (await this.#request("v1/models", { signal })).models[0];

  /**
   * The answer to one problem in .npy.
   * @param {Uint8Array<ArrayBuffer>} body
   * @param {Dims} dims
   * @param {RequestOptions} [options]
   * @returns {Promise<Answer>}
   */
  estimate = (body, dims, options) =>
    this.#request(estimatePath(dims), { ...options, body, type: "application/x-npy" });

  /**
   * What became of each problem of a safetensors file.
   * @param {Uint8Array<ArrayBuffer>} body
   * @param {RequestOptions} [options]
   * @returns {Promise<BatchItem[]>}
   */
  batch = async (body, options) =>
    (await this.#request("v1/estimate:batch", { ...options, body, type: "application/x-safetensors" }))
      .answers;

  /**
   * @param {string} path
   * @param {Request} request
   */
  async #request(path, { body, type, signal, waiting = () => {} }) {
    for (let tries = 1; ; tries += 1) {
      const response = await this.#send(path, body, type, signal);
      if (response.ok) return response.json();
      const error = await refusal(response);
      if (!RETRIED.has(response.status) || tries >= MAX_TRIES) throw error;
      const seconds = Math.min(retryAfter(response), MAX_WAIT);
      waiting(seconds, error);
      await sleep(seconds, signal);
    }
  }

  /**
   * @param {string} path
   * @param {Uint8Array<ArrayBuffer>} [body]
   * @param {string} [type]
   * @param {AbortSignal} [signal]
   */
  async #send(path, body, type, signal) {
    const headers = new Headers({ accept: "application/json" });
    if (type) headers.set("content-type", type);
    if (this.#key) headers.set("authorization", `Bearer ${this.#key}`);
    try {
      return await fetch(address(path), {
        method: body ? "POST" : "GET",
        headers,
        body,
        signal,
        cache: "no-store",
        credentials: "omit",
        redirect: "error",
      });
    } catch (error) {
      if (signal?.aborted) throw error;
      throw new Refusal("unreachable", 0, "The service does not answer. Is it still running?");
    }
  }
}

/** @param {Response} response */
async function refusal(response) {
  const problem = await response.json().catch(() => ({}));
  const detail =
    typeof problem.detail === "string" ? problem.detail : `the service answered HTTP ${response.status}`;
  return new Refusal(problem.code ?? "unknown", response.status, sentence(detail));
}

/**
 * A text with a capital letter, but for those that are names as in "n = 5", and a full stop.
 * @param {string} text
 */
export function sentence(text) {
  const end = /[.!?]$/.test(text) ? "" : ".";
  return text.replace(/^(?![nxy]\b)\p{L}/u, (letter) => letter.toUpperCase()) + end;
}

/**
 * Seconds that a refusal wants the next try to wait.
 * @param {Response} response
 */
function retryAfter(response) {
  const exact = Number(response.headers.get("retry-after-ms") ?? NaN) / 1000;
  const whole = Number(response.headers.get("retry-after") ?? NaN);
  return [exact, whole].find((seconds) => Number.isFinite(seconds) && seconds >= 0) ?? 1;
}

/**
 * Waits, unless `signal` ends the waiting.
 * @param {number} seconds
 * @param {AbortSignal} [signal]
 * @returns {Promise<void>}
 */
function sleep(seconds, signal) {
  return new Promise((resolve, reject) => {
    const stop = () => {
      clearTimeout(timer);
      reject(signal?.reason);
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener("abort", stop);
      resolve();
    }, 1000 * seconds);
    if (signal?.aborted) stop();
    signal?.addEventListener("abort", stop, { once: true });
  });
}
