/** Messages of a WebSocket, one after the other. */

export interface Closed {
  code: number;
  reason: string;
}

/** Messages as text; returns how the socket was closed. Ends it where nothing has come for `silentMs`, and with `signal`. */
export async function* socketMessages(
  url: string,
  silentMs: number,
  signal: AbortSignal,
): AsyncGenerator<string, Closed, void> {
  const socket = new WebSocket(url);
  const waiting: string[] = [];
  let closed: Closed | undefined;
  let wake: () => void = () => undefined;
  socket.onmessage = (event) => {
    waiting.push(String(event.data));
    wake();
  };
  socket.onclose = (event) => {
    closed = { code: event.code, reason: event.reason };
    wake();
  };
  const stop = () => wake();
  signal.addEventListener("abort", stop, { once: true });
  try {
    for (;;) {
      const message = waiting.shift();
      if (message !== undefined) {
        yield message;
      } else if (closed) {
        return closed;
      } else {
        signal.throwIfAborted();
        // A half-open connection says nothing, and a job that waits has nothing to say: a new one tells the two apart.
        const silent = await new Promise<boolean>((resolve) => {
          const timer = setTimeout(() => resolve(true), silentMs);
          wake = () => {
            clearTimeout(timer);
            resolve(false);
          };
        });
        if (silent) return { code: 1000, reason: "silent" };
      }
    }
  } finally {
    signal.removeEventListener("abort", stop);
    socket.close();
  }
}
