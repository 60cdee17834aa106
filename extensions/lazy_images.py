"""Sphinx extension: a page's pictures load as the reader comes to them, and nothing jumps then.

Each PNG of a page gets its width and height, so that its place is kept, and all but the first
get loading="lazy".
"""

import re
import struct
from pathlib import Path

from docutils import nodes
from sphinx.application import Sphinx

PICTURE = re.compile(r'<img (?P<attributes>[^>]*src="[^"]*_images/(?P<name>[^"/]+\.png)"[^>]*)>')


def png_size(path: Path) -> tuple[int, int]:
    """Return the width and height of a PNG in pixels."""
    return struct.unpack(">II", path.read_bytes()[16:24])


def place_pictures(
    app: Sphinx, pagename: str, templatename: str, context: dict, doctree: nodes.document | None
) -> None:
    """Write the attributes into the page's body."""
    if "body" not in context:
        return
    sources = {name: Path(app.srcdir, path) for path, name in app.builder.images.items()}
    seen: list[str] = []

    def place(match: re.Match) -> str:
        width, height = png_size(sources[match["name"]])
        seen.append(match["name"])
        loading = ' loading="lazy"' if len(seen) > 1 else ""
        return f'<img width="{width}" height="{height}"{loading} {match["attributes"]}>'

    context["body"] = PICTURE.sub(place, context["body"])


def setup(app: Sphinx) -> dict[str, bool]:
    """Register the extension."""
    app.connect("html-page-context", place_pictures)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
