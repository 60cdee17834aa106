"""The head of every page of the built site: what search engines and link previews read."""

import re
from collections import Counter
from html import unescape

import pytest

from tests.support.built_site import PAGES, SITE

DESCRIPTION = re.compile(r'<meta name="description" content="([^"]*)"')
PREVIEW = re.compile(r'<meta property="og:description" content="([^"]*)"')


def head(name: str) -> str:
    return (SITE / name).read_text(encoding="utf-8").split("</head>")[0]


@pytest.mark.parametrize("name", PAGES)
def test_a_page_says_what_it_is(name):
    (found,) = DESCRIPTION.findall(head(name))
    text = unescape(found)
    assert 40 <= len(text) <= 162
    assert text[-1] in ".?!…"
    assert not set(text) & set("\\{}$<>"), "TeX or HTML"
    assert set(PREVIEW.findall(head(name))) <= {found}


def test_no_two_chapters_say_the_same():
    said = Counter(DESCRIPTION.search(head(n))[1] for n in PAGES if n.startswith("chapters/"))
    assert said
    assert max(said.values()) == 1
