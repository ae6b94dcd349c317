/** Errors of the client. Each carries the server's own sentence where the server sent one. */

import type { FieldError, Status } from "./models.js";

/** Base of every error that this package throws. */
export class OffloadError extends Error {
  override name = this.constructor.name;
}

/** No answer came, after every repetition. */
export class Unreachable extends OffloadError {}

/** The job has not ended in the time given. It goes on; wait again to follow it. */
export class WaitTimeout extends OffloadError {}

/** A refusal. `detail` is one sentence; `errors` names the wrong fields. */
export class ApiError extends OffloadError {
  constructor(
    readonly statusCode: number,
    readonly detail: string,
    readonly errors: FieldError[] = [],
    readonly retryAfterMs: number | null = null,
  ) {
    super(detail);
  }
}

/** 400, 413, 415 or 422: the request itself is wrong; repeating it changes nothing. */
export class BadRequest extends ApiError {}

/** 401 or 403: the key or ticket is unknown, has expired or lacks a right. */
export class NotAllowed extends ApiError {}

/** 404: no such thing, or it belongs to another owner. */
export class NotFound extends ApiError {}

/** 409: the state forbids it, or the Idempotency-Key stands for another request. */
export class Conflict extends ApiError {}

/** 429: over a limit; `retryAfterMs` says when to try again. */
export class TooMany extends ApiError {}

/** 5xx, after every repetition. */
export class ServerError extends ApiError {}

/** A job that was waited for ended otherwise than completed. `status` is its last status object. */
export class JobFailed extends OffloadError {
  constructor(readonly status: Status) {
    super(`${status.id} ended as ${status.status}: ${status.error || status.message}`);
  }
}

/** A webhook whose signature does not hold, or that is too old. */
export class BadSignature extends OffloadError {}

const BY_CODE: Record<number, typeof ApiError> = {
  400: BadRequest, 413: BadRequest, 415: BadRequest, 422: BadRequest,
  401: NotAllowed, 403: NotAllowed, 404: NotFound, 409: Conflict, 429: TooMany,
};

/** The error of the class that fits a status code. */
export function errorFor(code: number, detail: string, errors: FieldError[] = [], retryAfterMs: number | null = null) {
  const kind = BY_CODE[code] ?? (code >= 500 ? ServerError : ApiError);
  return new kind(code, detail, errors, retryAfterMs);
}

/** The error that a refusal becomes. Reads its body. */
export async function errorOf(response: Response): Promise<ApiError> {
  const body: unknown = await response.json().catch(() => null);
  const { detail, errors } = (typeof body === "object" && body ? body : {}) as { detail?: unknown; errors?: unknown };
  return errorFor(
    response.status,
    typeof detail === "string" ? detail : `The server answered ${response.status} to ${new URL(response.url).pathname}.`,
    Array.isArray(errors) ? errors : [],
    retryAfterMs(response),
  );
}

/** Milliseconds that Retry-After asks for, as seconds or as a date; null without a header that can be read. */
export function retryAfterMs(response: Response): number | null {
  const header = response.headers.get("retry-after")?.trim();
  if (!header) return null;
  const asked = /^\d+(\.\d+)?$/.test(header) ? Number(header) * 1000 : Date.parse(header) - Date.now();
  return Number.isNaN(asked) ? null : Math.max(0, asked);
}
