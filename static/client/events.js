/** A job's status now and at each change: over server-sent events or a WebSocket, begun again where a connection breaks. */
import { ApiError, errorFor, ServerError, TooMany, Unreachable, WaitTimeout } from "./errors.js";
import { pause, pauseMs } from "./http.js";
import { ended } from "./models.js";
import { parseEvents } from "./sse.js";
import { socketMessages } from "./socket.js";
/** The server sends something every 15 seconds; a connection that is silent for longer than this is taken for dead. */
const SILENT_MS = 45_000;
/** A connection that has stood for so long was a good one: its end is the first failure, not one more. */
const STEADY_MS = 5_000;
/** Statuses until the job has ended. Throws ApiError, Unreachable or WaitTimeout. */
export async function* follow(http, jobId, options = {}) {
    const control = new AbortController();
    const stop = () => control.abort(options.signal?.reason);
    if (options.signal?.aborted)
        stop();
    options.signal?.addEventListener("abort", stop, { once: true });
    const late = new WaitTimeout(`${jobId} has not ended within ${options.timeoutMs} ms.`);
    const timer = options.timeoutMs === undefined ? undefined : setTimeout(() => control.abort(late), options.timeoutMs);
    try {
        yield* reconnecting(http, jobId, control.signal, options);
    }
    catch (error) {
        control.signal.throwIfAborted();
        throw error;
    }
    finally {
        clearTimeout(timer);
        options.signal?.removeEventListener("abort", stop);
        // Closes whatever is open, where the caller has left its loop early.
        control.abort();
    }
}
async function* reconnecting(http, jobId, signal, options) {
    const retries = options.retries ?? http.retries;
    const place = { lastEventId: "", since: null, connected: () => undefined };
    place.connected = () => {
        place.since = Date.now();
        options.onConnection?.(null);
    };
    let socket = overSocket(http, options.transport ?? "auto");
    let last;
    for (let failures = 0;;) {
        let failure;
        place.since = null;
        try {
            const statuses = socket ? bySocket(http, jobId, signal, place) : byEvents(http, jobId, signal, place);
            for await (const status of statuses) {
                failures = 0;
                const shown = JSON.stringify({ ...status, estimated_completion: null });
                // A connection begins with the state of the moment, which the caller may have seen on the one before.
                if (shown !== last)
                    yield status;
                last = shown;
                if (ended(status))
                    return;
            }
            // In good order, as the server does when it is deployed anew, and a proxy with a connection that is silent.
            failure = new Unreachable(`${http.baseUrl} closes each connection for ${jobId}.`);
        }
        catch (error) {
            signal.throwIfAborted();
            if (error instanceof SocketRefused) {
                socket = false;
                continue;
            }
            const passing = error instanceof Unreachable || error instanceof TooMany || error instanceof ServerError;
            if (!passing)
                throw error;
            failure = error;
        }
        const steady = place.since !== null && Date.now() - place.since > STEADY_MS;
        failures = steady ? 1 : failures + 1;
        if (failures > retries)
            throw failure;
        options.onConnection?.(failure);
        await pause(pauseMs(failures - 1), signal);
    }
}
function overSocket(http, transport) {
    if (transport !== "auto")
        return transport === "websocket";
    const ticket = http.credential.startsWith("ticket_");
    return ticket && typeof WebSocket === "function" && typeof document === "object";
}
/** Statuses of one event stream. `place` keeps where it was, so that the next one goes on there. */
async function* byEvents(http, jobId, signal, place) {
    const control = new AbortController();
    const stop = () => control.abort(signal.reason);
    signal.addEventListener("abort", stop, { once: true });
    const headers = { Accept: "text/event-stream" };
    if (place.lastEventId)
        headers["Last-Event-ID"] = place.lastEventId;
    const path = `/api/jobs/${encodeURIComponent(jobId)}/events`;
    try {
        const response = await http.open({ method: "GET", path, headers, safe: true, signal: control.signal });
        if (!response.body)
            return;
        place.connected();
        for await (const event of parseEvents(response.body, SILENT_MS)) {
            if (event.type === "expired")
                throw errorFor(401, event.data);
            if (event.type !== "status")
                continue;
            place.lastEventId = event.id;
            yield JSON.parse(event.data);
        }
    }
    catch (error) {
        throw error instanceof ApiError || error instanceof Unreachable ? error : http.unreachable(error);
    }
    finally {
        signal.removeEventListener("abort", stop);
        control.abort();
    }
}
/** A WebSocket that was closed before its first message, although the server answers otherwise. */
class SocketRefused extends Error {
}
/** Close codes by which the server says why, after the statuses of HTTP. */
const CLOSED_AS = { 4401: 401, 4404: 404 };
async function* bySocket(http, jobId, signal, place) {
    const path = `/api/jobs/${encodeURIComponent(jobId)}`;
    const url = http.url(`${path}/events`, { ticket: http.credential }).replace(/^http/, "ws");
    const messages = socketMessages(url, SILENT_MS, signal);
    let opened = false;
    for (;;) {
        const next = await messages.next();
        if (next.done) {
            const refused = CLOSED_AS[next.value.code];
            if (refused)
                throw errorFor(refused, next.value.reason || "The key or ticket no longer holds.");
            if (opened)
                return;
            break;
        }
        if (!opened)
            place.connected();
        opened = true;
        yield JSON.parse(next.value);
    }
    // A refused handshake looks like any other failure from within a browser: a plain request learns which it was.
    yield await http.json({ method: "GET", path: `${path}/status`, safe: true, signal });
    throw new SocketRefused();
}
