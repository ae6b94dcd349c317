// The parts of the client that need no server.
import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";

const { CLIENT: client, SIGNED: signedMessage } = process.env;
const { parseEvents } = await import(join(client, "sse.js"));
const { pagesOf, sizeOf, wordsFor } = await import(join(client, "element-words.js"));
const { BadSignature, verifyWebhook } = await import(join(client, "index.js"));

async function eventsOf(...chunks) {
  const found = [];
  const body = new ReadableStream({
    start(controller) {
      for (const chunk of chunks) controller.enqueue(typeof chunk === "string" ? new TextEncoder().encode(chunk) : chunk);
      controller.close();
    },
  });
  for await (const event of parseEvents(body, 60_000)) found.push(event);
  return found;
}

test("events end where the standard ends them, however they are cut", async () => {
  const whole = "retry: 1000\r\n\r\nid: 1\r\nevent: status\r\ndata: {\"a\":\r\ndata: \"ü\"}\r\n\r\n: no change\n\nid:2\ndata:x\n\n";
  const wanted = [
    { type: "status", data: '{"a":\n"ü"}', id: "1" },
    { type: "message", data: "x", id: "2" },
  ];
  assert.deepEqual(await eventsOf(whole), wanted);
  assert.deepEqual(await eventsOf(...[...new TextEncoder().encode(whole)].map((byte) => Uint8Array.of(byte))), wanted);
  assert.deepEqual(await eventsOf("data: cut off\n"), []);
});

test("a stream that falls silent is an error", async () => {
  const never = new ReadableStream({ pull: () => new Promise(() => undefined) });
  await assert.rejects(parseEvents(never, 10).next(), /nothing came/);
});

test("a webhook that the server's own library has signed", async () => {
  const { secret, headers, body } = JSON.parse(signedMessage);
  assert.deepEqual(await verifyWebhook(secret, headers, body), JSON.parse(body));
  assert.deepEqual(await verifyWebhook(secret, new Headers(headers), new TextEncoder().encode(body)), JSON.parse(body));
  const rotated = { ...headers, "webhook-signature": `v1,${btoa("x")} v2,abc ${headers["webhook-signature"]}` };
  assert.ok(await verifyWebhook(secret, rotated, body));
  const old = { ...headers, "webhook-timestamp": String(Number(headers["webhook-timestamp"]) - 600) };
  const cases = [
    [secret, headers, `${body} `],
    ["whsec_AAAA", headers, body],
    ["whsec_ä", headers, body],
    [secret, old, body],
    [secret, {}, body],
    [secret, { ...headers, "webhook-timestamp": "1e99" }, body],
    [secret, { ...headers, "webhook-signature": "v1," }, body],
  ];
  for (const given of cases) await assert.rejects(verifyWebhook(...given), BadSignature);
});

test("words of the element", () => {
  const [english, german] = [wordsFor("fr"), wordsFor("de-AT")];
  assert.deepEqual(Object.keys(english.states), Object.keys(german.states));
  assert.equal(wordsFor("den"), english);
  assert.equal(pagesOf({ data: { pages_processed: 1, total_pages: 2 } }, german), "Seite 1 von 2");
  assert.equal(pagesOf({ data: {} }, german), null);
  assert.deepEqual([999, 1500, 123_456, 5e12].map((n) => sizeOf(n, german)), ["999 B", "1,5 kB", "123 kB", "5000 GB"]);
});

test("the element's module can be imported where there are no elements", async () => {
  assert.equal(typeof (await import(join(client, "offload-client.js"))).OffloadProgress, "function");
});
