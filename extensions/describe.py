"""Sphinx extension: what a search engine or a link preview says of a page.

It is how the page begins, in plain letters and cut to what is shown. A page that has a
description of its own (MyST: html_meta) keeps it.
"""

import re
from html import escape

from docutils import nodes
from sphinx.application import Sphinx

ENOUGH, LIMIT = 60, 160  # characters: a question alone says too little; a list shows no more
LETTERS = {
    r"\bar\alpha": "ᾱ",
    r"\bar\beta": "β̄",
    r"\tilde\beta": "β̃",
    r"\hat\varepsilon": "ε̂",
    r"\hat\sigma": "σ̂",
    r"\alpha": "α",
    r"\beta": "β",
    r"\varepsilon": "ε",
    r"\epsilon": "ε",
    r"\eta": "η",
    r"\kappa": "κ",
    r"\lambda": "λ",
    r"\sigma": "σ",
    r"\hat x": "x̂",
}


def plain(formula: str) -> str:
    """Return a formula of a few letters without TeX; "" if it has more than that."""
    for tex, letter in LETTERS.items():
        formula = formula.replace(tex, letter)
    formula = re.sub(r"[_{}\s]", "", formula)
    return "" if "\\" in formula else formula


def shorten(text: str) -> str:
    """Return as many whole sentences as fit, or else as many words, and "…"."""
    if len(text) <= LIMIT:
        return text
    whole = re.match(rf".{{{ENOUGH},{LIMIT - 1}}}[.?!](?= )", text)
    return whole[0] if whole else text[:LIMIT].rsplit(" ", 1)[0].rstrip(",;:") + " …"


def describe(doctree: nodes.document) -> str:
    """Return the first paragraphs of a page in plain letters, "" if it has none."""
    text = ""
    for paragraph in doctree.findall(nodes.paragraph):
        if isinstance(paragraph.parent, nodes.section) and len(text) < ENOUGH:
            texts = (
                plain(part.astext()) if isinstance(part.parent, nodes.math) else part.astext()
                for part in paragraph.findall(nodes.Text)
            )
            text = " ".join(f"{text} {''.join(texts)}".split())
    return shorten(text)


def add(
    app: Sphinx, pagename: str, templatename: str, context: dict, doctree: nodes.document | None
) -> None:
    """Write the description into the page's head, for link previews too."""
    text = describe(doctree or app.env.get_doctree(app.config.root_doc))
    if 'name="description"' not in context.get("metatags", ""):
        context["metatags"] = (
            context.get("metatags", "") + f'\n<meta name="description" content="{escape(text)}" />'
        )
        context["meta"] = {**(context.get("meta") or {}), "og:description": text}


def setup(app: Sphinx) -> dict[str, bool]:
    """Register the extension, before that of the link previews."""
    app.connect("html-page-context", add, priority=400)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
