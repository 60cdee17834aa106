"""Explorers that are tied to no other widget are mounted by the site's own few lines."""

import importlib.util
import json
from pathlib import Path

import ipywidgets
import numpy as np
import pytest
from ipywidgets.embed import dependency_state

from ddim_lib.widgets import chain, explore, flow
from tests.support.browser import watched
from tests.support.step_page import WEB

FILE = WEB.parent / "extensions" / "page_widgets.py"


@pytest.fixture(scope="module")
def extension():
    """The extension of the site that writes the places and the states."""
    spec = importlib.util.spec_from_file_location("page_widgets", FILE)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def grid():
    """A grid explorer whose pictures are as grey as its η."""
    return explore(lambda eta, steps: np.full((20, 20), eta), eta=[0, 0.4, 1], steps=[5, 9])


def stored(*widgets: ipywidgets.Widget) -> dict:
    """The models of these widgets, of what they hold and are linked by, as a notebook has them."""
    return dependency_state(list(widgets), drop_defaults=False)


def own(extension, models: dict) -> list[str]:
    """Names of the classes that the site mounts itself."""
    ids = extension.own_models(models)
    return sorted(models[i]["state"].get("_anywidget_id", "link").split(".")[-1] for i in ids)


def write(folder: Path, extension, models: dict) -> None:
    """A page as the extension makes it, of these models."""
    states = extension.explorer_states(models, extension.own_models(models))
    places = "".join(
        f'<div><img class="widget-still" alt="">{extension.PLACE.format(id=key, inside="")}</div>'
        for key in states["models"]
    )
    (folder / "index.html").write_text(
        f"<!doctype html><meta charset=utf-8><link rel=icon href=data:,>{places}"
        f"{extension.STATES.format(json=extension.in_script(states))}"
        "<script src=web/widgets.js></script>"
    )
    (folder / "web").symlink_to(Path(WEB))


def test_who_is_tied_to_whom(extension):
    assert own(extension, stored(chain())) == ["ChainExplorer"]
    one, other, slider = flow(), grid(), ipywidgets.FloatSlider()
    link = ipywidgets.jslink((one, "eta"), (other, "eta"))
    assert own(extension, stored(one, other, link)) == ["FlowExplorer", "GridExplorer", "link"]
    tie = ipywidgets.jsdlink((slider, "value"), (other, "eta"))
    alone = chain()
    assert own(extension, stored(one, other, link, slider, tie, alone)) == ["ChainExplorer"]
    boxed = flow()
    assert own(extension, stored(ipywidgets.HBox([boxed]), boxed, alone)) == ["ChainExplorer"]


def test_linked_explorers_move_each_other_without_a_manager(extension, browser, site):
    folder, base = site
    one, other = flow("ring", steps=5), grid()
    models = stored(one, other, ipywidgets.jslink((one, "eta"), (other, "eta")))
    write(folder, extension, models)
    with watched(browser, base, reduced_motion="reduce") as watch:
        page = watch.page
        page.goto(base + "index.html")
        page.locator(".ddim-grid canvas").wait_for()
        page.locator(".ddim-flow").get_by_label("η, the share").press("End")
        page.locator(".ddim-flow").get_by_label("η, the share").press("PageDown")
        line = page.locator(".ddim-grid output")
        assert line.inner_text() == "η = 1.00 · 9 steps · nearest stored"
        page.locator(".ddim-grid input.eta").press("Home")
        page.locator(".ddim-flow output", has_text="5 steps · η = 0.00").wait_for()
        assert page.locator(".widget-still").count() == 0
        assert not [url for url in watch.requested if "vendor" in url]
        assert watch.problems() == []


def test_a_one_way_link_is_one_way(extension, browser, site):
    folder, base = site
    one, other = grid(), grid()
    write(folder, extension, stored(one, other, ipywidgets.jsdlink((one, "eta"), (other, "eta"))))
    order = {one.model_id: 0, other.model_id: 1}
    first, second = (sorted(order).index(e.model_id) for e in (one, other))
    with watched(browser, base) as watch:
        watch.page.goto(base + "index.html")
        watch.page.locator(".ddim-grid canvas").nth(1).wait_for()
        eta, line = watch.page.locator("input.eta"), watch.page.locator("output")
        eta.nth(second).press("End")
        assert line.nth(first).inner_text().startswith("η = 0.00")
        eta.nth(first).press("ArrowRight")
        assert line.nth(second).inner_text().startswith("η = 0.40")
        assert watch.problems() == []


def test_two_of_a_kind_share_their_module(extension):
    models = stored(chain(), chain("cosine"))
    states = extension.explorer_states(models, extension.own_models(models))
    assert list(states["sources"]) == ["chainexplorer"]
    shown = {model["state"]["schedule"] for model in states["models"].values()}
    assert shown == {"linear", "cosine"}
    assert "</" not in extension.in_script({"text": "</script>"})
    assert json.loads(extension.in_script({"text": "</script>"})) == {"text": "</script>"}
