/** For pages without a build step: one address that defines <offload-progress> and exports the client. */
export * from "./element.js";
export * from "./index.js";
