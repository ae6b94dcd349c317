// Times arrive as UTC text inside <time datetime>; here they become the viewer's own (but for those of a schedule's zone), with the exact moment on hover.
const pad = (number, width = 2) => String(number).padStart(width, "0");
const clock = (at) => `${pad(at.getHours())}:${pad(at.getMinutes())}:${pad(at.getSeconds())}`;
const dayAndMonth = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short" });

function offset(at) {
  const minutes = -at.getTimezoneOffset();
  const size = Math.abs(minutes);
  return `UTC${minutes < 0 ? "−" : "+"}${pad(Math.floor(size / 60))}:${pad(size % 60)}`;
}

function localise(root) {
  const today = new Date().toDateString();
  for (const element of root.querySelectorAll("time[datetime]:not([data-zoned])")) {
    const at = new Date(element.dateTime);
    const day = dayAndMonth.format(at);
    element.textContent = at.toDateString() === today ? clock(at) : `${day} ${clock(at).slice(0, 5)}`;
    element.title = `${day} ${at.getFullYear()} ${clock(at)}.${pad(at.getMilliseconds(), 3)} ${offset(at)}`;
  }
}

localise(document);
for (const place of document.querySelectorAll("[data-zone]")) {
  place.textContent = Intl.DateTimeFormat().resolvedOptions().timeZone;
}

// What is left of a time, such as that in which a deletion can be undone. When it is over the offer goes, and leaves its place.
function countDown() {
  for (const left of document.querySelectorAll("[data-until]")) {
    const seconds = Math.ceil((Number(left.dataset.until) - Date.now()) / 1000);
    left.textContent = seconds >= 60 ? `${Math.ceil(seconds / 60)} min` : `${Math.max(0, seconds)} s`;
    if (seconds <= 0) left.closest("form")?.classList.add("ended");
  }
}

if (document.querySelector("[data-until]")) setInterval(countDown, 1000);
