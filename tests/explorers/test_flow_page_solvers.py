"""Solvers and exact paths under a reader's hand; the time from input to repaint."""

import re
import statistics

import pytest

from tests.support.browser import barriers
from tests.support.flow_page import STILL, compared, opened, settled

# --- the equation of η = 0 ----------------------------------------------------------------------

RIDING = {"data": "moons", "steps": 5, "spacing": "log-snr", "exact_path": True}


def gap(page):
    """The median distance from the exact ends, as the words have it."""
    line = page.locator("output").inner_text()
    return float(re.search(r"· ([\d.]+) from the exact ends \(median\)$", line)[1])


def test_solvers_walk_in_words_and_picture(browser, site):
    with opened(browser, site, RIDING, **STILL) as page:
        pictures = [compared(page, "5 steps · η = 0.00")]
        assert " · 5 calls · " in page.locator("output").inner_text()
        gaps = {"ddim": gap(page)}
        asked = {
            "midpoint": "midpoint · 9",
            "heun": "Heun · 9",
            "dpmpp2m": "2M · 5",
            "rk4": "RK4 · 17",
        }
        for solver, words in asked.items():
            page.get_by_label("solver of the equation").select_option(solver)
            pictures.append(compared(page, f"5 steps of {words} calls"))
            gaps[solver] = gap(page)
            assert "η is out of play" in page.locator(".hint").inner_text()
        assert len(set(pictures)) == len(pictures)
        assert gaps["dpmpp2m"] < gaps["rk4"] < gaps["ddim"] < gaps["heun"]
        page.get_by_label("η, the share").press("PageUp")  # η speaks again
        settled(page, "5 steps · η = 0.10")
        assert page.locator(".hint").inner_text() == ""
        assert gap(page) > gaps["ddim"]


def test_exact_paths_come_and_go(browser, site):
    with opened(browser, site, RIDING, **STILL) as page:
        beside = compared(page)
        label = page.get_by_role("img").get_attribute("aria-label")
        assert label.endswith("beside their exact paths")
        page.get_by_label("exact paths", exact=True).uncheck()
        assert settled(page) != beside
        assert "exact" not in page.locator("output").inner_text()
        page.get_by_label("exact paths", exact=True).check()
        assert compared(page) == beside


def test_both_clouds_are_shown_at_the_same_time(browser, site):
    with opened(browser, site, {**RIDING, "steps": 200}, **STILL) as page:
        compared(page)
        page.evaluate(
            """() => { const place = Picture.prototype.beside; window.apart = [];
            Picture.prototype.beside = function (exact, walk, moment, pairs) {
              for (let i = 0; i < pairs; i++) {
                const [x, y] = this.place(exact.paths.paths, exact.moment, i);
                const [u, v] = this.place(walk.paths, moment, i);
                apart.push(Math.hypot(x - u, y - v) / this.view.scale);
              }
              return place.call(this, exact, walk, moment, pairs);
            } }"""
        )
        for key in ["Home"] + ["PageUp"] * 10:
            page.get_by_label("time, from").press(key)
            settled(page)
        apart = page.evaluate("apart")
        assert len(apart) >= 160
        assert statistics.median(apart) < 0.02  # many steps: DDIM keeps to the path all the way


def test_the_landing_page_keeps_solvers_behind_more(browser, site):
    with opened(browser, site, **STILL) as page:
        settled(page)
        assert not page.get_by_label("solver of the equation").is_visible()
        page.get_by_text("more", exact=True).click()
        page.get_by_label("exact paths", exact=True).check()
        compared(page)
        page.get_by_label("solver of the equation").select_option("heun")
        settled(page, "20 steps of Heun · 39 calls")
        page.get_by_label("σ̂").check()
        settled(page, "20 steps · σ̂")


def test_a_state_from_before_there_were_solvers(browser, site):
    with opened(browser, site, {"solver": None, "exact_path": None}, **STILL) as page:
        settled(page, "20 steps · η = 0.00")
        assert page.get_by_role("alert").count() == 0


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_comparing_on_a_phone(browser, site, scheme):
    phone = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}
    changes = {**RIDING, "solver": "dpmpp2m"}
    with opened(browser, site, changes, **phone, **STILL, color_scheme=scheme) as page:
        compared(page)
        assert page.get_by_label("solver of the equation").is_visible()
        assert page.evaluate("document.documentElement.scrollWidth") <= 390
        assert barriers(page) == []


# --- time ---------------------------------------------------------------------------------------

DRAG = """async ([label, moves]) => {
  const input = document.querySelector(`input[aria-label^="${label}"]`), taken = [];
  const painted = () => new Promise((done) => requestAnimationFrame(() => {
    const channel = new MessageChannel(); // its message comes when this frame is drawn
    channel.port1.onmessage = done;
    channel.port2.postMessage(0);
  }));
  for (let i = 0; i < moves; i++) {
    await painted();
    const start = performance.now();
    input.value = input.max * (0.5 + 0.49 * Math.sin(0.7 * i));
    input.dispatchEvent(new Event("input", { bubbles: true }));
    await painted();
    taken.push(performance.now() - start);
  }
  return taken.sort((a, b) => a - b);
}"""


@pytest.mark.parametrize("exact", [False, True])
@pytest.mark.parametrize("steps", [20, 50, 1000])
def test_time_from_input_to_repaint(browser, site, steps, exact, capsys):
    with opened(browser, site, {"steps": steps, "exact_path": exact}, **STILL) as page:
        (compared if exact else settled)(page)
        taken = page.evaluate(DRAG, ["η", 60])
        points = page.locator(".ddim-flow").get_attribute("data-points")
    beside = " beside exact paths" if exact else ""
    line = (
        f"{steps} steps{beside}: median {statistics.median(taken):.0f} ms, p95 {taken[56]:.0f} ms"
    )
    with capsys.disabled():
        print(f"\n  η dragged, DDIM, {line}, {points} points at the last move")
