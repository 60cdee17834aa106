"""What the lab computes in the page is what `ddim_lib` computes; a drawing lies as MNIST's do."""

from itertools import pairwise

import numpy as np
import pytest
import torch
from PIL import Image, ImageDraw

from ddim_lib import Schedule, encode, load_digits, sample
from ddim_lib.ddim import ddim_steps
from ddim_lib.nets import load_denoiser
from ddim_lib.process import q_sample, slerp
from ddim_lib.widgets.lab_tasks import COLUMNS, times_from
from tests.support.cases import seeded
from tests.support.network_page import WEIGHTS, floats, loaded, packed

CLIMB = """([x, steps, plain]) => {
  const weights = readWeights(file), net = (window[`net${plain}`] ??= unet(weights, { plain }));
  const times = timesOf(schedule, steps, "uniform"), given = Float64Array.from(floats(x));
  const climb = new DigitClimb(net, { schedule, times, x: given });
  climb.advance();
  return text(Float32Array.from(climb.paths.at(-1)));
}"""
WALK = """([x, times, eta, draws]) => {
  const net = (window.netfalse ??= unet(readWeights(file)));
  const given = Float64Array.from(floats(x));
  const walk = new DigitWalk(net, { schedule, times, eta, x: given, draws });
  walk.advance();
  return text(Float32Array.from(walk.paths.at(-1)));
}"""
MIX = "([x, y, w, how]) => text(Float32Array.from(window[how](floats(x), floats(y), w)))"
HELP = """() => {
  window.floats = (text) => Float64Array.from(new Float32Array(bytes(text)));
  window.text_ = (x) => text(Float32Array.from(x));
}"""
PIXELS = "(text) => text_(pixelsOf(strokesOf(text)))"
SCHEDULE = Schedule.linear()


@pytest.fixture(scope="module")
def network():
    return load_denoiser("digits")


@pytest.fixture
def page(browser, site):
    with loaded(browser, site, WEIGHTS.read_bytes()) as page:
        page.evaluate(HELP)
        yield page


def digit(number: int) -> torch.Tensor:
    return load_digits().images[number : number + 1]


def given(x: torch.Tensor) -> str:
    return packed(x.numpy().tobytes())


# --- up, down, and between -----------------------------------------------------------------------


@pytest.mark.parametrize("plain", [False, True], ids=["WebAssembly", "plain JavaScript"])
@pytest.mark.parametrize("steps", [1, 2, 20])
def test_a_climb_is_encode(page, network, steps, plain):
    code = encode(network, SCHEDULE, digit(3), steps)
    climbed = floats(page.evaluate(CLIMB, [given(digit(3)), steps, plain]))
    assert (climbed - code.flatten()).abs().max() <= 1e-3


def test_up_and_down_comes_back_as_in_python(page, network):
    x, steps = digit(7), 50
    error = (sample(network, SCHEDULE, encode(network, SCHEDULE, x, steps), steps) - x).square()
    code = page.evaluate(CLIMB, [given(x), steps, False])
    back = floats(page.evaluate(WALK, [code, SCHEDULE.times(steps), 0, 0]))
    found = (back - x.flatten()).square().mean()
    assert found.item() == pytest.approx(error.mean().item(), rel=0.01)


@pytest.mark.parametrize(("t", "steps", "eta"), [(500, 20, 0), (7, 20, 0), (1000, 10, 0.7)])
def test_a_walk_from_a_given_picture_is_ddim_steps(page, network, t, steps, eta):
    x = q_sample(SCHEDULE, digit(4), t, torch.randn(digit(4).shape, generator=seeded(3)))
    times = times_from(t, steps)
    made = list(ddim_steps(network, SCHEDULE, x, times, eta, seeded(9)))[-1].x
    walked = floats(page.evaluate(WALK, [given(x), times, eta, 9]))
    assert (walked - made.flatten()).abs().max() <= 1e-3


def test_noised_is_q_sample(page):
    x = digit(2)
    for seed, t in ((0, 1), (5, 500), (2**32 - 4, 1000)):
        eps = torch.randn(x.shape, generator=seeded(seed))
        told = page.evaluate(
            "([x, t, seed]) => text_(noised(floats(x), t, noiseOf(seed)))", [given(x), t, seed]
        )
        expected = q_sample(SCHEDULE, x, t, eps).flatten()
        assert (floats(told) - expected).abs().max() <= 1e-5


@pytest.mark.parametrize("w", [0.0, 0.25, 0.5, 1.0])
def test_mixtures_are_the_librarys(page, w):
    x, y = (torch.randn(784, generator=seeded(k)) for k in (1, 2))
    for how, mixed in (("slerp", slerp(x, y, w)), ("straight", torch.lerp(x, y, w))):
        found = floats(page.evaluate(MIX, [given(x), given(y), w, how]))
        assert (found - mixed).abs().max() <= 1e-5, how
    alike = floats(page.evaluate(MIX, [given(x), given(x), w, "slerp"]))
    assert (alike - slerp(x, x, w)).abs().max() <= 1e-5


def test_times_are_the_librarys(page):
    cases = [
        (t, steps) for t in (1, 2, 7, 333, 500, 999, 1000) for steps in (1, 2, 3, 20, 998, 1000)
    ]
    for t, steps in cases:
        times = times_from(t, steps)
        assert page.evaluate("([t, steps]) => timesFrom(t, steps)", [t, steps]) == times
        assert (times[0], times[-1], len(times)) == (t, 0, min(t, steps) + 1)
        assert all(a > b for a, b in pairwise(times))


