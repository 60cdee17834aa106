"""Sphinx extension: MathJax only on the pages that have formulas, and no comma without its formula.

Sphinx gives MathJax, 160 KB, also to each page that only lists such pages. And a browser may break
the line between a formula and the comma after it.
"""

import re

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.transforms.post_transforms import SphinxPostTransform

PUNCTUATION = re.compile(r"[.,:;?!)”’]+")


class HeldPunctuation(SphinxPostTransform):
    """Put each inline formula and the punctuation after it where no line breaks."""

    default_priority = 900
    formats = ("html",)

    def run(self, **kwargs: object) -> None:
        """Change every formula of the page that has some."""
        for formula in list(self.document.findall(nodes.math)):
            after = formula.next_node(descend=False, siblings=True)
            found = PUNCTUATION.match(after) if isinstance(after, nodes.Text) else None
            if found:
                held = nodes.inline("", "", formula.deepcopy(), nodes.Text(found[0]))
                held["classes"].append("held")
                after.parent.replace(after, nodes.Text(after[found.end() :]))
                formula.parent.replace(formula, held)


def drop_mathjax(
    app: Sphinx, pagename: str, templatename: str, context: dict, doctree: nodes.document | None
) -> None:
    """Take MathJax's two scripts, its settings and itself, off a page without formulas."""
    if doctree and any(isinstance(n, (nodes.math, nodes.math_block)) for n in doctree.findall()):
        return
    for script in list(context.get("script_files", [])):
        settings = getattr(script, "attributes", {}).get("body") or ""
        if settings.startswith("window.MathJax") or "mathjax/" in (script.filename or ""):
            context["script_files"].remove(script)


def setup(app: Sphinx) -> dict[str, bool]:
    """Register the extension; Sphinx's own comes first."""
    app.add_post_transform(HeldPunctuation)
    app.connect("html-page-context", drop_mathjax, priority=900)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
