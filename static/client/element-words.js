/** Words of <offload-progress>, in the languages that it speaks. */
const ENGLISH = {
    progress: "Progress",
    pages: (done, total) => `Page ${done} of ${total}`,
    states: {
        queued: "Waiting for its turn.",
        scheduled: "Begins later.",
        active: "In progress.",
        retrying: "An attempt failed. The next one begins shortly.",
        completed: "Done.",
        failed: "Failed.",
        cancelled: "Cancelled.",
        expired: "Not begun, because it could not begin in time.",
    },
    files: { "text.txt": "Text", "searchable.pdf": "Searchable PDF", "report.pdf": "Report" },
    lost: "No connection. Trying again.",
    expired: "The permission to follow this job has expired or is not valid.",
    gone: "There is no such job, or it has been removed.",
    incomplete: "<offload-progress> needs the attributes job and ticket.",
    decimal: ".",
};
const GERMAN = {
    progress: "Fortschritt",
    pages: (done, total) => `Seite ${done} von ${total}`,
    states: {
        queued: "Wartet, bis er an der Reihe ist.",
        scheduled: "Beginnt später.",
        active: "In Arbeit.",
        retrying: "Ein Versuch ist fehlgeschlagen. Der nächste beginnt in Kürze.",
        completed: "Fertig.",
        failed: "Fehlgeschlagen.",
        cancelled: "Abgebrochen.",
        expired: "Nicht begonnen, weil die Zeit dafür abgelaufen war.",
    },
    files: { "text.txt": "Text", "searchable.pdf": "Durchsuchbares PDF", "report.pdf": "Bericht" },
    lost: "Keine Verbindung. Neuer Versuch läuft.",
    expired: "Die Erlaubnis, diesen Auftrag zu verfolgen, ist abgelaufen oder ungültig.",
    gone: "Diesen Auftrag gibt es nicht, oder er wurde gelöscht.",
    incomplete: "<offload-progress> braucht die Attribute job und ticket.",
    decimal: ",",
};
/** The words for a language tag, such as de-AT; English for languages that are not spoken here. */
export function wordsFor(language) {
    return /^de\b/i.test(language) ? GERMAN : ENGLISH;
}
/** The count of pages where the job counts them, else null. */
export function pagesOf(status, words) {
    const { pages_processed: done, total_pages: total } = status.data;
    return typeof done === "number" && typeof total === "number" ? words.pages(done, total) : null;
}
/** The text as a sentence, with a stop at its end. */
export function withStop(text) {
    return /[.!?…]$/.test(text.trim()) ? text.trim() : `${text.trim()}.`;
}
/** Bytes in decimal units. */
export function sizeOf(bytes, words) {
    let amount = bytes;
    let unit = "B";
    for (unit of ["B", "kB", "MB", "GB"]) {
        if (amount < 999.5 || unit === "GB")
            break;
        amount /= 1000;
    }
    const digits = unit === "B" || amount >= 99.5 ? 0 : 1;
    return `${amount.toFixed(digits).replace(".", words.decimal)} ${unit}`;
}
