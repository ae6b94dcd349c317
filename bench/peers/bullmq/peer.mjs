// BullMQ with 100 jobs at once, none kept: `node peer.mjs worker`, or as client what bench/harness/client.py takes.
import { existsSync, openSync, writeSync } from "node:fs";
import { setTimeout as pause } from "node:timers/promises";
import { Queue, Worker } from "bullmq";

const address = new URL(process.env.BENCH_URL);
const connection = { host: address.hostname, port: Number(address.port), password: address.password || undefined };
const BEGUN = -1n;
const ENDED = -2n;
const BULK = 1000;

function stamper() {
  const file = openSync(process.env.BENCH_STAMPS, "a");
  return (enqueuedNs) => {
    const row = Buffer.alloc(16);
    row.writeBigInt64LE(enqueuedNs, 0);
    row.writeBigInt64LE(process.hrtime.bigint(), 8);
    writeSync(file, row);
  };
}

function work() {
  const stamp = stamper();
  const run = async (job) => {
    if (job.name === "noop") return stamp(BigInt(job.data.enqueuedNs));
    stamp(BEGUN);
    await pause(job.data.seconds * 1000);
    stamp(ENDED);
  };
  const kept = { removeOnComplete: { count: 0 }, removeOnFail: { count: 0 } };
  // Without a listener an error of the connection would end the process.
  new Worker("bench", run, { connection, concurrency: 100, ...kept }).on("error", () => {});
}

async function pickup(queue, count, pauseS) {
  for (let i = 0; i < count; i += 1) {
    await queue.add("noop", { enqueuedNs: String(process.hrtime.bigint()) });
    await pause(pauseS * 1000);
  }
}

async function fill(queue, count, form) {
  const begunNs = process.hrtime.bigint();
  const job = { name: "noop", data: { enqueuedNs: "0" } };
  if (form === "bulk") {
    for (let i = 0; i < count; i += BULK) await queue.addBulk(Array(Math.min(BULK, count - i)).fill(job));
  } else {
    for (let i = 0; i < count; i += 1) await queue.add(job.name, job.data);
  }
  console.log(Number(process.hrtime.bigint() - begunNs) / 1e9);
}

async function act([order, ...rest]) {
  if (order === "after") {
    while (!existsSync(rest[0])) await pause(5);
    return act(rest.slice(1));
  }
  const queue = new Queue("bench", { connection });
  await queue.waitUntilReady();
  if (order === "pickup") await pickup(queue, Number(rest[0]), Number(rest[1]));
  else if (order === "long") await queue.add("busy", { seconds: Number(rest[0]) });
  else await fill(queue, Number(rest[0]), rest[1]);
  return queue.close();
}

if (process.argv[2] === "worker") work();
else await act(process.argv.slice(2));
