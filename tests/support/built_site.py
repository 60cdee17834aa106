"""The built site, for the tests in a browser: _build/html, or the folder named by BOOK_SITE."""

import base64
import json
import os
import re
from pathlib import Path

from tests.support.browser import show_yourself, watched

ROOT = Path(__file__).resolve().parents[2]
SITE = Path(os.environ.get("BOOK_SITE", ROOT / "_build" / "html")).resolve()
PAGES = sorted(
    path.relative_to(SITE).as_posix()
    for path in SITE.rglob("*.html")
    if not path.relative_to(SITE).parts[0].startswith("_") and path != SITE / "index.html"
)
MANAGED = re.compile(  # what is left to Jupyter's manager
    r'<script type="application/vnd.jupyter.widget-state\+json">(.*?)</script>', re.S
)
MOUNTED = re.compile(r'<script type="application/json" class="explorers">(.*?)</script>', re.S)
LAB = "chapters/lab.html"
FORMULA = 'class="math'
EXPLORER = "ddim_lib.widgets.grid.GridExplorer"
STILL = ".widget-still.gridexplorer"
COME_NEAR = f"""() => {{ // its picture may go at any moment, and with it the place
  const place = document.querySelector("{STILL}, .ddim-grid");
  place.scrollIntoView({{ block: "center", behavior: "instant" }});
  return document.querySelector(".ddim-grid canvas:not([hidden])");
}}"""
PHONE = {"width": 390, "height": 844}


def explorers(page: str) -> list[dict]:
    """Return the stored states of a page's grid explorers, their sheets decoded."""
    html = (SITE / page).read_text()
    found = []
    for match in MOUNTED.findall(html):
        for model in json.loads(match)["models"].values():
            if model["source"] == "gridexplorer":
                found.append(model["state"] | {"sheet": model["buffers"]["sheet"]})
    for match in MANAGED.findall(html):
        for model in json.loads(match)["state"].values():
            if model["state"].get("_anywidget_id") == EXPLORER:
                found.append(model["state"] | {"sheet": model["buffers"][0]["data"]})
    return [state | {"sheet": base64.b64decode(state["sheet"])} for state in found]


def calm(browser, base: str, **options):
    """Open a watched page that plays nothing by itself, so that the tests' time is their own."""
    return watched(browser, base, reduced_motion="reduce", **options)


def open_explorer(watch, address: str):
    """Open a page and bring its first explorer to life; return its element."""
    watch.page.goto(address)
    return come_near(watch.page)


def come_near(page):
    """Bring the first explorer of an opened page to life; return its element."""
    show_yourself(page)
    page.wait_for_function(COME_NEAR)
    return page.locator(".ddim-grid").first
