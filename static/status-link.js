// The page behind a status link: quiet on a hidden tab, honest about a server that does not answer.
const lost = document.querySelector("[data-lost]");

document.addEventListener("htmx:beforeRequest", (event) => {
  if (document.hidden) event.preventDefault();
});

document.addEventListener("htmx:afterRequest", (event) => {
  lost.hidden = event.detail.successful;
});

document.addEventListener("visibilitychange", () => {
  if (document.hidden) return;
  for (const element of document.querySelectorAll("[data-live]")) htmx.trigger(element, "refresh");
});
