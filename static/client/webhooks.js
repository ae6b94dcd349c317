/** Verification of webhooks by WebCrypto (Standard Webhooks, symmetric). */
import { BadSignature } from "./errors.js";
/** Seconds by which a message may be old, or early, before it is taken for a replay. */
const TOLERANCE_S = 300;
/**
 * The message of a webhook, once its signature holds. `body` is the request's body as it arrived: text or bytes, never
 * parsed and written again. Throws BadSignature.
 */
export async function verifyWebhook(secret, headers, body, toleranceS = TOLERANCE_S) {
    const [id, timestamp, signatures] = ["id", "timestamp", "signature"].map((name) => header(headers, `webhook-${name}`));
    if (!id || !timestamp || !signatures)
        throw new BadSignature("The request lacks the headers of a webhook.");
    if (!/^\d+$/.test(timestamp) || Math.abs(Date.now() / 1000 - Number(timestamp)) > toleranceS) {
        throw new BadSignature(`The message was not sent within the last ${toleranceS} seconds.`);
    }
    const text = typeof body === "string" ? body : new TextDecoder().decode(body);
    const signed = new TextEncoder().encode(`${id}.${timestamp}.${text}`);
    const { subtle } = await webCrypto();
    const key = await subtle.importKey("raw", base64(secret.replace(/^whsec_/, "")), HMAC, false, ["verify"]);
    for (const signature of signatures.split(" ")) {
        const [version, value] = signature.split(",");
        // `verify` compares in constant time.
        if (version === "v1" && value && (await subtle.verify(HMAC, key, base64(value), signed)))
            return JSON.parse(text);
    }
    throw new BadSignature("The signature does not fit the message: it was altered, or made with another secret.");
}
const HMAC = { name: "HMAC", hash: "SHA-256" };
function header(headers, name) {
    const value = headers instanceof Headers ? headers.get(name) : headers[name];
    return (Array.isArray(value) ? value.join(" ") : value) ?? "";
}
function base64(text) {
    let binary;
    try {
        binary = atob(text);
    }
    catch {
        throw new BadSignature("A secret or a signature is not base64.");
    }
    return Uint8Array.from(binary, (character) => character.charCodeAt(0));
}
/** WebCrypto, which Node 18 has in a module only. */
export async function webCrypto() {
    if (globalThis.crypto)
        return globalThis.crypto;
    const name = "node:crypto";
    return (await import(name)).webcrypto;
}
