"""Every link of the built site's articles leads to a page, and to a place on it."""

import os
import re
from functools import cache
from html.parser import HTMLParser

import pytest

from tests.support.built_site import PAGES, SITE


class Places(HTMLParser):
    """The ids of a page, and the links of its article."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.ids, self.links, self.inside = set(), set(), False
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        attributes = dict(attrs)
        self.inside |= tag == "article"
        self.ids |= {attributes["id"]} if "id" in attributes else set()
        if self.inside and tag == "a" and attributes.get("href"):
            self.links.add(attributes["href"])

    def handle_endtag(self, tag):
        self.inside &= tag != "article"


@cache
def places(name: str) -> Places:
    return Places((SITE / name).read_text())


def broken(name: str) -> list[str]:
    found = []
    for link in sorted(places(name).links):
        if re.match(r"[a-z]+:", link):
            continue
        file, _, place = link.partition("#")
        target = os.path.normpath(os.path.join(os.path.dirname(name), file)) if file else name
        if not (SITE / target).is_file() or (
            target.endswith(".html") and place and place not in places(target).ids
        ):
            found.append(link)
    return found


@pytest.mark.parametrize("name", [n for n in PAGES if n not in ("search.html", "genindex.html")])
def test_every_link_leads_to_a_place(name):
    assert broken(name) == []


def test_links_are_seen():
    assert any(link.startswith("chapters/") for link in places("intro.html").links)
    assert any("#" in link for page in PAGES for link in places(page).links)
