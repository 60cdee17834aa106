"""Sphinx extension: the stored picture of a widget stands on the page until the widget does.

A notebook output that carries both a widget and a PNG gives an image with alt text, followed by
the widget; web/widgets.js brings the widget to life when the reader comes near, and takes the image
away. Without JavaScript the image stays. The widgets' state, the heaviest part of a page, comes
last in it instead of first.

An explorer of this book that is linked to none but its like is mounted by web/widgets.js itself: it
stands in the page as <div class="explorer">, its state in a script of its own, each module once.
What Jupyter's own controls are linked to is left to its widget manager, 0.9 MB on the wire.

    ```{explorer} flow
    :alt: what its picture shows
    ```

stands for an explorer outside a notebook: its module, and the state stored in web/landing.
"""

import json
import re
import runpy
from html import escape
from pathlib import Path
from typing import ClassVar

from docutils import nodes
from docutils.parsers.rst import directives
from myst_nb.core.render import WIDGET_STATE_MIMETYPE, WIDGET_VIEW_MIMETYPE
from myst_nb.sphinx_ import NbMetadataCollector
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.transforms.post_transforms import SphinxPostTransform
from sphinx.util.docutils import SphinxDirective

ROOT = Path(__file__).parent.parent
LANDING = ROOT / "web" / "landing"
WIDGETS = ROOT / "ddim_lib" / "widgets"  # read as files: building the site needs no PyTorch
PACKAGE = "ddim_lib.widgets."
LINKS = ("LinkModel", "DirectionalLinkModel")
REFERENCE = re.compile(r"IPY_MODEL_(\w+)")
PLACE = '<div class="explorer" data-model="{id}">{inside}</div>'
STATES = '<script type="application/json" class="explorers">{json}</script>'


def in_script(value: object) -> str:
    """Return JSON that no HTML parser takes for the end of a script."""
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False).replace("</", "<\\/")


class Explorer(SphinxDirective):
    """An explorer on its own: nothing but its module and a state."""

    required_arguments = 1
    option_spec: ClassVar = {"alt": directives.unchanged_required}

    def run(self) -> list[nodes.Node]:
        """Write the explorer's place and its state into the page."""
        name = self.arguments[0]
        bundle = runpy.run_path(str(WIDGETS / "parts.py"))["bundle"]
        state = LANDING / f"{name}.json"
        for path in (state, *(WIDGETS / "page").iterdir()):
            self.env.note_dependency(str(path))
        picture = f"_static/landing/{name}.png"
        still = (
            f'<img src="{picture}" alt="{escape(self.options["alt"])}" width="720" height="405">'
        )
        states = {
            "sources": {name: {"esm": bundle(f"{name}.js"), "css": bundle(f"{name}.css")}},
            "models": {name: {"source": name, "state": json.loads(state.read_text("utf-8"))}},
            "links": [],
        }
        place = PLACE.format(id=name, inside=f"<noscript>{still}</noscript>")
        return [nodes.raw("", place + STATES.format(json=in_script(states)), format="html")]


def own_models(models: dict[str, dict]) -> set[str]:
    """Return the ids of the explorers, and links, that are tied to explorers of this book only."""
    ours = {
        key
        for key, model in models.items()
        if model["state"].get("_anywidget_id", "").startswith(PACKAGE)
        or model["model_name"] in LINKS
    }
    tied = {
        key: {
            other
            for other in REFERENCE.findall(json.dumps(model["state"]))
            if not _plain(models, other)
        }
        for key, model in models.items()
    }
    while foreign := {
        key
        for key in ours
        if any(other not in ours for other in tied[key])
        or any(key in ends and owner not in ours for owner, ends in tied.items())
    }:
        ours -= foreign
    return ours


def _plain(models: dict[str, dict], key: str) -> bool:
    """Whether a model is only how a widget is laid out, which an explorer sees to itself."""
    return models[key]["model_name"] == "LayoutModel"


