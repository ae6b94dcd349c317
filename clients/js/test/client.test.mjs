// The client against the real server. tests/clients/test_js_client.py starts it, and does the jobs' work meanwhile.
import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";

const { URL: url, KEY: key, OTHER_KEY: otherKey, SEEN: seenFolder, CLIENT: client } = process.env;
const {
  BadRequest, Client, Conflict, Job, JobFailed, NotAllowed, NotFound, ServerError, TooMany, Unreachable, WaitTimeout,
} = await import(join(client, "index.js"));

const offload = new Client(url, key);
const EXPORT = { dataset: "users", format: "csv" };
const PDF = Buffer.from(process.env.PDF, "base64");

async function scan(name) {
  const file = await offload.upload(new Blob([PDF]), name);
  assert.deepEqual([file.name, file.pages, file.media_type], [name, 2, "application/pdf"]);
  assert.deepEqual(await offload.file(file.file_id), file);
  return file.file_id;
}

test("a document from upload to text", async () => {
  const job = await offload.submit("pdf-ocr", { file_id: await scan("räum.pdf"), priority: "high" });
  assert.ok(job.accepted.estimated_seconds > 0);
  const progress = [];
  for await (const status of job.updates({ timeoutMs: 60_000 })) {
    progress.push(status.progress);
    // The worker goes on when this is there: that 50 % was seen is no accident.
    if (status.progress === 50) await writeFile(join(seenFolder, job.id), "");
  }
  assert.deepEqual(progress, [...progress].sort((a, b) => a - b));
  assert.ok(progress.includes(50) && progress.at(-1) === 100);
  assert.equal((await job.wait()).status, "completed");
  assert.equal(await job.text("text.txt"), "read");
  const chunks = [];
  for await (const chunk of await job.download("text.txt")) chunks.push(chunk);
  assert.equal(Buffer.concat(chunks).toString(), "read");
  const detail = await job.detail();
  assert.deepEqual([detail.type, detail.priority, detail.attempts[0].outcome], ["pdf-ocr", "high", "completed"]);
  const listed = [];
  for await (const one of offload.jobs({ type: "pdf-ocr", status: "completed", limit: 1 })) listed.push(one.id);
  assert.deepEqual(listed, [job.id]);
});

test("a failure is an error with the job's last status", async () => {
  const job = await offload.submit("pdf-ocr", { file_id: await scan("blank.pdf") });
  await assert.rejects(job.wait({ timeoutMs: 60_000 }), (error) => {
    assert.ok(error instanceof JobFailed && error.status.status === "failed");
    assert.match(error.message, /the page is blank/);
    return true;
  });
});

test("errors carry the server's words", async () => {
  const wrong = { ...EXPORT, format: "xml" };
  await assert.rejects(offload.submit("csv-export", wrong), (error) => {
    assert.ok(error instanceof BadRequest && error.statusCode === 400);
    assert.deepEqual(error.errors, [{ field: "format", message: "format must be csv or xlsx." }]);
    return error.name === "BadRequest";
  });
  await assert.rejects(offload.job("csv-export-nope").status(), NotFound);
  await assert.rejects(offload.job("csv-export-nope").wait(), NotFound);
  await offload.submit("csv-export", EXPORT, "one");
  await assert.rejects(offload.submit("csv-export", { ...EXPORT, format: "xlsx" }, "one"), Conflict);
  const job = await offload.submit("csv-export", EXPORT);
  await assert.rejects(new Client(url, otherKey).job(job.id).status(), NotFound);
  await assert.rejects(new Client(url, "no-such-key").job(job.id).status(), NotAllowed);
  await assert.rejects(new Client(url, "no-such-key").job(job.id).wait(), NotAllowed);
  assert.equal((await job.cancel()).status, "cancelled");
  await assert.rejects(job.wait(), JobFailed);
  await assert.rejects(job.read("export.csv"), NotFound);
  await job.delete();
  await assert.rejects(job.status(), NotFound);
  await assert.rejects(offload.upload(new Blob([]), "empty.pdf"), /empty/);
});

test("many jobs in few requests", async () => {
  const good = { type: "csv-export", payload: EXPORT };
  const wrong = { type: "csv-export", payload: { ...EXPORT, format: "xml" } };
  const [first, refused, last] = await offload.submitMany([good, wrong, good]);
  assert.ok(refused instanceof BadRequest && refused.errors[0].field === "format");
  assert.ok(first instanceof Job && last instanceof Job && first.id !== last.id);
  await assert.rejects(offload.submitMany([good, wrong], true), BadRequest);
});

test("a wait that is too short leaves the job alone", async () => {
  const job = await offload.submit("csv-export", EXPORT);
  await assert.rejects(job.wait({ timeoutMs: 200 }), WaitTimeout);
  const why = new Error("the page was left");
  const control = new AbortController();
  const waiting = assert.rejects(job.wait({ signal: control.signal }), why);
  control.abort(why);
  await waiting;
  for await (const status of job.updates()) {
    assert.equal(status.status, "queued");
    break;
  }
});

