"""Sphinx extension: the stored picture of a widget stands on the page until the widget does.

A notebook output that carries both a widget and a PNG gives an image with alt text, followed by
the widget; web/widgets.js loads the widget when the reader comes near, and takes the image away.
Without JavaScript the image stays. The widgets' state, the heaviest part of a page, comes last
in it instead of first.
"""

import json
import re

from docutils import nodes
from myst_nb.core.render import WIDGET_STATE_MIMETYPE, WIDGET_VIEW_MIMETYPE
from myst_nb.sphinx_ import NbMetadataCollector
from sphinx.application import Sphinx
from sphinx.transforms.post_transforms import SphinxPostTransform


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
    app.add_post_transform(WidgetStills)
    app.connect("html-page-context", move_state, priority=900)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
