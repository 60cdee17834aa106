"""Sphinx extension: corrects what docutils tells a screen reader.

It makes a bibliography a list of entries with a role that no list may have.
"""

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.writers.html5 import HTML5Translator


def open_entry(self: HTML5Translator, node: nodes.citation) -> None:
    """Write the start of an entry as docutils does, but for its role."""
    if not isinstance(node.previous_sibling(), nodes.citation):
        self.body.append('<div role="list" class="citation-list">\n')
    self.body.append(self.starttag(node, "div", classes=[node.tagname], role="listitem"))


def close_entry(self: HTML5Translator, node: nodes.citation) -> None:
    """Write the end of an entry."""
    HTML5Translator.depart_citation(self, node)


def setup(app: Sphinx) -> dict[str, bool]:
    """Register the extension."""
    app.add_node(nodes.citation, override=True, html=(open_entry, close_entry))
    return {"parallel_read_safe": True, "parallel_write_safe": True}
