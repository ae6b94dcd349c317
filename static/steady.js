// Nothing moves under the cursor: a refresh that would move what the pointer is on, or what has the focus, is taken back
// before it is painted, and comes once the pointer or the focus is elsewhere, or has rested for a minute.
const REST_MS = 60_000;
const ROWS = "tr, .card";
const CONTROLS = "a, button, summary, input, select, textarea, label";
const FOCUSABLE = "a[href], button, summary, input, select, textarea, [tabindex]";
let pointer = null;
let lastInput = performance.now();
const heldBack = new Set(); // the parts of the page whose last refresh was taken back

for (const kind of ["pointermove", "pointerdown", "keydown", "wheel"]) {
  const seen = (event) => {
    lastInput = performance.now();
    if (event.pointerType === "mouse") pointer = { x: event.clientX, y: event.clientY };
  };
  document.addEventListener(kind, seen, { capture: true, passive: true });
}

document.documentElement.addEventListener("pointerleave", () => {
  pointer = null;
  release();
});
document.addEventListener("pointerover", (event) => {
  if (!event.target.closest(`${ROWS}, ${CONTROLS}`)) release();
});
document.addEventListener("focusout", () => setTimeout(release));

function release() {
  const parts = [...heldBack];
  heldBack.clear();
  for (const part of parts) if (part.isConnected) htmx.trigger(part, "refresh");
}

const underPointer = () => pointer && document.elementFromPoint(pointer.x, pointer.y);

function anchorOf(element, pointed) {
  const anchor = element?.closest(ROWS) ?? element?.closest(CONTROLS);
  if (!anchor) return null;
  const { top, left, bottom } = anchor.getBoundingClientRect();
  return bottom < 0 || top > innerHeight ? null : { anchor, control: element.closest(CONTROLS), top, left, pointed };
}

function anchors() {
  if (performance.now() - lastInput > REST_MS) return [];
  return [anchorOf(underPointer(), true), anchorOf(document.activeElement, false)].filter(Boolean);
}

function hasMoved({ anchor, control, top, left, pointed }) {
  if (!anchor.isConnected || (control && !control.isConnected)) return true;
  const now = anchor.getBoundingClientRect();
  if (Math.abs(now.top - top) > 1 || Math.abs(now.left - left) > 8) return true;
  return pointed && !(control ?? anchor).contains(underPointer());
}

// Carries out `change` on a part of the page, unless it moves something under the cursor: then all is as it was.
function steadily(part, change, restore) {
  const fixed = anchors();
  if (!fixed.length) {
    heldBack.delete(part);
    return change();
  }
  const before = part.cloneNode(true);
  const focused = document.activeElement;
  const holder = focused.closest("[id]");
  const place = holder ? [...holder.querySelectorAll(FOCUSABLE)].indexOf(focused) : -1;
  change();
  if (!fixed.some(hasMoved)) return heldBack.delete(part);
  heldBack.add(part);
  restore(before);
  // What was gone for a moment has lost the focus.
  if (place >= 0 && !focused.isConnected) {
    document.getElementById(holder.id)?.querySelectorAll(FOCUSABLE)[place]?.focus({ preventScroll: true });
  }
}
