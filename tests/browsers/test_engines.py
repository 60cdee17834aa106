"""The explorers' promises and the network's numbers in Firefox and WebKit: `make browsers`.

Each installed engine opens one page, which does it all itself and reports. Not part of `make test`:
they come from Debian's packages firefox-esr, webkit2gtk-driver, xvfb and dbus.
"""

import json
from pathlib import Path

import pytest
import torch

from ddim_lib import Schedule, encode, load_digits, sample
from ddim_lib.nets import load_denoiser
from ddim_lib.process import slerp
from ddim_lib.widgets.parts import PAGE
from tests.support.built_site import LAB, PAGES, SITE
from tests.support.cases import seeded
from tests.support.engines import INSTALLED, report
from tests.support.lab_page import THREE, away, numbers
from tests.support.network_page import WEIGHTS, packed

HERE = Path(__file__).parent
TIMES = (1, 2, 10, 100, 500, 1000)
HTML = '<!doctype html><meta charset="utf-8"><body><script type="module" src="engine.js"></script>'


def case() -> dict:
    """Return what the page compares with: one digit's noise, ε̂ in float64, and two walks."""
    model, exact, schedule = load_denoiser("digits"), load_denoiser("digits").double(), Schedule
    x = torch.randn(1, 1, 28, 28, generator=seeded(5))
    walks = [
        {"eta": eta, "x_0": packed(walked(model, schedule.linear(), x, eta))} for eta in (0.0, 1.0)
    ]
    eps_hat = {t: packed(exact(x.double(), t).numpy().tobytes()) for t in TIMES}
    pages = [f"site/{page}" for page in PAGES if 'class="explorer"' in (SITE / page).read_text()]
    drawn = {"address": f"site/{LAB}", "strokes": THREE}
    x_T = packed(x.numpy().tobytes())
    return {"x": x_T, "eps_hat": eps_hat, "walks": walks, "pages": pages, "lab": drawn}


def walked(model, schedule, x, eta: float) -> bytes:
    return sample(model, schedule, x, 20, eta, seeded(7)).numpy().tobytes()


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """The site, the modules, the weights, and the page that does it all."""
    folder = tmp_path_factory.mktemp("engines")
    links = {"site": SITE, "page": PAGE, "digits.safetensors": WEIGHTS}
    for name, target in (links | {"engine.js": HERE / "engine.js"}).items():
        (folder / name).symlink_to(target)
    (folder / "index.html").write_text(HTML, encoding="utf-8")
    (folder / "case.json").write_text(json.dumps(case()), encoding="utf-8")
    return folder


def test_an_engine_is_installed():
    assert INSTALLED, (
        "need firefox-esr, or webkit2gtk-driver with xvfb and dbus (Debian's packages)"
    )


@pytest.mark.parametrize("engine", INSTALLED)
def test_an_engine_keeps_the_promises(engine, folder, capsys):
    told = report(engine, folder, "index.html")
    assert "failed" not in told, told
    with capsys.disabled():
        print(f"\n{told['agent']}")
        for kind, found in told["network"].items():
            print(f"  {kind}: {found['ms']:.1f} ms a digit, {max(found['forward'].values()):.1e}")
    assert set(told["network"]) == {"WebAssembly", "plain JavaScript"}
    for kind, found in told["network"].items():
        assert max(found["forward"].values()) <= 1e-5, kind
        assert max(found["sample"]) <= 1e-3, kind
    assert len(told["pages"]) >= 5
    for page, found in told["pages"].items():
        assert found["sliders"] >= 2, page
        assert found["still"] == [], page
        assert found["errors"] == [], page
    check_lab(told["lab"])


def check_lab(found: dict) -> None:
    """What a hand drew is encoded, decoded and mixed as Python does it; a link restores it."""
    model, schedule = load_denoiser("digits"), Schedule.linear()
    (mine,), (code,), _, (back,) = found["code"]["tiles"]
    x, eight = numbers(mine), load_digits().images[8:9]
    assert away(mine, load_digits().images[3:4]) > 50, "drawn, not the book's"
    x_T, other = (encode(model, schedule, picture, 20) for picture in (x, eight))
    assert away(code, x_T) <= 1
    assert away(back, sample(model, schedule, x_T, 20)) <= 1
    for row, mixed in enumerate((slerp(x_T, other, 0.5), torch.lerp(x_T, other, 0.5))):
        assert away(found["mix"]["tiles"][2][row], sample(model, schedule, mixed, 20)) <= 1
    assert "#task=mix&a=" in found["link"]
    assert found["again"]["tiles"] == found["mix"]["tiles"]
