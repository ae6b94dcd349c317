/** A job by its id. */

import { JobFailed } from "./errors.js";
import { type Following, follow } from "./events.js";
import type { Call, Http } from "./http.js";
import type { Accepted, JobDetail, Status, Ticket } from "./models.js";

/** A job by its id. `accepted` is the answer to its submission, null for a handle made by id. */
export class Job {
  readonly #http: Http;
  readonly #path: string;

  constructor(http: Http, readonly id: string, readonly accepted: Accepted | null = null) {
    this.#http = http;
    this.#path = `/api/jobs/${encodeURIComponent(id)}`;
  }

  /** Its state now. */
  status(): Promise<Status> {
    return this.#http.json(this.#get("/status"));
  }

  /** Everything that is known: payload, attempts, result, files, parts. */
  detail(): Promise<JobDetail> {
    return this.#http.json(this.#get(""));
  }

  /** Its status now and at each change, until it has ended: `for await (const status of job.updates())`. */
  updates(options: Following = {}): AsyncGenerator<Status, void, void> {
    return follow(this.#http, this.id, options);
  }

  /** Its last status, once it has completed. Throws JobFailed where it ended otherwise, and WaitTimeout. */
  async wait(options: Following = {}): Promise<Status> {
    let last: Status | undefined;
    for await (const status of this.updates(options)) last = status;
    if (last?.status === "completed") return last;
    throw new JobFailed(last ?? (await this.status()));
  }

  /** Queue it again, failed or cancelled as it is. */
  retry(): Promise<Status> {
    return this.#http.json({ method: "POST", path: `${this.#path}/retry`, safe: false });
  }

  /** Stop it. */
  cancel(): Promise<Status> {
    return this.#http.json({ method: "POST", path: `${this.#path}/cancel`, safe: false });
  }

  /** Remove the ended job and its files. */
  delete(): Promise<void> {
    return this.#http.json({ method: "DELETE", path: this.#path, safe: false });
  }

  /** Permission for a browser to read this job, and the address of its page. Default: 60 minutes. */
  async ticket(minutes?: number): Promise<Ticket> {
    const json = minutes === undefined ? {} : { minutes };
    const made = await this.#http.json<Ticket>({ method: "POST", path: `${this.#path}/ticket`, json, safe: true });
    const whole = (path: string) => new URL(path, this.#http.baseUrl + "/").href;
    return { ...made, status_url: whole(made.status_url), page_url: whole(made.page_url) };
  }

  /** One of its files as a stream, for what does not fit into memory. */
  async download(name: string): Promise<ReadableStream<Uint8Array>> {
    const response = await this.#http.open(this.#get(`/files/${encodeURIComponent(name)}`));
    return response.body ?? new Blob([]).stream();
  }

  /** One of its files. */
  read(name: string): Promise<Uint8Array> {
    const call = this.#get(`/files/${encodeURIComponent(name)}`);
    return this.#http.send(call, async (response) => new Uint8Array(await response.arrayBuffer()));
  }

  /** One of its files as text. */
  async text(name: string): Promise<string> {
    return new TextDecoder().decode(await this.read(name));
  }

  /** Address of one of its files for a link in a page. Throws for a client that holds an API key: a link would give it away. */
  fileUrl(name: string): string {
    const ticket = this.#http.credential;
    if (!ticket.startsWith("ticket_")) throw new TypeError("A link takes a ticket, never an API key: see Job.ticket().");
    return this.#http.url(`${this.#path}/files/${encodeURIComponent(name)}`, { ticket });
  }

  #get(path: string): Call {
    return { method: "GET", path: this.#path + path, safe: true };
  }
}
