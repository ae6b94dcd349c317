// The slider over the last month: it says which moment it stands at, and shows it once it is let go of.
const pastForm = document.querySelector("[data-past]");

if (pastForm) {
  const slider = pastForm.querySelector("input[type=range]");
  const words = pastForm.querySelector("output");
  slider.addEventListener("input", () => {
    words.textContent = new Date(Number(slider.value)).toLocaleString(page.lang === "de" ? "de" : "en-GB", { dateStyle: "medium", timeStyle: "short", timeZone: shownZone });
  });
  slider.addEventListener("change", () => pastForm.requestSubmit());
}
