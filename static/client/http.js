/** Requests with a time limit, repeated where that is harmless, and refusals as errors. */
import { errorOf, OffloadError, ServerError, Unreachable } from "./errors.js";
/** Answers after which the same request may succeed. */
const REPEATED = new Set([429, 502, 503, 504]);
/** Longest pause between two repetitions, in milliseconds, unless the server asks for more. */
const PAUSE_MAX_MS = 20_000;
export class Http {
    credential;
    baseUrl;
    retries;
    timeoutMs;
    uploadTimeoutMs;
    #fetch;
    constructor(baseUrl, credential, options = {}) {
        this.credential = credential;
        // Raises TypeError for what is not a URL, here and not at the first call.
        this.baseUrl = new URL(baseUrl).href.replace(/\/+$/, "");
        this.retries = options.retries ?? 5;
        this.timeoutMs = options.timeoutMs ?? 30_000;
        this.uploadTimeoutMs = options.uploadTimeoutMs ?? 600_000;
        // Called as a method of anything else, a browser's own fetch throws "Illegal invocation".
        this.#fetch = options.fetch ?? ((...given) => globalThis.fetch(...given));
    }
    /** The JSON of an answer. Throws ApiError or Unreachable. */
    async json(call) {
        return this.send(call, async (response) => {
            const text = await response.text();
            try {
                return (text ? JSON.parse(text) : undefined);
            }
            catch (error) {
                throw new ServerError(response.status, `The answer cannot be read: ${error.message}`);
            }
        });
    }
    /** What `read` makes of a successful answer. A connection that breaks while it reads is a failed request too. */
    async send(call, read) {
        for (let attempt = 0;; attempt += 1) {
            let refused;
            try {
                const outcome = await this.#once(call, read);
                if (!("refused" in outcome))
                    return outcome.value;
                refused = outcome.refused;
            }
            catch (error) {
                call.signal?.throwIfAborted();
                if (error instanceof OffloadError)
                    throw error;
                if (!call.safe || attempt >= this.retries)
                    throw this.unreachable(error);
                await pause(pauseMs(attempt), call.signal);
                continue;
            }
            if (!call.safe || !REPEATED.has(refused.statusCode) || attempt >= this.retries)
                throw refused;
            await pause(pauseMs(attempt, refused.retryAfterMs), call.signal);
        }
    }
    /** An open answer whose body is read by the caller; `signal` ends it. Not repeated. Throws ApiError or Unreachable. */
    async open(call) {
        let response;
        const limit = limited(call.signal, call.timeoutMs ?? this.timeoutMs);
        try {
            response = await this.#fetch(this.url(call.path, call.query), this.#init(call, limit.signal));
        }
        catch (error) {
            call.signal?.throwIfAborted();
            throw this.unreachable(error);
        }
        finally {
            limit.clear();
        }
        if (!response.ok)
            throw await errorOf(response);
        return response;
    }
    /** The whole address of a path of the API. */
    url(path, query = {}) {
        const url = new URL(this.baseUrl + path);
        for (const [name, value] of Object.entries(query))
            if (value != null)
                url.searchParams.set(name, String(value));
        return url.href;
    }
    /** The error for a server that does not answer. */
    unreachable(error) {
        const words = error instanceof Error ? `${error.name} ${error.message}` : String(error);
        return new Unreachable(`No answer from ${this.baseUrl}: ${words}`, { cause: error });
    }
    async #once(call, read) {
        const limit = limited(call.signal, call.timeoutMs ?? this.timeoutMs);
        try {
            const response = await this.#fetch(this.url(call.path, call.query), this.#init(call, limit.signal));
            return response.ok ? { value: await read(response) } : { refused: await errorOf(response) };
        }
        finally {
            limit.clear();
            limit.release();
        }
    }
    #init(call, signal) {
        const headers = { Authorization: `Bearer ${this.credential}`, ...call.headers };
        // Cookies and passwords that a browser holds for the host have no business here: the credential above is the permission.
        const init = { method: call.method, headers, signal, credentials: "omit", cache: "no-store" };
        if (call.json !== undefined) {
            headers["Content-Type"] = "application/json";
            init.body = JSON.stringify(call.json);
        }
        else if (call.body !== undefined) {
            init.body = call.body;
        }
        return init;
    }
}
/** Milliseconds before repetition number `attempt`: what the server asks for, or exponential with jitter. */
export function pauseMs(attempt, askedMs = null) {
    return askedMs ?? 100 + Math.random() * (Math.min(PAUSE_MAX_MS, 400 * 2 ** attempt) - 100);
}
/** Resolves after so many milliseconds; rejects at once where `signal` is aborted. */
export function pause(ms, signal) {
    return new Promise((resolve, reject) => {
        const stop = () => {
            clearTimeout(timer);
            reject(signal?.reason);
        };
        const timer = setTimeout(() => {
            signal?.removeEventListener("abort", stop);
            resolve();
        }, ms);
        if (signal?.aborted)
            stop();
        else
            signal?.addEventListener("abort", stop, { once: true });
    });
}
/** A signal that follows `signal` until released, and is aborted after `ms` unless cleared. (Node 18 lacks AbortSignal.any.) */
function limited(signal, ms) {
    const control = new AbortController();
    const follow = () => control.abort(signal?.reason);
    if (signal?.aborted)
        follow();
    else
        signal?.addEventListener("abort", follow, { once: true });
    const timer = setTimeout(() => control.abort(new Error(`no answer within ${ms} ms`)), ms);
    return {
        signal: control.signal,
        clear: () => clearTimeout(timer),
        release: () => signal?.removeEventListener("abort", follow),
    };
}
