"""What can be seen of a page: whether everybody can use it, and how it looks."""

from pathlib import Path
from typing import Any

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

_AXE = Axe()


def violations(page: Page) -> list[str]:
    """Give what axe finds wrong with the page as it is, each with the first place of it. The policy of the page stays on.

    Before this, expect something that only the page to be judged shows: a click returns before the next page is there.
    """
    page.wait_for_load_state("load")
    found: Any = _AXE.run(page).response
    return [f"{v['id']}: {v['help']} at {v['nodes'][0]['html'][:200]}" for v in found["violations"]]


def sideways_px(page: Page) -> int:
    """Give by how many pixels the page is wider than its window: nobody should have to scroll sideways."""
    page.wait_for_load_state("load")  # without its styles any page is too wide
    wide: int = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    return wide


def times_without_zone(page: Page) -> list[str]:
    """Give the texts of time elements that name no zone."""
    texts: list[str] = page.eval_on_selector_all("time", "all => all.map(e => e.textContent.trim())")
    return [text for text in texts if "/" not in text and "UTC" not in text and "AoE" not in text]


def shot(page: Page, file: Path) -> None:
    """Keep a picture of the whole page."""
    file.parent.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=file, full_page=True)
