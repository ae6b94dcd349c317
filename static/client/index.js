/**
 * Client of the Offload job system.
 *
 *     const offload = new Client("https://offload.example", key);
 *     const file = await offload.upload(blob, "scan.pdf");
 *     const job = await offload.submit("pdf-ocr", { file_id: file.file_id });
 *     for await (const status of job.updates()) console.log(status.progress, status.message);
 *     console.log(await job.text("text.txt"));
 */
export { Client } from "./client.js";
export * from "./errors.js";
export { Job } from "./job.js";
export * from "./models.js";
export { verifyWebhook } from "./webhooks.js";
