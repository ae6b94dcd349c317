// Ctrl+K: every page and saved view by a few letters of its name, and a job by its id. The page itself needs none of it.
const palette = document.getElementById("palette");
const paletteText = document.getElementById("palette-text");
const jobEntry = palette.querySelector("[data-palette-job]");
const JOB_ID = /^[a-z0-9-]+-[0-9a-f]{16,}$/;

const shownLinks = () => [...palette.querySelectorAll("li:not([hidden]) a")];

function narrow() {
  const text = paletteText.value.trim().toLowerCase();
  for (const entry of palette.querySelectorAll("li:not([data-palette-job], [data-palette-views])"))
    entry.hidden = !entry.textContent.toLowerCase().includes(text);
  jobEntry.hidden = !JOB_ID.test(text);
  jobEntry.firstElementChild.href = `/admin/jobs/${encodeURIComponent(text)}`;
  jobEntry.firstElementChild.textContent = `${jobEntry.dataset.wordsJob} ${text}`;
}

document.addEventListener("keydown", (event) => {
  if (event.key.toLowerCase() !== "k" || !(event.ctrlKey || event.metaKey) || event.altKey || event.shiftKey) return;
  event.preventDefault();
  paletteText.value = "";
  narrow();
  palette.togglePopover();
});

paletteText.addEventListener("input", narrow);

// Saved views come once the palette is open, perhaps behind a letter that was typed in the meantime.
palette.addEventListener("htmx:afterSettle", narrow);

palette.addEventListener("keydown", (event) => {
  if (event.target === paletteText && event.key === "Enter") {
    shownLinks()[0]?.click();
    return;
  }
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  if (!step) return;
  event.preventDefault();
  const links = shownLinks();
  const at = links.indexOf(document.activeElement) + step;
  (at < 0 ? paletteText : links[Math.min(at, links.length - 1)])?.focus();
});
