"""Sphinx extension: corrects what the tools that write a page tell a screen reader.

docutils makes a bibliography a list of entries that no list may have.
"""

from docutils import nodes
from sphinx.application import Sphinx

CORRECTIONS = {
    ' role="doc-biblioentry"': ' role="listitem"',
}


def correct(
    app: Sphinx, pagename: str, templatename: str, context: dict, doctree: nodes.document | None
) -> None:
    """Change the page's body."""
    for wrong, right in CORRECTIONS.items():
        if "body" in context:
            context["body"] = context["body"].replace(wrong, right)


def setup(app: Sphinx) -> dict[str, bool]:
    """Register the extension."""
    app.connect("html-page-context", correct)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
