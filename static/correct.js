// Correcting a page in place: Enter saves a word, Tab goes to the next doubtful one, and nothing that was typed is lost.
const part = () => document.getElementById("page");
const form = () => document.getElementById("correct");
const fields = () => [...(part()?.querySelectorAll("input.word") ?? [])];
const dirty = new Map(); // texts that were typed and not saved yet, by the word's number

function mark(number, on) {
  for (const one of part()?.querySelectorAll(`[data-word="${CSS.escape(number)}"]`) ?? []) one.classList.toggle("at", on);
}

for (const [event, on] of [["pointerover", true], ["pointerout", false], ["focusin", true], ["focusout", false]]) {
  document.addEventListener(event, (happened) => {
    const word = happened.target.closest?.("[data-word]");
    if (word) mark(word.dataset.word, on);
  });
}

document.addEventListener("focusin", (event) => {
  if (!event.target.matches("input.word[data-word]")) return;
  const box = part().querySelector(`g[data-word="${CSS.escape(event.target.dataset.word)}"]`);
  // On a narrow screen picture and text stand below each other: nothing is scrolled away from under the fingers.
  if (matchMedia("(min-width: 52rem)").matches) box?.scrollIntoView({ block: "nearest" });
});

document.addEventListener("input", (event) => {
  if (event.target.matches("input.word[data-word]")) dirty.set(event.target.dataset.word, event.target.value);
});

function field(button, name, value, size) {
  const input = document.createElement("input");
  Object.assign(input, { className: "word", value, size, maxLength: 4000, dir: "auto", autocomplete: "off", spellcheck: false });
  input.setAttribute("aria-label", button.getAttribute("aria-label") ?? value);
  input.dataset[name] = button.dataset[name === "line" ? "editLine" : "word"];
  return input;
}

function editWord(button) {
  const input = field(button, "word", button.textContent, Math.max(3, button.textContent.length + 1));
  button.replaceWith(input);
  input.focus();
  input.select();
}

function editLine(button) {
  const line = button.closest(".line");
  const input = field(button, "line", button.dataset.text, Math.max(10, button.dataset.text.length));
  input.classList.add("whole-line");
  line.replaceChildren(input);
  input.focus();
}

async function send(change, after) {
  const body = new URLSearchParams({ version: form().elements.version.value, ...change });
  if (form().elements.csrf) body.set("csrf", form().elements.csrf.value);
  const sending = part();
  sending.setAttribute("aria-busy", "true");
  let answer, text;
  try {
    answer = await fetch(form().action, { method: "POST", body, headers: { "X-Fragment": "1" } });
    text = await answer.text();
  } catch {
    answer = null;
  }
  sending.removeAttribute("aria-busy");
  const fresh = answer && new DOMParser().parseFromString(text, "text/html").getElementById("page");
  if (!fresh) return announce(part().dataset.lost);
  if (answer.ok && change.order) dirty.delete(change.order);
  show(fresh);
  after?.(answer.ok);
}

function announce(words) {
  const told = document.createElement("p");
  told.className = "body doubt state-failed";
  told.setAttribute("role", "alert");
  told.textContent = words;
  part().querySelector("[data-told]")?.remove();
  told.dataset.told = "";
  part().querySelector("header").after(told);
}

function show(fresh) {
  const seen = document.importNode(fresh, true);
  part().replaceWith(seen);
  for (const [number, text] of dirty) {
    const word = seen.querySelector(`.lines [data-word="${CSS.escape(number)}"]`);
    if (word?.matches("input")) word.value = text;
  }
}

function focusFrom(number, step = 1) {
  const all = fields();
  const next = step > 0 ? all.find((one) => Number(one.dataset.word) >= number) : all.findLast((one) => Number(one.dataset.word) < number);
  const goal = next ?? all[0] ?? part().querySelector("[data-approve], [data-next-page]");
  goal?.focus();
  goal?.select?.();
}

function save(input) {
  if (input.dataset.line !== undefined) return send({ line: input.dataset.line, text: input.value });
  const order = input.dataset.word;
  // An empty word is refused by the server in words; it is taken off by Delete.
  return send({ order, text: input.value }, (ok) => focusFrom(Number(order) + (ok ? 1 : 0)));
}

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing || !part()) return;
  if (event.target.matches("input.word")) {
    if (event.key === "Enter") {
      event.preventDefault();
      save(event.target);
    } else if (event.key === "Delete" && !event.target.value && event.target.dataset.word !== undefined) {
      event.preventDefault();
      const order = event.target.dataset.word;
      send({ order, remove: "1" }, () => focusFrom(Number(order)));
    }
    return;
  }
  if (event.target.closest("input, select, textarea, [contenteditable]")) return;
  const keys = {
    n: () => part().querySelector("[data-next-page]")?.click(),
    a: () => part().querySelector("[data-approve]")?.click(),
    j: () => focusFrom(0),
    k: () => focusFrom(Infinity, -1),
  };
  if (!keys[event.key]) return;
  event.preventDefault();
  keys[event.key]();
});

document.addEventListener("click", (event) => {
  const word = event.target.closest("button.word");
  const line = event.target.closest("[data-edit-line]");
  const box = event.target.closest("svg.sheet [data-word]");
  if (word) editWord(word);
  else if (line) editLine(line);
  else if (box) {
    const goal = part().querySelector(`.lines [data-word="${CSS.escape(box.dataset.word)}"]`);
    if (goal?.matches("button")) editWord(goal);
    else goal?.focus();
  }
});

document.addEventListener("submit", (event) => {
  if (event.target !== form()) return;
  event.preventDefault();
  if (event.submitter?.name === "approved") {
    return send({ approved: event.submitter.value }, (ok) => ok && part().querySelector("[data-next-page]")?.focus());
  }
  const changed = Object.fromEntries([...dirty].map(([number, text]) => [`word-${number}`, text]));
  send(changed, (ok) => ok && dirty.clear());
});

window.addEventListener("beforeunload", (event) => {
  if (dirty.size) event.preventDefault();
});