def explorer_states(models: dict[str, dict], own: set[str]) -> dict[str, dict | list]:
    """Return what web/widgets.js needs of these models: each module once, states, links."""
    states: dict[str, dict | list] = {"sources": {}, "models": {}, "links": []}
    for key in sorted(own):
        state = models[key]["state"]
        if models[key]["model_name"] in LINKS:
            ends = [
                [REFERENCE.search(end)[1], trait]
                for end, trait in (state["source"], state["target"])
            ]
            both = models[key]["model_name"] == "LinkModel"
            states["links"].append([*ends, both])
            continue
        source = _kind(state)
        states["sources"][source] = {"esm": state["_esm"], "css": state["_css"]}
        traits = {k: v for k, v in state.items() if not k.startswith("_") and k != "layout"}
        buffers = {buffer["path"][0]: buffer["data"] for buffer in models[key].get("buffers", [])}
        states["models"][key] = {"source": source, "state": traits, "buffers": buffers}
    return states


class WidgetStills(SphinxPostTransform):
    """Put each widget's PNG before the widget, with the widget's own alt text."""

    default_priority = 3  # one before myst-nb chooses one of an output's forms
    formats = ("html",)

    def run(self, **kwargs: object) -> None:
        """Change every output that has both forms."""
        models = stored_models(self.env, self.env.docname)
        own = own_models(models)
        for bundle in list(self.document.findall(nodes.container)):
            if bundle.get("nb_element") != "mime_bundle":
                continue
            forms = {form["mime_type"]: form for form in bundle.children}
            if WIDGET_VIEW_MIMETYPE in forms and "image/png" in forms:
                view, still = forms[WIDGET_VIEW_MIMETYPE], forms["image/png"].children[0].deepcopy()
                key = _model_id(view)
                state = models[key]["state"]
                still["classes"] += ["widget-still", _kind(state)]
                still["alt"] = state.get("alt", "An interactive figure")
                view.insert(0, still)
                if key in own:
                    place = PLACE.format(id=key, inside="")
                    view.children[1:] = [nodes.raw("", place, format="html")]


def stored_models(env: BuildEnvironment, page: str) -> dict[str, dict]:
    """Return the stored models of a page's widgets, by their ids."""
    files = NbMetadataCollector.get_js_files(env, page)
    if "ipywidgets_state" not in files:
        return {}
    return json.loads(files["ipywidgets_state"][1]["body"])["state"]


def _model_id(view: nodes.container) -> str:
    return re.search(r'"model_id": "(\w+)"', view.astext())[1]


def _kind(state: dict) -> str:
    """Return the widget's class in small letters, for the style sheet."""
    return state.get("_anywidget_id", state["_model_name"]).split(".")[-1].lower()


def move_state(
    app: Sphinx, pagename: str, templatename: str, context: dict, doctree: nodes.document | None
) -> None:
    """Take the widgets' state out of the head; templates/static/webpack-macros.html writes it."""
    if 'class="explorers"' in context.get("body", ""):
        app.add_js_file("widgets.js")
    scripts = context.get("script_files", [])
    for script in list(scripts):
        if getattr(script, "attributes", {}).get("type") == WIDGET_STATE_MIMETYPE:
            scripts.remove(script)
            stored = json.loads(script.attributes["body"])
            own = own_models(stored["state"])
            if own:
                states = in_script(explorer_states(stored["state"], own))
                context["explorer_states"] = STATES.format(json=states)
            rest = {key: model for key, model in stored["state"].items() if key not in own}
            if any(model["model_name"] != "LayoutModel" for model in rest.values()):
                context["widget_state"] = in_script({**stored, "state": rest})


def setup(app: Sphinx) -> dict[str, bool]:
    """Register the extension."""
    app.add_directive("explorer", Explorer)
    app.add_post_transform(WidgetStills)
    app.connect("html-page-context", move_state, priority=900)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
