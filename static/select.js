// Selecting rows: one, a stretch with shift, the page, or all that fits the filter. While anything is selected the page
// holds still (live.js looks for data-selecting). Boxes are found afresh each time: a refresh may have added rows.
const picks = () => [...document.querySelectorAll("[data-pick]")];
let lastPick = null;

function showSelection() {
  const boxes = picks();
  const count = boxes.filter((box) => box.checked).length;
  const whole = document.querySelector("[data-pick-filter]")?.checked;
  const head = document.querySelector("[data-pick-all]");
  const told = document.querySelector("[data-picked]");
  if (!head || !told) return;
  head.checked = count > 0 && count === boxes.length;
  head.indeterminate = count > 0 && count < boxes.length;
  const chosen = whole ? told.dataset.wordsAll : count ? `${count} ${told.dataset.wordsSome}` : "";
  told.textContent = chosen || told.dataset.wordsNone;
  const notice = document.querySelector("[data-held]");
  if (notice) notice.hidden = !chosen;
  for (const box of boxes) box.closest("tr").toggleAttribute("data-selected", box.checked);
  const held = document.body.hasAttribute("data-selecting");
  document.body.toggleAttribute("data-selecting", count > 0 || Boolean(whole));
  if (held && !chosen) for (const element of document.querySelectorAll("[data-live]")) htmx.trigger(element, "refresh");
}

document.addEventListener("click", (event) => {
  const box = event.target.closest("[data-pick]");
  if (!box) return;
  const boxes = picks();
  if (event.shiftKey && lastPick) {
    const [from, to] = [boxes.indexOf(lastPick), boxes.indexOf(box)].sort((a, b) => a - b);
    for (const between of boxes.slice(from, to + 1)) between.checked = box.checked;
  }
  lastPick = box;
});

document.addEventListener("change", (event) => {
  if (event.target.matches("[data-pick-all]")) for (const box of picks()) box.checked = event.target.checked;
  if (event.target.matches("[data-pick], [data-pick-all], [data-pick-filter]")) showSelection();
});

document.addEventListener("click", (event) => {
  if (event.target.matches("[data-pick]")) showSelection();
});

document.addEventListener("submit", (event) => {
  const nothing = !picks().some((box) => box.checked) && !document.querySelector("[data-pick-filter]")?.checked;
  if (event.target.matches("#bulk") && nothing) event.preventDefault();
});

document.addEventListener("offload:pick", () => {
  const row = document.activeElement?.closest("[data-row]");
  row?.querySelector("[data-pick]")?.click();
});
