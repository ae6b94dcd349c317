// The manners of a page that refreshes itself: quiet on a hidden tab, honest about its age.
const freshness = document.querySelector("[data-freshness]");

function say(words, manner = "") {
  if (!freshness) return;
  freshness.textContent = words;
  freshness.className = `freshness ${manner}`;
}

document.addEventListener("htmx:beforeRequest", (event) => {
  if (!event.target.matches("[data-live]")) return;
  if (document.hidden) return event.preventDefault();
  if (!document.querySelector("[data-selecting]")) return;
  event.preventDefault();
  if (!event.target.matches("[data-quiet]")) say(freshness?.dataset.wordsHeld, "paused");
});

document.addEventListener("htmx:afterRequest", (event) => {
  if (!event.target.matches("[data-live]:not([data-quiet])")) return;
  if (heldBack.has(event.target)) say(freshness?.dataset.wordsSteady, "paused");
  else if (event.detail.successful) say(`${freshness?.dataset.wordsUpdated} ${clock(new Date())}`);
  else say(freshness?.dataset.wordsLost, "lost");
});

document.addEventListener("visibilitychange", () => {
  if (document.hidden) return say(freshness?.dataset.wordsPaused, "paused");
  for (const element of document.querySelectorAll("[data-live]")) htmx.trigger(element, "refresh");
});

document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-copy]");
  if (!button) return;
  await navigator.clipboard.writeText(button.dataset.copy);
  button.setAttribute("aria-label", freshness.dataset.wordsCopied);
  button.title = freshness.dataset.wordsCopied;
});

// The notice of a finished action is told once: reloading or sharing the address does not tell it again.
const address = new URL(location.href);
if (address.searchParams.has("notice")) {
  address.searchParams.delete("notice");
  history.replaceState(null, "", address);
}

// On a telephone the navigation is wider than the screen: the page that one is on stands within it.
document.querySelector('.nav [aria-current="page"]')?.scrollIntoView({ inline: "center", block: "nearest" });
