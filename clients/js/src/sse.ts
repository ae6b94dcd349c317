/** Server-sent events out of a stream of bytes, as the HTML standard has them. */

export interface ServerEvent {
  type: string;
  data: string;
  id: string;
}

/** Events of a stream. Throws where nothing has come for `silentMs`, be it a comment, and where the connection breaks. */
export async function* parseEvents(body: ReadableStream<Uint8Array>, silentMs: number): AsyncGenerator<ServerEvent> {
  const reader = body.getReader();
  const decoder = new TextDecoder();
  let rest = "";
  let event: ServerEvent = { type: "", data: "", id: "" };
  try {
    for (;;) {
      const { done, value } = await within(reader.read(), silentMs);
      if (done) return;
      rest += decoder.decode(value, { stream: true });
      // A carriage return at the end may be half of a line's end.
      const lines = rest.split(/\r\n|\n|\r(?!$)/);
      rest = lines.pop() ?? "";
      for (const line of lines) {
        if (line) {
          event = withField(event, line);
        } else {
          if (event.data) yield { ...event, type: event.type || "message", data: event.data.slice(0, -1) };
          event = { type: "", data: "", id: event.id };
        }
      }
    }
  } finally {
    reader.cancel().catch(() => undefined);
  }
}

function withField(event: ServerEvent, line: string): ServerEvent {
  const colon = line.indexOf(":");
  const name = colon < 0 ? line : line.slice(0, colon);
  const value = colon < 0 ? "" : line.slice(colon + 1).replace(/^ /, "");
  if (name === "event") return { ...event, type: value };
  if (name === "data") return { ...event, data: `${event.data}${value}\n` };
  return name === "id" ? { ...event, id: value } : event;
}

async function within<T>(promise: Promise<T>, ms: number): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`nothing came for ${ms} ms`)), ms);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}
