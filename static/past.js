// The slider over the last month: it says which moment it stands at, and shows it once it is let go of.
const form = document.querySelector("[data-past]");

if (form) {
  const slider = form.querySelector("input[type=range]");
  const words = form.querySelector("output");
  slider.addEventListener("input", () => {
    words.textContent = new Date(Number(slider.value)).toLocaleString(undefined, { dateStyle: "medium", timeStyle: "short" });
  });
  slider.addEventListener("change", () => form.requestSubmit());
}
