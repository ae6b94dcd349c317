// A list that follows its newest line at the bottom, until the reader scrolls up; then it stays where the reader is.
const NEAR_PX = 24;

const following = (list) => list.scrollHeight - list.scrollTop - list.clientHeight < NEAR_PX;

function toTheEnd(list) {
  list.scrollTop = list.scrollHeight;
}

for (const list of document.querySelectorAll("[data-follow]")) toTheEnd(list);

document.addEventListener("htmx:beforeSwap", (event) => {
  for (const list of event.target.querySelectorAll("[data-follow]")) list.follows = following(list);
});

document.addEventListener("htmx:afterSwap", (event) => {
  for (const list of event.target.querySelectorAll("[data-follow]")) if (list.follows) toTheEnd(list);
});
