// BullMQ's queues and Bull Board over them: `node board.mjs fill`, which makes one job of each state in each queue,
// and `node board.mjs serve 8080`.
import { createBullBoard } from "@bull-board/api";
import { BullMQAdapter } from "@bull-board/api/bullMQAdapter";
import { ExpressAdapter } from "@bull-board/express";
import { Queue, QueueEvents, Worker } from "bullmq";
import express from "express";

const { hostname: host, port } = new URL(process.env.BENCH_URL ?? "redis://127.0.0.1:6379");
const connection = { host, port: Number(port), maxRetriesPerRequest: null };
const names = ["pdf-processing", "email-sender", "csv-export", "thumbnails"];
const data = { file_id: "file-0123456789abcdef" };

async function fill() {
  for (const name of names) {
    const queue = new Queue(name, { connection });
    const events = new QueueEvents(name, { connection });
    await events.waitUntilReady();
    const worker = new Worker(
      name,
      async (job) => {
        if (job.name === "failed") throw new Error("This PDF is encrypted: it opens only with a password.");
        return { pages: 12 };
      },
      { connection },
    );
    for (const state of ["completed", "failed"]) {
      const job = await queue.add(state, data, { jobId: `${state}-000000000000` });
      await job.waitUntilFinished(events).catch(() => undefined);
    }
    await worker.close();
    await queue.add("queued", data, { jobId: "queued-000000000000" });
    await Promise.all([events.close(), queue.close()]);
  }
}

function serve(listen) {
  const adapter = new ExpressAdapter();
  adapter.setBasePath("/board");
  const queues = names.map((name) => new BullMQAdapter(new Queue(name, { connection })));
  createBullBoard({ queues, serverAdapter: adapter });
  express().use("/board", adapter.getRouter()).listen(listen, "127.0.0.1");
}

if (process.argv[2] === "fill") await fill();
else serve(Number(process.argv[3]));
