/** A job by its id. */
import { JobFailed } from "./errors.js";
import { follow } from "./events.js";
/** A job by its id. `accepted` is the answer to its submission, null for a handle made by id. */
export class Job {
    id;
    accepted;
    #http;
    #path;
    constructor(http, id, accepted = null) {
        this.id = id;
        this.accepted = accepted;
        this.#http = http;
        this.#path = `/api/jobs/${encodeURIComponent(id)}`;
    }
    /** Its state now. */
    status() {
        return this.#http.json(this.#get("/status"));
    }
    /** Everything that is known: payload, attempts, result, files, parts. */
    detail() {
        return this.#http.json(this.#get(""));
    }
    /** Its status now and at each change, until it has ended: `for await (const status of job.updates())`. */
    updates(options = {}) {
        return follow(this.#http, this.id, options);
    }
    /** Its last status, once it has completed. Throws JobFailed where it ended otherwise, and WaitTimeout. */
    async wait(options = {}) {
        let last;
        for await (const status of this.updates(options))
            last = status;
        if (last?.status === "completed")
            return last;
        throw new JobFailed(last ?? (await this.status()));
    }
    /** Queue it again, failed or cancelled as it is. */
    retry() {
        return this.#http.json({ method: "POST", path: `${this.#path}/retry`, safe: false });
    }
    /** Stop it. */
    cancel() {
        return this.#http.json({ method: "POST", path: `${this.#path}/cancel`, safe: false });
    }
    /** Remove the ended job and its files. */
    delete() {
        return this.#http.json({ method: "DELETE", path: this.#path, safe: false });
    }
    /** Permission for a browser to read this job, and the address of its page. Default: 60 minutes. */
    async ticket(minutes) {
        const json = minutes === undefined ? {} : { minutes };
        const made = await this.#http.json({ method: "POST", path: `${this.#path}/ticket`, json, safe: true });
        const whole = (path) => new URL(path, this.#http.baseUrl + "/").href;
        return { ...made, status_url: whole(made.status_url), page_url: whole(made.page_url) };
    }
    /** One of its files as a stream, for what does not fit into memory. */
    async download(name) {
        const response = await this.#http.open(this.#get(`/files/${encodeURIComponent(name)}`));
        return response.body ?? new Blob([]).stream();
    }
    /** One of its files. */
    read(name) {
        const call = this.#get(`/files/${encodeURIComponent(name)}`);
        return this.#http.send(call, async (response) => new Uint8Array(await response.arrayBuffer()));
    }
    /** One of its files as text. */
    async text(name) {
        return new TextDecoder().decode(await this.read(name));
    }
    /** Address of one of its files for a link in a page. Throws for a client that holds an API key: a link would give it away. */
    fileUrl(name) {
        const ticket = this.#http.credential;
        if (!ticket.startsWith("ticket_"))
            throw new TypeError("A link takes a ticket, never an API key: see Job.ticket().");
        return this.#http.url(`${this.#path}/files/${encodeURIComponent(name)}`, { ticket });
    }
    #get(path) {
        return { method: "GET", path: this.#path + path, safe: true };
    }
}
