/** Looks of <offload-progress>. Everything can be changed by custom properties, and by ::part(). */

export const STYLE = `
:host {
  display: block;
  color: var(--offload-text, inherit);
  font: var(--offload-font, inherit);
  --bar: var(--offload-accent, #2450c4);
}
:host([hidden]) { display: none; }
:host([state="completed"]) { --bar: var(--offload-success, #0b6b47); }
:host([state="failed"]) { --bar: var(--offload-error, #b3261b); }
:host([state="cancelled"]), :host([state="expired"]) { --bar: var(--offload-muted, #5b6572); }
[part="head"] { display: flex; flex-wrap: wrap; gap: 0 0.75em; justify-content: space-between; margin-block-end: 0.35em; }
[part="message"] { overflow-wrap: anywhere; }
[part="percent"] { font-variant-numeric: tabular-nums; }
[part="bar"] {
  block-size: var(--offload-height, 0.5em);
  border-radius: var(--offload-radius, 1em);
  background: var(--offload-track, rgb(125 136 150 / 28%));
  overflow: hidden;
}
[part="fill"] { block-size: 100%; inline-size: 0; border-radius: inherit; background: var(--bar); transition: inline-size 0.4s linear; }
[part="note"] { margin: 0.35em 0 0; overflow-wrap: anywhere; }
:host([state="failed"]) [part="note"], [part="note"][data-problem] { color: var(--offload-error, #b3261b); }
[part="files"] { margin: 0.35em 0 0; padding: 0; list-style: none; display: flex; flex-wrap: wrap; gap: 0.25em 1.25em; }
[part="link"] { color: var(--offload-link, LinkText); }
[part="size"] { opacity: 0.75; }
[hidden] { display: none !important; }
@media (prefers-reduced-motion: reduce) { [part="fill"] { transition: none; } }
@media (forced-colors: active) {
  [part="bar"] { border: 1px solid CanvasText; }
  [part="fill"] { forced-color-adjust: none; background: Highlight; }
}
@media (prefers-color-scheme: dark) {
  :host { --bar: var(--offload-accent, light-dark(#2450c4, #8cb0ff)); }
  :host([state="completed"]) { --bar: var(--offload-success, light-dark(#0b6b47, #5ed19a)); }
  :host([state="failed"]) { --bar: var(--offload-error, light-dark(#b3261b, #ff9388)); }
  :host([state="failed"]) [part="note"], [part="note"][data-problem] {
    color: var(--offload-error, light-dark(#b3261b, #ff9388));
  }
}
`;
