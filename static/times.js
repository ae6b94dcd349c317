// Times arrive in the zone that the server knows, inside <time datetime> in UTC. Here they become short, in the zone that was
// chosen, else in the browser's own (but for those of a schedule's zone), with the exact moment on hover.
const page = document.documentElement;
const browserZone = Intl.DateTimeFormat().resolvedOptions().timeZone ?? "UTC";
const shownZone = page.dataset.shownZone || browserZone;
const german = page.lang === "de";
const pad = (number, width = 2) => String(number).padStart(width, "0");
const parts = new Intl.DateTimeFormat("en-GB", {
  timeZone: shownZone, hourCycle: "h23", year: "numeric", month: "2-digit", day: "2-digit",
  hour: "2-digit", minute: "2-digit", second: "2-digit", timeZoneName: "longOffset",
});
const shortMonth = new Intl.DateTimeFormat("en-GB", { timeZone: shownZone, month: "short" });

const inZone = (at) => Object.fromEntries(parts.formatToParts(at).map(({ type, value }) => [type, value]));
const clockOf = (shown) => `${shown.hour}:${shown.minute}:${shown.second}`;
const clock = (at) => clockOf(inZone(at));
const offset = (shown) => shown.timeZoneName.replace("GMT", "UTC").replace("-", "−").replace(/UTC$/, "UTC+00:00");

function dayOf(at, shown, withYear) {
  if (german) return `${shown.day}.${shown.month}.${withYear ? shown.year : ""}`;
  return `${Number(shown.day)} ${shortMonth.format(at)}${withYear ? ` ${shown.year}` : ""}`;
}

function localise(root) {
  const now = inZone(new Date());
  for (const element of root.querySelectorAll("time[datetime]:not([data-zoned])")) {
    const at = new Date(element.dateTime);
    const shown = inZone(at);
    const today = shown.year === now.year && shown.month === now.month && shown.day === now.day;
    element.textContent = today ? clockOf(shown) : `${dayOf(at, shown, shown.year !== now.year)} ${clockOf(shown).slice(0, 5)}`;
    element.title = `${dayOf(at, shown, true)} ${clockOf(shown)}.${pad(at.getMilliseconds(), 3)} ${offset(shown)}`;
  }
}

localise(document);
for (const place of document.querySelectorAll("[data-zone]")) place.textContent = shownZone;

// The next page then comes in this zone from the server, also where no script runs on a part of it.
if (page.dataset.shownZone === "") {
  const secure = location.protocol === "https:" ? "; secure" : "";
  document.cookie = `offload_browser_zone=${encodeURIComponent(browserZone)}; path=/admin; max-age=31536000; samesite=lax${secure}`;
}

// What is left of a time, such as that in which a deletion can be undone. When it is over the offer goes, and leaves its place.
function countDown() {
  for (const left of document.querySelectorAll("[data-until]")) {
    const seconds = Math.ceil((Number(left.dataset.until) - Date.now()) / 1000);
    left.textContent = seconds >= 60 ? `${Math.ceil(seconds / 60)} min` : `${Math.max(0, seconds)} s`;
    if (seconds <= 0) left.closest("form")?.classList.add("ended");
  }
}

// Always: an offer may come with a refresh.
setInterval(countDown, 1000);
