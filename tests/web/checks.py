"""Checks of a page in a browser, to be run on any page; each names the requirement that it looks for."""

from dataclasses import dataclass
from typing import Any

from playwright.sync_api import Page

from vault.assets.manifest import Assets

ARGUMENTS = ["--no-sandbox"]
OUR_FONTS = {"Atkinson Hyperlegible Next", "Noto Sans Arabic"}


def axe_violations(page: Page, assets: Assets, *, contrast_enhanced: bool) -> list[str]:
    """A11Y-01, A11Y-03: what axe finds, target sizes on; contrast of 7 to 1 on pages for people."""
    page.evaluate(assets.path("test/axe.js").read_text(encoding="utf-8"))
    found = page.evaluate(
        """async (enhanced) => {
            const result = await axe.run(document, {
                runOnly: { type: "tag", values: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"] },
                resultTypes: ["violations"],
                preload: false,
                rules: {
                    "target-size": { enabled: true }, "color-contrast": { enabled: !enhanced },
                    "color-contrast-enhanced": { enabled: enhanced },
                },
            });
            const where = (one) => one.nodes.map((node) => node.html).join(" | ").slice(0, 400);
            return result.violations.map((one) => `${one.id}: ${where(one)}`);
        }""",
        contrast_enhanced,
    )
    return list(found)


def small_targets(page: Page, least: float = 48.0, apart: float = 8.0) -> list[str]:
    """A11Y-02: everything that is pressed is large enough and far enough from its neighbours."""
    return list(
        page.evaluate(
            """([least, apart]) => {
                const seen = (element) => element.getClientRects().length && getComputedStyle(element).visibility !== "hidden";
                const pressed = [...document.querySelectorAll("a[href], button, input:not([type=hidden]), select, textarea")]
                    .filter(seen).filter((element) => !element.closest(".skip, .errors, p, dt, dd"));
                const box = (element) => (element.closest("label.check") ?? element).getBoundingClientRect();
                const boxes = pressed.map((element) => ({ element, box: box(element) }));
                const name = (element) => element.outerHTML.slice(0, 120);
                const wrong = [];
                for (const { element, box } of boxes)
                    if (Math.min(box.width, box.height) < least - 0.5) wrong.push(`small ${box.width}x${box.height} ${name(element)}`);
                for (const [place, one] of boxes.entries()) for (const other of boxes.slice(place + 1)) {
                    if (one.element.contains(other.element) || other.element.contains(one.element)) continue;
                    const ending = (element) => element.closest(".ending, .frame");
                    if (Boolean(ending(one.element)) !== Boolean(ending(other.element))) continue;
                    // A voice stands on the tile that it says: it is meant to be inside it.
                    const tile = (element) => element.closest(".choice, .picture-choice");
                    if (tile(one.element) && tile(one.element) === tile(other.element)) continue;
                    const across = Math.max(other.box.left - one.box.right, one.box.left - other.box.right);
                    const down = Math.max(other.box.top - one.box.bottom, one.box.top - other.box.bottom);
                    if (Math.max(across, down) < apart - 0.5) wrong.push(`near ${name(one.element)} ${name(other.element)}`);
                }
                return wrong;
            }""",
            [least, apart],
        )
    )


def small_text(page: Page, least: float = 18.0) -> list[str]:
    """TXT-04: size, line height, no capitals, no italics, aligned at the start or in the middle of what is pressed."""
    return list(
        page.evaluate(
            """(least) => {
                const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
                const wrong = new Set();
                for (let node = walker.nextNode(); node; node = walker.nextNode()) {
                    const element = node.parentElement;
                    if (!node.textContent.trim() || !element.getClientRects().length) continue;
                    if (element.closest("noscript, script, option")) continue;
                    const style = getComputedStyle(element);
                    const size = parseFloat(style.fontSize);
                    const line = style.lineHeight === "normal" ? 0 : parseFloat(style.lineHeight);
                    const say = (what) => wrong.add(`${what}: ${node.textContent.trim().slice(0, 60)} (${element.className})`);
                    if (size < least - 0.01) say(`size ${size}`);
                    if (line < size * 1.5 - 0.5) say(`line ${line}/${size}`);
                    if (style.textTransform === "uppercase") say("capitals");
                    if (style.fontStyle !== "normal") say("italics");
                }
                return [...wrong];
            }""",
            least,
        )
    )


