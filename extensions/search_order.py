"""Sphinx extension: the search puts a heading that says what was searched for first."""

from pathlib import Path

from sphinx.application import Sphinx
from sphinx.config import Config


def order(app: Sphinx, config: Config) -> None:
    """Hand Sphinx the file that says in which order results stand."""
    config.html_search_scorer = str(Path(__file__).with_name("search_order.js"))


def setup(app: Sphinx) -> dict[str, bool]:
    """Register the extension."""
    app.connect("config-inited", order)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
