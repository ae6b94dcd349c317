"""A page gone through by the Tab key alone: what cannot be reached, cannot be seen, or comes in another order than it is read."""

import asyncio

from playwright.async_api import Page

CONTROLS = """() => {
    const found = [...document.querySelectorAll(
        "a[href], button, input:not([type=hidden]), select, textarea, summary, [tabindex='0'], [contenteditable]")];
    return found.filter(one => {
        if (one.disabled || one.tabIndex < 0 || !one.checkVisibility({visibilityProperty: true})) return false;
        if (one.type !== "radio") return true;
        const group = [...document.querySelectorAll(`input[type=radio][name="${CSS.escape(one.name)}"]`)];
        return one === (group.find(other => other.checked) ?? group[0]);
    }).map(one => { one.dataset.seen = ""; return one.outerHTML.slice(0, 120); });
}"""
"""All that Tab must reach: what is folded away or hidden is reached once it is opened."""

WATCH = """() => {
    window.faults = [];
    let before = null;
    // From the top, also where a field was given the focus as the page came.
    document.body.tabIndex = -1;
    document.body.focus();
    document.body.removeAttribute("tabindex");
    scrollTo(0, 0);
    document.addEventListener("focusin", ({target: one}) => {
        if (one.dataset.seen === "yes") return;
        one.dataset.seen = "yes";
        const style = getComputedStyle(one), box = one.getBoundingClientRect(), form = one.closest("form");
        const fault = words => window.faults.push(`${words}: ${one.outerHTML.slice(0, 120)}`);
        if ((style.outlineStyle === "none" || !parseFloat(style.outlineWidth)) && style.boxShadow === "none")
            fault("its focus cannot be seen");
        if (one.tabIndex > 0) fault("it has a place of its own in the order");
        const top = box.top + scrollY;
        if (form && before?.form === form && top + box.height < before.top - 1) fault("it stands above what came before it");
        before = {form, top};
    });
}"""
"""Remarks on each control as it comes to have the focus."""

FAULTS = """() => [
    ...window.faults,
    ...[...document.querySelectorAll("[data-seen='']")].map(one => `Tab does not reach ${one.outerHTML.slice(0, 120)}`),
]"""


async def by_keyboard(page: Page) -> list[str]:
    """Faults met in going through the page by Tab alone."""
    controls = await page.evaluate(CONTROLS)
    await page.evaluate(WATCH)
    # A date has several places for the cursor.
    presses = len(controls) + 20
    if len(page.frames) == 1:
        await asyncio.gather(*(page.keyboard.press("Tab") for _ in range(presses)))
    else:
        await _through_frames(page, presses)
    found: list[str] = await page.evaluate(FAULTS)
    return found


async def _through_frames(page: Page, presses: int) -> None:
    """Press Tab one at a time: a frame in a process of its own takes the focus after the press that leads there has returned."""
    for frame in page.frames[1:]:
        presses += len(await frame.evaluate(CONTROLS))
    for _ in range(presses):
        await page.keyboard.press("Tab")
        await page.evaluate("new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")
