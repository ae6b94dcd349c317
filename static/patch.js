// An htmx swap that changes only what differs. What the reader opened, typed, focused or selected stays as it is:
// replacing the elements would close it, and would move the row under the cursor. (What is typed or ticked is a property
// of its input and not an attribute, so it stays by itself.)
const OWNED_BY_READER = { DETAILS: ["open"], TR: ["data-selected"], SPAN: ["hidden"] };

function patchAttributes(current, fresh) {
  const kept = OWNED_BY_READER[current.nodeName] ?? [];
  for (const { name, value } of fresh.attributes) {
    if (!kept.includes(name) && current.getAttribute(name) !== value) current.setAttribute(name, value);
  }
  for (const { name } of [...current.attributes]) {
    if (!kept.includes(name) && !fresh.hasAttribute(name)) current.removeAttribute(name);
  }
}

// Not element.id: in a form with a field called "id" that is the field.
const idOf = (node) => (node.nodeType === Node.ELEMENT_NODE ? (node.getAttribute("id") ?? "") : "");

const sameThing = (current, fresh) => current.nodeName === fresh.nodeName && idOf(current) === idOf(fresh);

function patchChildren(current, fresh) {
  // What is gone goes first: were it left for the end, everything behind it would be moved, and a list would lose its place.
  const wantedIds = new Set([...fresh.children].map(idOf));
  for (const child of [...current.children]) if (idOf(child) && !wantedIds.has(idOf(child))) child.remove();
  const byId = new Map([...current.children].filter(idOf).map((child) => [idOf(child), child]));
  let place = current.firstChild;
  for (const wanted of [...fresh.childNodes]) {
    const match = idOf(wanted) ? byId.get(idOf(wanted)) : place;
    if (match && sameThing(match, wanted)) {
      if (match === place) place = place.nextSibling;
      else current.insertBefore(match, place);
      patchNode(match, wanted);
    } else {
      current.insertBefore(wanted, place);
    }
  }
  while (place) {
    const next = place.nextSibling;
    place.remove();
    place = next;
  }
}

function patchNode(current, fresh) {
  if (current.isEqualNode(fresh)) return;
  if (current.nodeType !== Node.ELEMENT_NODE) {
    current.nodeValue = fresh.nodeValue;
    return;
  }
  patchAttributes(current, fresh);
  patchChildren(current, fresh);
}

// What a reader asked for, such as the next page, comes at once, wherever the cursor is.
let isRefresh = true;
document.addEventListener("htmx:beforeSwap", ({ detail }) => {
  isRefresh = detail.requestConfig.elt.matches("[data-live]");
});

htmx.defineExtension("patch", {
  isInlineSwap: (style) => style === "patch",
  handleSwap(style, target, fragment) {
    const fresh = fragment.firstElementChild;
    if (style !== "patch" || !fresh) return false;
    localise(fragment);
    fresh.className = target.className; // htmx marks the element it polls with classes of its own
    const change = () => patchNode(target, fresh);
    if (isRefresh) steadily(target, change, (before) => patchNode(target, before));
    else change();
    return [target];
  },
});