def overflowing(page: Page) -> list[str]:
    """A11Y-04, L10N-05: no sideways scrolling, no text cut off."""
    return list(
        page.evaluate(
            """() => {
                const wrong = [];
                const root = document.documentElement;
                if (root.scrollWidth > root.clientWidth) wrong.push(`page ${root.scrollWidth} > ${root.clientWidth}`);
                for (const element of document.querySelectorAll("body *")) {
                    if (!element.getClientRects().length) continue;
                    if (element.closest("svg, .unseen, .table-scroll, option, video, noscript")) continue;
                    if (element.matches(".unseen, input, select, img, svg, html, body")) continue;
                    const style = getComputedStyle(element);
                    if (style.display === "inline") continue;
                    const across = element.scrollWidth > element.clientWidth + 1;
                    const down = style.overflowY !== "visible" && element.scrollHeight > element.clientHeight + 1;
                    if (across || down) wrong.push(`${element.tagName}.${element.className} ${element.scrollWidth}>${element.clientWidth}`);
                }
                return wrong;
            }"""
        )
    )


def outside(page: Page, selector: str) -> list[str]:
    """SAFE-07: what is not whole in the window before any scrolling."""
    return list(
        page.evaluate(
            """(selector) => [...document.querySelectorAll(selector)].filter((element) => {
                const box = element.getBoundingClientRect();
                return box.top < 0 || box.bottom > innerHeight + 0.5 || box.left < 0 || box.right > innerWidth + 0.5 || !box.height;
            }).map((element) => element.outerHTML.slice(0, 100))""",
            selector,
        )
    )


def foreign_fonts(page: Page, expected: set[str] | None = None) -> set[str]:
    """L10N-03: fonts really used to draw the letters of the page, apart from our own."""
    client = page.context.new_cdp_session(page)
    client.send("DOM.enable")
    client.send("CSS.enable")
    root: dict[str, Any] = client.send("DOM.getDocument", {"depth": -1})
    nodes = client.send(
        "DOM.querySelectorAll", {"nodeId": root["root"]["nodeId"], "selector": "h1, p, span, a, button, label, dt, dd, li"}
    )
    used: set[str] = set()
    for node in nodes["nodeIds"]:
        fonts = client.send("CSS.getPlatformFontsForNode", {"nodeId": node})["fonts"]
        used |= {font["familyName"] for font in fonts if font["glyphCount"]}
        assert all(font["isCustomFont"] for font in fonts if font["familyName"] in OUR_FONTS)
    client.detach()
    return used - (expected if expected is not None else OUR_FONTS)


@dataclass(frozen=True)
class Stop:
    """One stop of the Tab key: what has the focus, and what the eye sees of it."""

    name: str
    outline: float
    seen: bool


def tab_stops(page: Page, most: int = 60) -> list[Stop]:
    """A11Y-06: every stop of the Tab key through the page, once around."""
    stops: list[Stop] = []
    page.evaluate("document.activeElement.blur()")
    for _ in range(most):
        page.keyboard.press("Tab")
        found = page.evaluate(
            """() => {
                const element = document.activeElement;
                if (!element || element === document.body) return null;
                const box = element.getBoundingClientRect();
                const at = document.elementFromPoint(box.left + box.width / 2, box.top + box.height / 2);
                const style = getComputedStyle(element);
                return {
                    name: element.outerHTML.slice(0, 100),
                    outline: style.outlineStyle === "none" ? 0 : parseFloat(style.outlineWidth),
                    seen: Boolean(at) && (element.contains(at) || at.contains(element) || element.matches(".choice-face, .picture-face")),
                };
            }"""
        )
        if found is None:
            return stops
        stops.append(Stop(**found))
    return stops
