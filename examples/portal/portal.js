const form = document.querySelector("form");
const drop = document.querySelector(".drop");
const problem = document.querySelector("[role=alert]");
const offload = document.body.dataset.offload;
const { Client } = await import(`${offload}/static/client/offload-client.js`);

const SHOWN = 2_000; // characters of the text; the whole of it stands behind the link

for (const name of ["dragenter", "dragover", "dragleave", "drop"]) {
  drop.addEventListener(name, (event) => {
    event.preventDefault();
    drop.classList.toggle("over", name === "dragenter" || name === "dragover");
  });
}

drop.addEventListener("drop", (event) => {
  if (!event.dataTransfer.files.length) return;
  form.elements.file.files = event.dataTransfer.files;
  form.requestSubmit();
});

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  const file = form.elements.file.files[0];
  const button = form.querySelector("button");
  problem.hidden = true;
  button.disabled = true;
  try {
    const response = await fetch("/documents", { method: "POST", body: new FormData(form) });
    const answer = await response.json().catch(() => ({ detail: `The portal answered ${response.status}.` }));
    if (!response.ok) throw new Error(answer.detail);
    show(file.name, answer);
    form.elements.file.value = "";
  } catch (error) {
    problem.textContent = error.message;
    problem.hidden = false;
  } finally {
    button.disabled = false;
  }
});

function show(name, { job, ticket, page }) {
  const article = document.querySelector("template").content.cloneNode(true).firstElementChild;
  article.querySelector("h2").textContent = name;
  article.querySelector("a").href = page;
  const progress = article.querySelector("offload-progress");
  for (const [attribute, value] of Object.entries({ server: offload, job, ticket, label: name })) {
    progress.setAttribute(attribute, value);
  }
  progress.addEventListener("offload-end", async ({ detail: status }) => {
    if (status.status !== "completed") return;
    const text = await new Client(offload, ticket).job(job).text("text.txt");
    const shown = article.querySelector("pre");
    shown.textContent = text.length > SHOWN ? `${text.slice(0, SHOWN)}…` : text;
    shown.hidden = false;
  });
  document.querySelector("section").prepend(article);
}
