// One-letter commands. They never fire while somebody types, nor with a modifier that belongs to the browser.
let awaitingPage = false;

const rows = () => [...document.querySelectorAll("[data-row]")];

function move(step) {
  const all = rows();
  const at = all.findIndex((row) => row.contains(document.activeElement));
  const next = all[Math.min(all.length - 1, Math.max(0, at + step))];
  next?.querySelector("a")?.focus();
}

function go(key) {
  document.querySelector(`.nav [data-key="${CSS.escape(key)}"]`)?.click();
}

const commands = {
  "/": () => document.querySelector("[data-filter]")?.focus(),
  j: () => move(1),
  k: () => move(-1),
  x: () => document.dispatchEvent(new Event("offload:pick")),
  t: () => document.dispatchEvent(new Event("offload:theme")),
  "?": () => document.getElementById("keys").togglePopover(),
};

// Menus open and close without a script; with one they close as menus do.
const closeMenus = (but) => document.querySelectorAll(".menu[open]").forEach((menu) => {
  if (menu !== but) menu.open = false;
});

document.addEventListener("click", (event) => closeMenus(event.target.closest(".menu")));
document.addEventListener("focusin", (event) => closeMenus(event.target.closest(".menu")));

document.addEventListener("keydown", (event) => {
  const menu = event.key === "Escape" && event.target.closest(".menu[open]");
  if (menu) {
    menu.open = false;
    menu.querySelector("summary").focus();
    return;
  }
  if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
  if (event.target.closest("input:not([type=checkbox]), select, textarea, [contenteditable]")) {
    if (event.key === "Escape") event.target.blur();
    return;
  }
  if (awaitingPage) {
    awaitingPage = false;
    return go(event.key);
  }
  if (event.key === "g") {
    awaitingPage = true;
    return;
  }
  const command = commands[event.key];
  if (!command) return;
  event.preventDefault();
  command();
});
