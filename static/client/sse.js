/** Server-sent events out of a stream of bytes, as the HTML standard has them. */
/** Events of a stream. Throws where nothing has come for `silentMs`, be it a comment, and where the connection breaks. */
export async function* parseEvents(body, silentMs) {
    const reader = body.getReader();
    const decoder = new TextDecoder();
    let rest = "";
    let event = { type: "", data: "", id: "" };
    try {
        for (;;) {
            const { done, value } = await within(reader.read(), silentMs);
            if (done)
                return;
            rest += decoder.decode(value, { stream: true });
            // A carriage return at the end may be half of a line's end.
            const lines = rest.split(/\r\n|\n|\r(?!$)/);
            rest = lines.pop() ?? "";
            for (const line of lines) {
                if (line) {
                    event = withField(event, line);
                }
                else {
                    if (event.data)
                        yield { ...event, type: event.type || "message", data: event.data.slice(0, -1) };
                    event = { type: "", data: "", id: event.id };
                }
            }
        }
    }
    finally {
        reader.cancel().catch(() => undefined);
    }
}
function withField(event, line) {
    const colon = line.indexOf(":");
    const name = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? "" : line.slice(colon + 1).replace(/^ /, "");
    if (name === "event")
        return { ...event, type: value };
    if (name === "data")
        return { ...event, data: `${event.data}${value}\n` };
    return name === "id" ? { ...event, id: value } : event;
}
async function within(promise, ms) {
    let timer;
    const late = new Promise((_, reject) => {
        timer = setTimeout(() => reject(new Error(`nothing came for ${ms} ms`)), ms);
    });
    try {
        return await Promise.race([promise, late]);
    }
    finally {
        clearTimeout(timer);
    }
}
