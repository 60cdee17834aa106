"""Sphinx extension: the stored picture of a widget stands on the page until the widget does.

A notebook output that carries both a widget and a PNG gives an image with alt text, followed by
the widget; web/widgets.js loads the widget when the reader comes near, and takes the image away.
Without JavaScript the image stays. The widgets' state, the heaviest part of a page, comes last
in it instead of first.

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
from sphinx.transforms.post_transforms import SphinxPostTransform
from sphinx.util.docutils import SphinxDirective

ROOT = Path(__file__).parent.parent
LANDING = ROOT / "web" / "landing"
WIDGETS = ROOT / "ddim_lib" / "widgets"  # read as files: building the site needs no PyTorch
EXPLORER = """\
<style>{css}</style>
<div id="{name}">
  <noscript><img src="_static/landing/{name}.png" alt="{alt}" width="720" height="405"></noscript>
</div>
<script type="application/json" id="{name}-state">{state}</script>
<script type="module">{module}</script>
"""


class Explorer(SphinxDirective):
    """An explorer on its own: nothing but its module and a model that nobody else holds."""

    required_arguments = 1
    option_spec: ClassVar = {"alt": directives.unchanged_required}

    def run(self) -> list[nodes.Node]:
        """Write the explorer's style, its place, its state and its module into the page."""
        name = self.arguments[0]
        bundle = runpy.run_path(str(WIDGETS / "parts.py"))["bundle"]
        state, model = LANDING / f"{name}.json", LANDING / "landing.js"
        for path in (state, model, *(WIDGETS / "page").iterdir()):
            self.env.note_dependency(str(path))
        html = EXPLORER.format(
            name=name,
            alt=escape(self.options["alt"]),
            css=bundle(f"{name}.css"),
            state=state.read_text(encoding="utf-8"),
            module=bundle(f"{name}.js") + model.read_text(encoding="utf-8"),
        )
        return [nodes.raw("", html, format="html")]


class WidgetStills(SphinxPostTransform):
    """Put each widget's PNG before the widget, with the widget's own alt text."""

    default_priority = 3  # one before myst-nb chooses one of an output's forms
    formats = ("html",)

    def run(self, **kwargs: object) -> None:
        """Change every output that has both forms."""
        states = self._states()
        for bundle in list(self.document.findall(nodes.container)):
            if bundle.get("nb_element") != "mime_bundle":
                continue
            forms = {form["mime_type"]: form for form in bundle.children}
            if WIDGET_VIEW_MIMETYPE in forms and "image/png" in forms:
                view, still = forms[WIDGET_VIEW_MIMETYPE], forms["image/png"].children[0].deepcopy()
                state = states[_model_id(view)]
                still["classes"] += ["widget-still", _kind(state)]
                still["alt"] = state.get("alt", "An interactive figure")
                view.insert(0, still)

    def _states(self) -> dict[str, dict]:
        """Return the stored state of each widget of this page, by the widget's id."""
        files = NbMetadataCollector.get_js_files(self.env, self.env.docname)
        if "ipywidgets_state" not in files:
            return {}
        models = json.loads(files["ipywidgets_state"][1]["body"])["state"]
        return {key: model["state"] for key, model in models.items()}


def _model_id(view: nodes.container) -> str:
    return re.search(r'"model_id": "(\w+)"', view.astext())[1]


def _kind(state: dict) -> str:
    """Return the widget's class in small letters, for the style sheet."""
    return state.get("_anywidget_id", state["_model_name"]).split(".")[-1].lower()


def move_state(
    app: Sphinx, pagename: str, templatename: str, context: dict, doctree: nodes.document | None
) -> None:
    """Take the widgets' state out of the head; templates/static/webpack-macros.html writes it."""
    scripts = context.get("script_files", [])
    for script in list(scripts):
        if getattr(script, "attributes", {}).get("type") == WIDGET_STATE_MIMETYPE:
            scripts.remove(script)
            context["widget_state"] = script.attributes["body"]


def setup(app: Sphinx) -> dict[str, bool]:
    """Register the extension."""
    app.add_directive("explorer", Explorer)
    app.add_post_transform(WidgetStills)
    app.connect("html-page-context", move_state, priority=900)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
