"""Sphinx extension: MathJax only on the pages that have formulas.

Sphinx also gives it, 160 KB, to each page that only lists such pages.
"""

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


def setup(app: Sphinx) -> dict[str, bool]:
    """Register the extension; Sphinx's own comes first."""
    app.connect("html-page-context", drop_mathjax, priority=900)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
