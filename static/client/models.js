/** Objects of the API, by the names of the OpenAPI document. Fields that a newer server adds are ignored. */
/** Statuses that a job does not leave by itself. */
export const TERMINAL = new Set(["completed", "failed", "cancelled", "expired"]);
/** True where the job has ended. */
export function ended(status) {
    return TERMINAL.has(status.status);
}
