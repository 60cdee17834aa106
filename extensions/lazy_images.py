"""Sphinx extension: a page's pictures load as the reader comes to them, and nothing jumps then.

Each PNG of a page is written with its width and height, so that its place is kept, and all but the
first with loading="lazy".
"""

import struct
from pathlib import Path

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.transforms.post_transforms import SphinxPostTransform
from sphinx.writers.html5 import HTML5Translator


class picture(nodes.image):
    """A PNG that keeps its place."""


def png_size(path: Path) -> tuple[int, int]:
    """Return the width and height of a PNG in pixels."""
    return struct.unpack(">II", path.read_bytes()[16:24])


class Pictures(SphinxPostTransform):
    """Make each PNG of a page a picture of known size."""

    default_priority = 199  # after MyST-NB chose what a cell shows, and after the folds
    formats = ("html",)

    def run(self, **kwargs: object) -> None:
        """Change every image that is a PNG of the book."""
        seen = 0
        for image in list(self.document.findall(nodes.image)):
            path = Path(self.app.srcdir, image["uri"])
            if path.suffix != ".png" or not path.is_file():
                continue
            width, height = png_size(path)
            known = {"width": str(width), "height": str(height)}
            if seen:
                known["loading"] = "lazy"
            seen += 1
            image.replace_self(picture("", **image.attributes, known=known))


def write(self: HTML5Translator, node: picture) -> None:
    """Write the element."""
    source = f"{self.builder.imgpath}/{self.builder.images[node['uri']]}"
    shown = {"src": source, "alt": node.get("alt", ""), **node["known"]}
    self.body.append(self.emptytag(node, "img", "\n", **shown))


def setup(app: Sphinx) -> dict[str, bool]:
    """Register the extension."""
    app.add_node(picture, html=(write, lambda self, node: None))
    app.add_post_transform(Pictures)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
