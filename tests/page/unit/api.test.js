import assert from "node:assert/strict";
import test from "node:test";

import { Api, Refusal } from "../../../service/page/api.js";

/** Answers requests in turn; what was sent. */
function answering(t, ...responses) {
  const sent = [];
  t.mock.method(globalThis, "fetch", async (url, options) => {
    sent.push({ url, ...options });
    const next = responses.length > 1 ? responses.shift() : responses[0];
    if (next instanceof Error) throw next;
    return next();
  });
  return sent;
}

const json = (body, init) => () => new Response(JSON.stringify(body), init);
const busy = (headers = { "retry-after-ms": "0" }) =>
  json({ code: "queue_full", detail: "too much is waiting" }, { status: 429, headers });
const BODY = Uint8Array.of(1, 2, 3);
const ONE = { x: 1, given: 0 };

test("a question is posted with its type, without cookies, and with a key where there is one", async (t) => {
  const sent = answering(t, json({ mi: 1 }));
  const api = new Api();
  assert.deepEqual(await api.estimate(BODY, ONE), { mi: 1 });
  api.use(" secret ");
  await api.estimate(BODY, { x: 2, given: 3 });
  api.use("");
  assert.equal(api.hasKey, false);
  assert.match(sent[0].url, /\/v1\/estimate\?dim_x=1&levels=all$/);
  assert.match(sent[1].url, /\?dim_x=2&dim_given=3&levels=all$/);
  assert.deepEqual([sent[0].method, sent[0].credentials, sent[0].redirect], ["POST", "omit", "error"]);
  assert.deepEqual(Object.fromEntries(sent[0].headers), {
    accept: "application/json",
    "content-type": "application/x-npy",
  });
  assert.equal(sent[1].headers.get("authorization"), "Bearer secret");
});

test("lists come out of their envelopes", async (t) => {
  answering(t, json({ models: [{ name: "m" }], answers: [{ estimate: {} }] }));
  assert.deepEqual(await new Api().model(), { name: "m" });
  assert.deepEqual(await new Api().batch(BODY), [{ estimate: {} }]);
});

test("a busy service is tried again after the time that it names", async (t) => {
  const sent = answering(t, busy({ "retry-after-ms": "3", "retry-after": "1" }), busy(), json({ mi: 1 }));
  const waits = [];
  await new Api().estimate(BODY, ONE, { waiting: (seconds, refusal) => waits.push([seconds, refusal.code]) });
  assert.equal(sent.length, 3);
  assert.deepEqual(waits, [
    [0.003, "queue_full"],
    [0, "queue_full"],
  ]);
});

test("no wait is longer than a minute, and one without a number is a second", async (t) => {
  for (const [value, seconds] of [
    ["3600", 60],
    ["soon", 1],
    ["-5", 1],
  ]) {
    answering(t, busy({ "retry-after": value }));
    const stop = new AbortController();
    const waits = [];
    const waiting = (wait) => {
      waits.push(wait);
      stop.abort();
    };
    await assert.rejects(new Api().estimate(BODY, ONE, { signal: stop.signal, waiting }), {
      name: "AbortError",
    });
    assert.deepEqual(waits, [seconds]);
  }
});

test("a service that is busy for ever is tried twelve times", async (t) => {
  const sent = answering(t, busy());
  await assert.rejects(new Api().estimate(BODY, ONE), {
    code: "queue_full",
    status: 429,
    message: "Too much is waiting.",
  });
  assert.equal(sent.length, 12);
});

test("other refusals are final, with their sentence", async (t) => {
  const sent = answering(t, json({ code: "too_large", detail: "x is large" }, { status: 413 }));
  const error = await new Api().estimate(BODY, ONE).catch((reason) => reason);
  assert.ok(error instanceof Refusal);
  assert.deepEqual(
    [error.code, error.status, error.message, sent.length],
    ["too_large", 413, "x is large.", 1],
  );
});

test("an answer that is no problem document has a status at least", async (t) => {
  answering(t, () => new Response("<h1>proxy</h1>", { status: 502 }));
  await assert.rejects(new Api().limits(), {
    code: "unknown",
    status: 502,
    message: "The service answered HTTP 502.",
  });
});

test("a service that is gone is a refusal, an end that was wanted is not", async (t) => {
  answering(t, new TypeError("fetch failed"));
  await assert.rejects(new Api().limits(), { code: "unreachable", status: 0 });
  await assert.rejects(new Api().limits(AbortSignal.abort()), TypeError);
});
