"""Sphinx extension: MathJax only on the pages that have formulas, and no comma without its formula.

Sphinx gives MathJax, 160 KB, also to each page that only lists such pages. And a browser may break
the line between a formula and the comma after it.
"""

import re

from docutils import nodes
from sphinx.application import Sphinx


def drop_mathjax(
    app: Sphinx, pagename: str, templatename: str, context: dict, doctree: nodes.document | None
) -> None:
    """Take MathJax's two scripts, its settings and itself, off a page without formulas."""
    if 'class="math' in context.get("body", ""):
        return
    for script in list(context.get("script_files", [])):
        settings = getattr(script, "attributes", {}).get("body") or ""
        if settings.startswith("window.MathJax") or "mathjax/" in (script.filename or ""):
            context["script_files"].remove(script)


FORMULA = re.compile(r'<span class="math notranslate nohighlight">[^<]*</span>[.,:;?!)”’]+')


def hold_punctuation(
    app: Sphinx, pagename: str, templatename: str, context: dict, doctree: nodes.document | None
) -> None:
    """Keep each inline formula and the punctuation after it on one line."""
    if "body" in context:
        held = r'<span style="white-space: nowrap">\g<0></span>'
        context["body"] = FORMULA.sub(held, context["body"])


def setup(app: Sphinx) -> dict[str, bool]:
    """Register the extension; Sphinx's own comes first."""
    app.connect("html-page-context", drop_mathjax, priority=900)
    app.connect("html-page-context", hold_punctuation)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
