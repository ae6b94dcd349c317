/**
 * `<offload-progress job="pdf-ocr-…" ticket="ticket_…">`: the bar of one job, and links to its results at its end.
 *
 * Attributes: `job`, `ticket`; `server` (default: where this script comes from); `label` (what the bar is of, for those who
 * cannot see it); `files` (names to link, separated by commas; default: all); `lang`.
 * Events, which bubble: `offload-update` and `offload-end` with the status object, `offload-error` with an Error, upon
 * which the page may set another `ticket`. Attribute `state`, set by the element: the job's status, for CSS.
 */
import { Client } from "./client.js";
import { NotAllowed, NotFound } from "./errors.js";
import { STYLE } from "./element-style.js";
import { pagesOf, sizeOf, withStop, wordsFor } from "./element-words.js";
import { ended } from "./models.js";
const TEMPLATE = `
  <div part="head"><span part="message" lang="en"></span><span part="percent"></span></div>
  <div part="bar" role="progressbar" aria-valuemin="0" aria-valuemax="100"><div part="fill"></div></div>
  <p part="note" role="status" aria-live="polite"><span></span> <span lang="en"></span></p>
  <ul part="files" hidden></ul>`;
// Within Node there are no elements: the module can be imported all the same, as a page rendered on a server does.
const Base = globalThis.HTMLElement ?? class {
};
export class OffloadProgress extends Base {
    static observedAttributes = ["job", "ticket", "server", "label", "files", "lang"];
    /** The last status, null before the first. */
    status = null;
    #following = null;
    #begun = false;
    connectedCallback() {
        if (!this.shadowRoot) {
            const root = this.attachShadow({ mode: "open" });
            root.innerHTML = TEMPLATE;
            const sheet = new CSSStyleSheet();
            sheet.replaceSync(STYLE);
            // Adopted, not a <style>: pages whose content policy forbids inline styles may use the element too.
            root.adoptedStyleSheets = [sheet];
        }
        this.#begin();
    }
    disconnectedCallback() {
        this.#following?.abort();
        this.#following = null;
    }
    attributeChangedCallback(name, before, now) {
        if (!this.isConnected || !this.shadowRoot || before === now)
            return;
        if (name === "job" || name === "ticket" || name === "server")
            this.#begin();
        else if (this.status)
            this.#show(this.status);
    }
    /** Follow the job that the attributes name. Attributes that are set one after the other make one beginning. */
    #begin() {
        if (this.#begun)
            return;
        this.#begun = true;
        queueMicrotask(() => {
            this.#begun = false;
            if (this.isConnected)
                void this.#follow();
        });
    }
    async #follow() {
        this.#following?.abort();
        const { signal } = (this.#following = new AbortController());
        if (this.status?.id !== this.getAttribute("job"))
            this.#clear();
        const job = this.#job();
        if (!job)
            return this.#problem(this.#words.incomplete);
        const onConnection = (error) => {
            if (error)
                this.#problem(this.#words.lost);
            else if (this.status)
                this.#show(this.status);
        };
        try {
            for await (const status of job.updates({ signal, retries: Infinity, onConnection })) {
                this.status = status;
                this.#show(status);
                this.#tell(ended(status) ? "offload-end" : "offload-update", status);
            }
        }
        catch (error) {
            if (signal.aborted)
                return;
            const known = error instanceof NotAllowed ? this.#words.expired : error instanceof NotFound ? this.#words.gone : null;
            this.#problem(known ?? error.message);
            this.#tell("offload-error", error);
        }
    }
    #job() {
        const [id, ticket] = [this.getAttribute("job"), this.getAttribute("ticket")];
        if (!id || !ticket)
            return null;
        const server = this.getAttribute("server") ?? new URL(import.meta.url).origin;
        return new Client(new URL(server, document.baseURI).href, ticket).job(id);
    }
    get #words() {
        const near = this.closest("[lang]");
        return wordsFor(near?.getAttribute("lang") || navigator.language);
    }
    #part(name) {
        return this.shadowRoot.querySelector(`[part="${name}"]`);
    }
    #clear() {
        this.status = null;
        this.removeAttribute("state");
        for (const name of ["message", "percent"])
            this.#part(name).textContent = "";
        this.#note("");
        this.#part("files").hidden = true;
        this.#bar(null, "");
    }
    #show(status) {
        const words = this.#words;
        this.setAttribute("state", status.status);
        const pages = pagesOf(status, words);
        const message = this.#part("message");
        message.textContent = ended(status) ? "" : (pages ?? status.message);
        message.toggleAttribute("lang", false);
        // Messages of tasks are English; a count of pages is in the words' own language.
        if (pages === null)
            message.lang = "en";
        this.#part("percent").textContent = `${Math.round(status.progress)} %`;
        this.#bar(status.progress, message.textContent);
        const failed = status.status === "failed" || status.status === "retrying";
        this.#note(words.states[status.status] ?? status.status, failed && status.error ? withStop(status.error) : "");
        this.#links(status, words);
    }
    #bar(progress, message) {
        const bar = this.#part("bar");
        bar.setAttribute("aria-label", this.getAttribute("label") ?? this.#words.progress);
        this.#part("fill").style.inlineSize = `${progress ?? 0}%`;
        if (progress === null) {
            // A bar without a value is one of which it is not known how far it is.
            bar.removeAttribute("aria-valuenow");
            bar.removeAttribute("aria-valuetext");
            return;
        }
        bar.setAttribute("aria-valuenow", String(progress));
        bar.setAttribute("aria-valuetext", [`${Math.round(progress)} %`, message].filter(Boolean).join(", "));
    }
    /** The sentence that screen readers announce: it changes with the state, not with each page. */
    #note(sentence, error = "") {
        const note = this.#part("note");
        note.removeAttribute("data-problem");
        const [own, fromServer] = note.querySelectorAll("span");
        if (own && own.textContent !== sentence)
            own.textContent = sentence;
        if (fromServer && fromServer.textContent !== error)
            fromServer.textContent = error;
    }
    #problem(sentence) {
        this.#note(sentence);
        this.#part("note").setAttribute("data-problem", "");
    }
    #links(status, words) {
        const list = this.#part("files");
        const wanted = this.getAttribute("files")?.split(",").map((name) => name.trim());
        const files = ended(status) ? status.files.filter((file) => !wanted || wanted.includes(file.name)) : [];
        const job = this.#job();
        list.hidden = files.length === 0 || !job;
        list.replaceChildren(...files.map((file) => {
            const link = Object.assign(document.createElement("a"), { href: job?.fileUrl(file.name) ?? "", download: file.name });
            link.part.add("link");
            link.textContent = words.files[file.name] ?? file.name;
            const size = document.createElement("span");
            size.part.add("size");
            size.textContent = sizeOf(file.bytes, words);
            const item = document.createElement("li");
            item.append(link, " ", size);
            return item;
        }));
    }
    #tell(name, detail) {
        this.dispatchEvent(new CustomEvent(name, { detail, bubbles: true, composed: true }));
    }
}
if (globalThis.customElements && !customElements.get("offload-progress")) {
    customElements.define("offload-progress", OffloadProgress);
}
