// Runs before the first paint, so that a kept choice never flashes the other theme. Without a choice the system decides.
(() => {
  const root = document.documentElement;
  const kept = localStorage.getItem("offload.theme");
  if (kept === "light" || kept === "dark") root.dataset.theme = kept;

  const isDark = () =>
    root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;

  const toggle = () => {
    root.dataset.theme = isDark() ? "light" : "dark";
    localStorage.setItem("offload.theme", root.dataset.theme);
  };

  document.addEventListener("click", (event) => {
    if (event.target.closest("[data-toggle-theme]")) toggle();
  });
  document.addEventListener("offload:theme", toggle);
})();
