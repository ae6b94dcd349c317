/**
 * Client of the Offload job system.
 *
 *     const offload = new Client("https://offload.example", key);
 *     const file = await offload.upload(blob, "scan.pdf");
 *     const job = await offload.submit("pdf-ocr", { file_id: file.file_id });
 *     for await (const status of job.updates()) console.log(status.progress, status.message);
 *     console.log(await job.text("text.txt"));
 */

export { Client, type WorkflowInput } from "./client.js";
export * from "./errors.js";
export type { Following } from "./events.js";
export type { ClientOptions } from "./http.js";
export { Job } from "./job.js";
export * from "./models.js";
export { verifyWebhook, type WebhookMessage } from "./webhooks.js";
