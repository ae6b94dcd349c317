/** Requests with a time limit, repeated where that is harmless, and refusals as errors. */

import { type ApiError, errorOf, OffloadError, ServerError, Unreachable } from "./errors.js";

/** Answers after which the same request may succeed. */
const REPEATED: ReadonlySet<number> = new Set([429, 502, 503, 504]);

/** Longest pause between two repetitions, in milliseconds, unless the server asks for more. */
const PAUSE_MAX_MS = 20_000;

export interface ClientOptions {
  /** Milliseconds until a request without an answer is given up. Default 30,000. */
  timeoutMs?: number;
  /** Milliseconds for an upload, which is answered when the pages are counted. Default 600,000. */
  uploadTimeoutMs?: number;
  /** Repetitions of a request that may be repeated, before its error is thrown. Default 5. */
  retries?: number;
  /** Another `fetch`, such as one that goes through a proxy. */
  fetch?: typeof fetch;
}

/** One request. `safe` says that repeating it is harmless, as is any GET and any POST under an Idempotency-Key. */
export interface Call {
  method: string;
  path: string;
  query?: Record<string, string | number | null | undefined>;
  json?: unknown;
  body?: BodyInit;
  headers?: Record<string, string>;
  safe: boolean;
  timeoutMs?: number;
  signal?: AbortSignal | undefined;
}

export class Http {
  readonly baseUrl: string;
  readonly retries: number;
  readonly timeoutMs: number;
  readonly uploadTimeoutMs: number;
  readonly #fetch: typeof fetch;

  constructor(baseUrl: string, readonly credential: string, options: ClientOptions = {}) {
    // Raises TypeError for what is not a URL, here and not at the first call.
    this.baseUrl = new URL(baseUrl).href.replace(/\/+$/, "");
    this.retries = options.retries ?? 5;
    this.timeoutMs = options.timeoutMs ?? 30_000;
    this.uploadTimeoutMs = options.uploadTimeoutMs ?? 600_000;
    // Called as a method of anything else, a browser's own fetch throws "Illegal invocation".
    this.#fetch = options.fetch ?? ((...given) => globalThis.fetch(...given));
  }

  /** The JSON of an answer. Throws ApiError or Unreachable. */
  async json<T>(call: Call): Promise<T> {
    return this.send(call, async (response) => {
      const text = await response.text();
      try {
        return (text ? JSON.parse(text) : undefined) as T;
      } catch (error) {
        throw new ServerError(response.status, `The answer cannot be read: ${(error as Error).message}`);
      }
    });
  }

  /** What `read` makes of a successful answer. A connection that breaks while it reads is a failed request too. */
  async send<T>(call: Call, read: (response: Response) => Promise<T>): Promise<T> {
    for (let attempt = 0; ; attempt += 1) {
      let refused: ApiError;
      try {
        const outcome = await this.#once(call, read);
        if (!("refused" in outcome)) return outcome.value;
        refused = outcome.refused;
      } catch (error) {
        call.signal?.throwIfAborted();
        if (error instanceof OffloadError) throw error;
        if (!call.safe || attempt >= this.retries) throw this.unreachable(error);
        await pause(pauseMs(attempt), call.signal);
        continue;
      }
      if (!call.safe || !REPEATED.has(refused.statusCode) || attempt >= this.retries) throw refused;
      await pause(pauseMs(attempt, refused.retryAfterMs), call.signal);
    }
  }

  /** An open answer whose body is read by the caller; `signal` ends it. Not repeated. Throws ApiError or Unreachable. */
  async open(call: Call): Promise<Response> {
    let response: Response;
    const limit = limited(call.signal, call.timeoutMs ?? this.timeoutMs);
    try {
      response = await this.#fetch(this.url(call.path, call.query), this.#init(call, limit.signal));
    } catch (error) {
      call.signal?.throwIfAborted();
      throw this.unreachable(error);
    } finally {
      limit.clear();
    }
    if (!response.ok) throw await errorOf(response);
    return response;
  }

  /** The whole address of a path of the API. */
  url(path: string, query: Call["query"] = {}): string {
    const url = new URL(this.baseUrl + path);
    for (const [name, value] of Object.entries(query)) if (value != null) url.searchParams.set(name, String(value));
    return url.href;
  }

  /** The error for a server that does not answer. */
  unreachable(error: unknown): Unreachable {
    const words = error instanceof Error ? `${error.name} ${error.message}` : String(error);
    return new Unreachable(`No answer from ${this.baseUrl}: ${words}`, { cause: error });
  }

  async #once<T>(call: Call, read: (response: Response) => Promise<T>): Promise<{ value: T } | { refused: ApiError }> {
    const limit = limited(call.signal, call.timeoutMs ?? this.timeoutMs);
    try {
      const response = await this.#fetch(this.url(call.path, call.query), this.#init(call, limit.signal));
      return response.ok ? { value: await read(response) } : { refused: await errorOf(response) };
    } finally {
      limit.clear();
      limit.release();
    }
  }

  #init(call: Call, signal: AbortSignal): RequestInit {
    const headers: Record<string, string> = { Authorization: `Bearer ${this.credential}`, ...call.headers };
    // Cookies and passwords that a browser holds for the host have no business here: the credential above is the permission.
    const init: RequestInit = { method: call.method, headers, signal, credentials: "omit", cache: "no-store" };
    if (call.json !== undefined) {
      headers["Content-Type"] = "application/json";
      init.body = JSON.stringify(call.json);
    } else if (call.body !== undefined) {
      init.body = call.body;
    }
    return init;
  }
}

/** Milliseconds before repetition number `attempt`: what the server asks for, or exponential with jitter. */
export function pauseMs(attempt: number, askedMs: number | null = null): number {
  return askedMs ?? 100 + Math.random() * (Math.min(PAUSE_MAX_MS, 400 * 2 ** attempt) - 100);
}

/** Resolves after so many milliseconds; rejects at once where `signal` is aborted. */
export function pause(ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const stop = () => {
      clearTimeout(timer);
      reject(signal?.reason);
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener("abort", stop);
      resolve();
    }, ms);
    if (signal?.aborted) stop();
    else signal?.addEventListener("abort", stop, { once: true });
  });
}

/** A signal that follows `signal` until released, and is aborted after `ms` unless cleared. (Node 18 lacks AbortSignal.any.) */
function limited(signal: AbortSignal | undefined, ms: number) {
  const control = new AbortController();
  const follow = () => control.abort(signal?.reason);
  if (signal?.aborted) follow();
  else signal?.addEventListener("abort", follow, { once: true });
  const timer = setTimeout(() => control.abort(new Error(`no answer within ${ms} ms`)), ms);
  return {
    signal: control.signal,
    clear: () => clearTimeout(timer),
    release: () => signal?.removeEventListener("abort", follow),
  };
}