test("a submission whose answer is lost is one job", async () => {
  const requests = [];
  const lossy = async (...given) => {
    requests.push(given[1].headers["Idempotency-Key"]);
    if (requests.length === 2) return new Response("", { status: 503, headers: { "Retry-After": "0" } });
    const response = await fetch(...given);
    if (requests.length === 1) {
      // Or node keeps the connection, and itself, for five minutes: an answer that no one reads might yet be read.
      await response.body.cancel();
      throw new TypeError("connection lost");
    }
    return response;
  };
  const job = await new Client(url, key, { fetch: lossy }).submit("csv-export", EXPORT);
  assert.equal(requests.length, 3);
  assert.equal(new Set(requests).size, 1);
  const again = await offload.submit("csv-export", EXPORT, requests[0]);
  assert.equal(again.id, job.id);
});

test("what is not safe is sent once, and Retry-After is honoured as seconds and as a date", async () => {
  let calls = 0;
  const busy = (header) => async () => {
    calls += 1;
    return Response.json({ detail: "Too many." }, { status: 429, headers: header });
  };
  const asked = new Client(url, key, { fetch: busy({ "Retry-After": "7" }), retries: 0 });
  await assert.rejects(asked.job("x").cancel(), (error) => error instanceof TooMany && error.retryAfterMs === 7000);
  assert.equal(calls, 1);
  const at = new Date(Date.now() + 60_000).toUTCString();
  await assert.rejects(
    new Client(url, key, { fetch: busy({ "Retry-After": at }) }).job("x").cancel(),
    (error) => error.retryAfterMs > 0 && error.retryAfterMs <= 60_000,
  );
  assert.equal(calls, 2);
});

test("an event stream that breaks goes on where it was, without telling a status twice", async () => {
  const job = await offload.submit("pdf-ocr", { file_id: await scan("räum.pdf") });
  const asked = [];
  const breaking = async (...given) => {
    const response = await fetch(...given);
    if (!given[0].endsWith("/events")) return response;
    asked.push(given[1].headers["Last-Event-ID"]);
    if (asked.length > 1) return response;
    const reader = response.body.getReader();
    // One event and then a broken connection.
    let text = "";
    const body = new ReadableStream({
      async pull(controller) {
        const { value } = await reader.read();
        text += new TextDecoder().decode(value);
        controller.enqueue(value);
        if (text.includes("event: status")) {
          await reader.cancel();
          controller.error(new TypeError("connection reset"));
        }
      },
    });
    return new Response(body, { headers: response.headers });
  };
  const connection = [];
  const seen = [];
  const following = new Client(url, key, { fetch: breaking }).job(job.id);
  for await (const status of following.updates({ onConnection: (error) => connection.push(error?.name ?? null) })) {
    seen.push(JSON.stringify([status.status, status.progress, status.message]));
    await writeFile(join(seenFolder, job.id), "");
  }
  assert.ok(asked.length >= 2 && asked[0] === undefined && /^[0-9a-f]{8}$/.test(asked[1]));
  assert.ok(connection.includes("Unreachable") && connection.at(-1) === null);
  assert.equal(new Set(seen).size, seen.length);
});

test("a server that is not there, and one that talks of something else", async () => {
  const nowhere = new Client(process.env.NOWHERE, key, { retries: 1 });
  await assert.rejects(nowhere.job("x").status(), (error) => {
    assert.ok(error instanceof Unreachable);
    return error.message.includes(process.env.NOWHERE);
  });
  await assert.rejects(nowhere.job("x").wait(), Unreachable);
  const page = new Client(url, key, { fetch: async () => new Response("<html>") });
  await assert.rejects(page.job("x").status(), ServerError);
  const hanging = (_, { signal }) => new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason)));
  await assert.rejects(new Client(url, key, { fetch: hanging, timeoutMs: 20, retries: 1 }).job("x").status(), Unreachable);
  assert.throws(() => new Client("offload.example", key), TypeError);
});

test("a ticket reads its job, and links to its files", async () => {
  const job = await offload.submit("csv-export", EXPORT);
  const ticket = await job.ticket(5);
  assert.equal((await (await fetch(ticket.status_url)).json()).id, job.id);
  assert.ok(ticket.page_url.startsWith(`${url}/j/ticket_`));
  const reader = new Client(url, ticket.ticket).job(job.id);
  assert.equal((await reader.status()).status, "queued");
  assert.ok(reader.fileUrl("a b.csv").includes("/files/a%20b.csv?ticket="));
  assert.throws(() => job.fileUrl("export.csv"), /never an API key/);
  await assert.rejects(reader.cancel(), NotAllowed);
});

test("workflows", async () => {
  const made = await offload.createWorkflow({
    jobs: [
      { name: "first", type: "csv-export", payload: EXPORT },
      { name: "then", type: "csv-export", payload: EXPORT, after: ["first"] },
    ],
  });
  const workflow = await offload.workflow(made.workflow_id);
  assert.deepEqual(workflow.jobs.then.after, ["first"]);
  assert.equal((await offload.cancelWorkflow(made.workflow_id)).workflow_id, made.workflow_id);
});

test("webhooks", async () => {
  const made = await offload.createWebhook("https://8.8.8.8/hook", ["job.failed"]);
  assert.match(made.secret, /^whsec_/);
  const [listed] = await offload.webhooks();
  assert.deepEqual([listed.webhook_id, listed.events], [made.webhook_id, ["job.failed"]]);
  await offload.testWebhook(made.webhook_id);
  assert.match(await offload.callbackSecret(), /^whsec_/);
  await offload.deleteWebhook(made.webhook_id);
  assert.deepEqual(await offload.webhooks(), []);
});
