"""Code on the site has no tags for tokens that look like all text."""

import re

from tests.support.built_site import SITE

PLAIN = ("n", "nn", "p", "w")  # the short names of extensions/plain_code.py's tokens


def test_plain_tokens_have_the_colour_of_all_text():
    css = (SITE / "_static" / "pygments.css").read_text()
    for theme in ("light", "dark"):
        rule = rf'html\[data-theme="{theme}"\] \.highlight'
        base = re.search(rf"{rule} \{{[^}}]*\bcolor: (#\w+)", css)[1]
        for name in PLAIN:
            own = re.search(rf"{rule} \.{name} \{{([^}}]*)\}}", css)
            assert own is None or own[1].strip().startswith(f"color: {base}"), name


def test_they_have_no_tags():
    for page in SITE.glob("chapters/*.html"):
        html = page.read_text()
        assert '<span class="k' in html
        assert not re.search(rf'<span class="({"|".join(PLAIN)})">', html)
