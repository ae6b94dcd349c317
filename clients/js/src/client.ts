/** The verbs of the API. */

import { type ApiError, errorFor } from "./errors.js";
import { type ClientOptions, Http } from "./http.js";
import { Job } from "./job.js";
import type {
  Accepted, BatchAnswer, BatchJob, File, JobPage, JobSummary, JobType, Payload, Webhook, WebhookMade, Workflow,
  WorkflowAccepted, WorkflowRequest,
} from "./models.js";
import { webCrypto } from "./webhooks.js";

/** Jobs of one request to /api/jobs/batch. */
const BULK = 1000;

/** Jobs of one page of a list. */
const PAGE = 200;

type Given<T> = Partial<T> & { type: string; payload: Record<string, unknown> };

export class Client {
  readonly #http: Http;

  /** `credential` is an API key on a server, and a ticket in a browser, where a key would be everybody's. */
  constructor(baseUrl: string, credential: string, options: ClientOptions = {}) {
    this.#http = new Http(baseUrl, credential, options);
  }

  /** Upload a file. Repeated as a whole where the connection breaks. In Node: `await openAsBlob(path)`, and a name. */
  upload(file: Blob, name?: string): Promise<File> {
    const form = new FormData();
    form.append("file", file, name ?? ("name" in file && typeof file.name === "string" ? file.name : "document"));
    const timeoutMs = this.#http.uploadTimeoutMs;
    return this.#http.json({ method: "POST", path: "/api/files", body: form, safe: true, timeoutMs });
  }

  /** Metadata of a document. */
  file(fileId: string): Promise<File> {
    return this.#http.json({ method: "GET", path: `/api/files/${encodeURIComponent(fileId)}`, safe: true });
  }

  /**
   * Queue a job. `payload` also takes the terms of any job, such as `priority`, `schedule_at` and `callback_url`.
   * Without a key of the caller's one is made, so that a repetition after a lost answer is the same job.
   */
  async submit<T extends JobType | (string & {})>(type: T, payload: Payload<T>, idempotencyKey?: string): Promise<Job> {
    const path = `/api/jobs/${encodeURIComponent(type)}`;
    const headers = { "Idempotency-Key": idempotencyKey ?? (await madeKey()) };
    const accepted = await this.#http.json<Accepted>({ method: "POST", path, json: payload, headers, safe: true });
    return new Job(this.#http, accepted.job_id, accepted);
  }

  /**
   * Queue many jobs, `{type, payload, …}` each, in requests of up to 1,000: a job or its error for each, in order.
   * `allOrNothing` holds for each request of 1,000.
   */
  async submitMany(jobs: readonly Given<BatchJob>[], allOrNothing = false): Promise<(Job | ApiError)[]> {
    const results: (Job | ApiError)[] = [];
    for (let start = 0; start < jobs.length; start += BULK) {
      const keyed = jobs.slice(start, start + BULK).map(async (job) => ({ idempotency_key: await madeKey(), ...job }));
      const json = { jobs: await Promise.all(keyed), all_or_nothing: allOrNothing };
      const path = "/api/jobs/batch";
      const answer = await this.#http.json<{ jobs: BatchAnswer[] }>({ method: "POST", path, json, safe: true });
      results.push(...answer.jobs.map((one) => this.#result(one)));
    }
    return results;
  }

  /** A handle for a job by its id, without a request. */
  job(jobId: string): Job {
    return new Job(this.#http, jobId);
  }

  /** Jobs, newest first; pages are read as they are needed. */
  async *jobs(
    filters: { queue?: string; status?: string; type?: string; limit?: number } = {},
  ): AsyncGenerator<JobSummary, void, void> {
    const { limit = Infinity, ...query } = filters;
    let cursor: string | null = null;
    for (let left = limit; left > 0; ) {
      const asked = { ...query, limit: Math.min(PAGE, left), cursor };
      const page: JobPage = await this.#http.json({ method: "GET", path: "/api/jobs", query: asked, safe: true });
      yield* page.jobs;
      cursor = page.next_cursor;
      if (cursor === null) return;
      left -= page.jobs.length;
    }
  }

  /** Queue jobs that come after each other: all of them or none. */
  async createWorkflow(workflow: WorkflowInput, idempotencyKey?: string): Promise<WorkflowAccepted> {
    const headers = { "Idempotency-Key": idempotencyKey ?? (await madeKey()) };
    return this.#http.json({ method: "POST", path: "/api/workflows", json: workflow, headers, safe: true });
  }

  /** State of a workflow and of each of its jobs. */
  workflow(workflowId: string): Promise<Workflow> {
    return this.#http.json({ method: "GET", path: `/api/workflows/${encodeURIComponent(workflowId)}`, safe: true });
  }

  /** Stop those jobs of a workflow that have not ended. */
  cancelWorkflow(workflowId: string): Promise<Workflow> {
    const path = `/api/workflows/${encodeURIComponent(workflowId)}/cancel`;
    return this.#http.json({ method: "POST", path, safe: false });
  }

  /** Have a URL told of `events`, such as job.completed. Keep the secret: it verifies the messages. */
  createWebhook(url: string, events: readonly string[]): Promise<WebhookMade> {
    return this.#http.json({ method: "POST", path: "/api/webhooks", json: { url, events }, safe: false });
  }

  /** The owner's webhooks, oldest first. */
  async webhooks(): Promise<Webhook[]> {
    const path = "/api/webhooks";
    return (await this.#http.json<{ webhooks: Webhook[] }>({ method: "GET", path, safe: true })).webhooks;
  }

  /** Have a message of the type webhook.test sent. */
  async testWebhook(webhookId: string): Promise<void> {
    const path = `/api/webhooks/${encodeURIComponent(webhookId)}/test`;
    await this.#http.json({ method: "POST", path, safe: false });
  }

  /** Remove a webhook. */
  deleteWebhook(webhookId: string): Promise<void> {
    return this.#http.json({ method: "DELETE", path: `/api/webhooks/${encodeURIComponent(webhookId)}`, safe: false });
  }

  /** The secret that verifies calls of `callback_url`s. */
  async callbackSecret(): Promise<string> {
    const path = "/api/webhooks/callback-secret";
    return (await this.#http.json<{ secret: string }>({ method: "GET", path, safe: true })).secret;
  }

  #result(answer: BatchAnswer): Job | ApiError {
    if (answer.job_id) return new Job(this.#http, answer.job_id, answer as Accepted);
    return errorFor(answer.status_code ?? 500, answer.detail ?? "", answer.errors ?? []);
  }
}

/** A workflow as it is asked for. */
export type WorkflowInput = Partial<Omit<WorkflowRequest, "jobs">> & {
  jobs: (Partial<WorkflowRequest["jobs"][number]> & { name: string; type: string; payload: Record<string, unknown> })[];
};

/** A key that no other request has. */
async function madeKey(): Promise<string> {
  const bytes = (await webCrypto()).getRandomValues(new Uint8Array(16));
  return `auto-${Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("")}`;
}
