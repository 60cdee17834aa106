"""The paths explorer in Python: its words, its still picture, what it refuses."""

from ddim_lib.widgets import paths


def test_repr_names_the_setting():
    words = "PathsExplorer(300 paths; 10 steps, η = 1.08, score spoilt)"
    assert repr(paths(1.4, 10, count=300, spoilt=True)) == words
    assert repr(paths(steps=1)) == "PathsExplorer(500 paths; 1 step, η = 0.00)"


def test_still_is_the_setting():
    assert paths(count=90).still() == paths(count=90).still()
    others = [{"eta": 0.5}, {"steps": 20}, {"start": -1.0}, {"seed": 1}, {"spoilt": True}]
    assert len({paths(**{"count": 90, **other}).still() for other in [{}, *others]}) == 6
    assert paths(eta=1.4, steps=10, count=90).still()
