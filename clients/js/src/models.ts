/** Objects of the API, by the names of the OpenAPI document. Fields that a newer server adds are ignored. */

import type { components, paths } from "./schema.js";

type Schemas = components["schemas"];

export type FieldError = Schemas["FieldError"];
export type File = Schemas["FileBody"];
export type Accepted = Schemas["AcceptedBody"];
export type Status = Schemas["JobStatus"];
export type JobDetail = Schemas["JobDetail"];
export type JobSummary = Schemas["JobSummary"];
export type JobPage = Schemas["JobList"];
export type Artefact = Schemas["ArtefactBody"];
export type Ticket = Schemas["TicketBody"];
export type BatchJob = Schemas["BatchJob"];
export type BatchAnswer = Schemas["BatchAnswer"];
export type Webhook = Schemas["WebhookBody"];
export type WebhookMade = Schemas["WebhookMade"];
export type WorkflowRequest = Schemas["WorkflowRequest"];
export type WorkflowAccepted = Schemas["WorkflowAccepted"];
export type Workflow = Schemas["WorkflowBody"];

/** Job types that the server of this version has by itself. Packages add others, whose payload is any object. */
export type JobType = Exclude<{ [P in keyof paths]: P extends `/api/jobs/${infer T}` ? T : never }[keyof paths], "batch">;

type Body<P> = P extends { post: { requestBody: { content: { "application/json": infer B } } } } ? B : never;

/** Payload of a job of type T, with the terms of any job, such as `priority`, `schedule_at` and `callback_url`. */
export type Payload<T extends string> = T extends JobType ? Body<paths[`/api/jobs/${T & JobType}`]> : Record<string, unknown>;

/** Statuses that a job does not leave by itself. */
export const TERMINAL: ReadonlySet<string> = new Set(["completed", "failed", "cancelled", "expired"]);

/** True where the job has ended. */
export function ended(status: Pick<Status, "status">): boolean {
  return TERMINAL.has(status.status);
}