@pytest.mark.parametrize("steps", [1, 3, 20, 96, 97, 250, 1000])
def test_the_times_shown_are_those_of_the_moments_kept(page, steps):
    """Of a walk on a network that is none: only its moments count."""
    told = page.evaluate(
        """(steps) => {
          const times = timesOf(schedule, steps, "uniform"), none = new Float64Array(784);
          const walk = new DigitWalk(() => none, { schedule, times, eta: 0, x: none });
          const moments = [...momentsOf(walk)].filter((moment) => moment);
          const wanted = eightOf(moments[0].frames);
          return [wanted.map((frame) => moments[frame].t), timesShown(steps)];
        }""",
        steps,
    )
    assert told[0] == told[1]
    assert len(told[1]) == COLUMNS
    assert (told[1][0], told[1][-1]) == (1000, 0)


# --- what is drawn -------------------------------------------------------------------------------

STROKES = {
    "one": [[(30, 8), (34, 52)]],
    "seven": [[(12, 10), (50, 10), (28, 56)], [(20, 32), (44, 30)]],
    "small": [[(40, 40), (44, 40), (44, 48), (40, 50)]],
    "dot": [[(10, 60)]],
    "wide": [[(0, 20), (63, 30)], [(3, 3), (6, 6)]],
}


def written(page, name: str) -> str:
    return page.evaluate("(strokes) => textOf(strokes)", STROKES[name])


def as_mnist(strokes: list) -> np.ndarray:
    """Draw large with another program, then do as MNIST's authors say."""
    large, pen = 40, 3
    picture = Image.new("L", (64 * large + 800, 64 * large + 800))
    brush = ImageDraw.Draw(picture)
    radius = pen * large
    for stroke in strokes:
        points = [(400 + large * x, 400 + large * y) for x, y in stroke]
        brush.line(points, 255, 2 * radius, joint="curve")
        for x, y in points:
            brush.ellipse([x - radius, y - radius, x + radius, y + radius], 255)
    box = picture.crop(picture.getbbox())
    scale, fine = 20 / max(box.size), 10  # tenths of a pixel
    large_ink = np.asarray(box.resize([max(1, round(fine * scale * side)) for side in box.size]))
    y, x = (np.indices(large_ink.shape) * large_ink).sum((1, 2)) / large_ink.sum()
    paper = np.zeros((60 * fine, 60 * fine))
    top, left = round(30.5 * fine - 0.5 - y), round(30.5 * fine - 0.5 - x)
    paper[top : top + large_ink.shape[0], left : left + large_ink.shape[1]] = large_ink / 255
    return paper.reshape(60, fine, 60, fine).mean((1, 3))[16:44, 16:44]


@pytest.mark.parametrize("name", STROKES)
def test_a_drawing_has_mnists_size_and_centre(page, name):
    x = floats(page.evaluate(PIXELS, written(page, name))).numpy().reshape(28, 28)
    assert np.abs(127.5 * (x + 1) - np.rint(127.5 * (x + 1))).max() < 1e-4, "bytes, as MNIST's"
    ink = (x + 1) / 2
    y_0, x_0 = (np.indices((28, 28)) * ink).sum((1, 2)) / ink.sum()
    assert (y_0, x_0) == pytest.approx((14, 14), abs=0.1)
    rows, columns = (np.flatnonzero(ink.max(axis) > 0.5) for axis in (1, 0))
    longer = max(rows[-1] - rows[0], columns[-1] - columns[0]) + 1
    assert 19 <= longer <= 21
    other = as_mnist(STROKES[name])
    assert np.abs(ink - other).mean() < 0.02
    assert ink.sum() == pytest.approx(other.sum(), rel=0.06)


def test_mnists_own_digits_lie_there():
    """The centre of mass on pixel 14, counted from 0, give or take half a pixel."""
    ink = (load_digits().images[:, 0] + 1) / 2
    places = torch.arange(28.0)
    for axis in (1, 2):
        centre = (ink.sum(axis) * places).sum(1) / ink.sum((1, 2))
        assert centre.mean().item() == pytest.approx(14, abs=0.02)
        assert (centre - 14).abs().max() < 0.51


def test_strokes_survive_their_text_and_lose_only_what_is_straight(page):
    text = written(page, "seven")
    assert page.evaluate("(text) => textOf(strokesOf(text))", text) == text
    assert len(text) == 2 * 5 + 1
    line = [[x, 2 * x] for x in range(20)]
    assert page.evaluate("(stroke) => simplified(stroke)", line) == [line[0], line[-1]]
    bent = [*line, [30, 0], [20, 0]]
    assert page.evaluate("(stroke) => simplified(stroke)", bent) == [
        [0, 0],
        [19, 38],
        [30, 0],
        [20, 0],
    ]
    loop = [[0, 0], [9, 0], [9, 9], [0, 9], [0, 0]]
    assert page.evaluate("(stroke) => simplified(stroke)", loop) == loop


@pytest.mark.parametrize("text", ["A", "AB.", ".AB", "AB..CD", "A B", "AÄ", "AB" * 1501])
def test_what_is_no_drawing(page, text):
    assert not page.evaluate("(text) => isDrawing(text)", text)
