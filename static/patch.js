// An htmx swap that changes only what differs. What the reader opened, typed, focused or selected stays as it is:
// replacing the elements would close it, and would move the row under the cursor.
const OWNED_BY_READER = { DETAILS: ["open"], INPUT: ["value", "checked"], TR: ["data-selected"] };

function patchAttributes(current, fresh) {
  const kept = OWNED_BY_READER[current.nodeName] ?? [];
  for (const { name, value } of fresh.attributes) {
    if (!kept.includes(name) && current.getAttribute(name) !== value) current.setAttribute(name, value);
  }
  for (const { name } of [...current.attributes]) {
    if (!kept.includes(name) && !fresh.hasAttribute(name)) current.removeAttribute(name);
  }
}

function sameThing(current, fresh) {
  return current.nodeName === fresh.nodeName && (current.id ?? "") === (fresh.id ?? "");
}

function patchChildren(current, fresh) {
  const byId = new Map([...current.children].filter((child) => child.id).map((child) => [child.id, child]));
  let place = current.firstChild;
  for (const wanted of [...fresh.childNodes]) {
    const match = wanted.id ? byId.get(wanted.id) : place;
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

htmx.defineExtension("patch", {
  isInlineSwap: (style) => style === "patch",
  handleSwap(style, target, fragment) {
    const fresh = fragment.firstElementChild;
    if (style !== "patch" || !fresh) return false;
    localise(fragment);
    fresh.className = target.className; // htmx marks the element it polls with classes of its own
    patchNode(target, fresh);
    return [target];
  },
});
