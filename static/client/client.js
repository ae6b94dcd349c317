/** The verbs of the API. */
import { errorFor } from "./errors.js";
import { Http } from "./http.js";
import { Job } from "./job.js";
import { webCrypto } from "./webhooks.js";
/** Jobs of one request to /api/jobs/batch. */
const BULK = 1000;
/** Jobs of one page of a list. */
const PAGE = 200;
export class Client {
    #http;
    /** `credential` is an API key on a server, and a ticket in a browser, where a key would be everybody's. */
    constructor(baseUrl, credential, options = {}) {
        this.#http = new Http(baseUrl, credential, options);
    }
    /** Upload a file. Repeated as a whole where the connection breaks. In Node: `await openAsBlob(path)`, and a name. */
    upload(file, name) {
        const form = new FormData();
        form.append("file", file, name ?? ("name" in file && typeof file.name === "string" ? file.name : "document"));
        const timeoutMs = this.#http.uploadTimeoutMs;
        return this.#http.json({ method: "POST", path: "/api/files", body: form, safe: true, timeoutMs });
    }
    /** Metadata of a document. */
    file(fileId) {
        return this.#http.json({ method: "GET", path: `/api/files/${encodeURIComponent(fileId)}`, safe: true });
    }
    /**
     * Queue a job. `payload` also takes the terms of any job, such as `priority`, `schedule_at` and `callback_url`.
     * Without a key of the caller's one is made, so that a repetition after a lost answer is the same job.
     */
    async submit(type, payload, idempotencyKey) {
        const path = `/api/jobs/${encodeURIComponent(type)}`;
        const headers = { "Idempotency-Key": idempotencyKey ?? (await madeKey()) };
        const accepted = await this.#http.json({ method: "POST", path, json: payload, headers, safe: true });
        return new Job(this.#http, accepted.job_id, accepted);
    }
    /**
     * Queue many jobs, `{type, payload, …}` each, in requests of up to 1,000: a job or its error for each, in order.
     * `allOrNothing` holds for each request of 1,000.
     */
    async submitMany(jobs, allOrNothing = false) {
        const results = [];
        for (let start = 0; start < jobs.length; start += BULK) {
            const keyed = jobs.slice(start, start + BULK).map(async (job) => ({ idempotency_key: await madeKey(), ...job }));
            const json = { jobs: await Promise.all(keyed), all_or_nothing: allOrNothing };
            const path = "/api/jobs/batch";
            const answer = await this.#http.json({ method: "POST", path, json, safe: true });
            results.push(...answer.jobs.map((one) => this.#result(one)));
        }
        return results;
    }
    /** A handle for a job by its id, without a request. */
    job(jobId) {
        return new Job(this.#http, jobId);
    }
    /** Jobs, newest first; pages are read as they are needed. */
    async *jobs(filters = {}) {
        const { limit = Infinity, ...query } = filters;
        let cursor = null;
        for (let left = limit; left > 0;) {
            const asked = { ...query, limit: Math.min(PAGE, left), cursor };
            const page = await this.#http.json({ method: "GET", path: "/api/jobs", query: asked, safe: true });
            yield* page.jobs;
            cursor = page.next_cursor;
            if (cursor === null)
                return;
            left -= page.jobs.length;
        }
    }
    /** Queue jobs that come after each other: all of them or none. */
    async createWorkflow(workflow, idempotencyKey) {
        const headers = { "Idempotency-Key": idempotencyKey ?? (await madeKey()) };
        return this.#http.json({ method: "POST", path: "/api/workflows", json: workflow, headers, safe: true });
    }
    /** State of a workflow and of each of its jobs. */
    workflow(workflowId) {
        return this.#http.json({ method: "GET", path: `/api/workflows/${encodeURIComponent(workflowId)}`, safe: true });
    }
    /** Stop those jobs of a workflow that have not ended. */
    cancelWorkflow(workflowId) {
        const path = `/api/workflows/${encodeURIComponent(workflowId)}/cancel`;
        return this.#http.json({ method: "POST", path, safe: false });
    }
    /** Have a URL told of `events`, such as job.completed. Keep the secret: it verifies the messages. */
    createWebhook(url, events) {
        return this.#http.json({ method: "POST", path: "/api/webhooks", json: { url, events }, safe: false });
    }
    /** The owner's webhooks, oldest first. */
    async webhooks() {
        const path = "/api/webhooks";
        return (await this.#http.json({ method: "GET", path, safe: true })).webhooks;
    }
    /** Have a message of the type webhook.test sent. */
    async testWebhook(webhookId) {
        const path = `/api/webhooks/${encodeURIComponent(webhookId)}/test`;
        await this.#http.json({ method: "POST", path, safe: false });
    }
    /** Remove a webhook. */
    deleteWebhook(webhookId) {
        return this.#http.json({ method: "DELETE", path: `/api/webhooks/${encodeURIComponent(webhookId)}`, safe: false });
    }
    /** The secret that verifies calls of `callback_url`s. */
    async callbackSecret() {
        const path = "/api/webhooks/callback-secret";
        return (await this.#http.json({ method: "GET", path, safe: true })).secret;
    }
    #result(answer) {
        if (answer.job_id)
            return new Job(this.#http, answer.job_id, answer);
        return errorFor(answer.status_code ?? 500, answer.detail ?? "", answer.errors ?? []);
    }
}
/** A key that no other request has. */
async function madeKey() {
    const bytes = (await webCrypto()).getRandomValues(new Uint8Array(16));
    return `auto-${Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("")}`;
}
