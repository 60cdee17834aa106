"""Sphinx extension: code without a tag round each name and each comma.

Pygments wraps every token, also those that have the colour of all text: on the longest page 9 000
elements that change nothing.
"""

from collections.abc import Iterable
from typing import IO

from pygments.formatters import HtmlFormatter
from pygments.token import Name, Punctuation, Text, Whitespace, _TokenType
from sphinx.application import Sphinx
from sphinx.highlighting import PygmentsBridge

PLAIN = (Name, Name.Namespace, Punctuation, Whitespace)  # a subtype, like a class's name, is not


class PlainNames(HtmlFormatter):
    """Writes tokens that have no colour of their own as text."""

    def format(self, tokensource: Iterable[tuple[_TokenType, str]], outfile: IO[str]) -> None:
        """Write the tokens as HTML."""
        super().format(((Text if t in PLAIN else t, text) for t, text in tokensource), outfile)


def setup(app: Sphinx) -> dict[str, bool]:
    """Register the extension."""
    PygmentsBridge.html_formatter = PlainNames
    return {"parallel_read_safe": True, "parallel_write_safe": True}
