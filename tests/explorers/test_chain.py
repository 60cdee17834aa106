"""The chain explorer in Python: its words, its still picture."""

from ddim_lib.widgets import chain


def test_repr_names_the_setting():
    words = "ChainExplorer(schedule='cosine'; t = 400 → s = 300 of 10 steps, η = 0.25)"
    assert repr(chain("cosine", t=345, eta=0.25)) == words


def test_still_is_the_setting():
    assert chain().still() == chain().still()
    others = [chain("cosine"), chain(steps=5), chain(t=200), chain(eta=0.0), chain(steps=1, t=9)]
    assert len({explorer.still() for explorer in [chain(), *others]}) == 6
