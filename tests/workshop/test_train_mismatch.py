"""The self-test names each planted mismatch, says "unknown" of others, and passes what is right."""

from functools import partial

import pytest
import torch

from ddim_lib import GaussianMixture, Schedule, diagnose, load_denoiser, load_digits, seeded

T = 1000
SCHEDULE = Schedule.linear()
DIM = 32  # sharp data in many dimensions, as pictures are
DATA = GaussianMixture(
    torch.randn(4, DIM, generator=seeded(7), dtype=torch.float64),
    1e-4 * torch.eye(DIM, dtype=torch.float64).repeat(4, 1, 1),
    torch.ones(4, dtype=torch.float64),
)
EXACT = DATA.model(SCHEDULE)
BATCH = DATA.sample(400, seeded(0))

KINDS = {  # what a network of each kind answers, from the exact ε*
    "ε": lambda x, eps, a, b: eps,
    "−ε": lambda x, eps, a, b: -eps,
    "x_0": lambda x, eps, a, b: (x - b * eps) / a,
    "v": lambda x, eps, a, b: a * eps - b * (x - b * eps) / a,
    "−v": lambda x, eps, a, b: b * (x - b * eps) / a - a * eps,
    "score": lambda x, eps, a, b: -eps / b,
    "−score": lambda x, eps, a, b: eps / b,
}
CLOCKS = {  # the time of ours that a network means by what it is told
    "t − 1": lambda told: told + 1,
    "t / T": lambda told: min(told * T, T),
    "T − t": lambda told: T - told,
    "1 − t / T": lambda told: min((1 - told) * T, T),
}


def network(x, told, kind="ε", clock=lambda told: told):
    t = clock(told)
    a, b = SCHEDULE.at(t)
    return KINDS[kind](x, EXACT(x, t), a, b)


def named(model, schedule=SCHEDULE, batch=BATCH) -> str:
    return diagnose(model, schedule, batch, seeded(1))


@pytest.mark.parametrize("kind", KINDS)
def test_what_it_predicts_is_named(kind):
    assert named(partial(network, kind=kind)) == kind


@pytest.mark.parametrize("clock", CLOCKS)
@pytest.mark.parametrize("kind", ["ε", "x_0", "v", "score"])
def test_how_it_counts_time_is_named(kind, clock):
    model = partial(network, kind=kind, clock=CLOCKS[clock])
    assert named(model) == f"{kind}, given {clock}"


@pytest.mark.parametrize("kind", ["ε", "v", "score"])
def test_powers_and_amplitudes_are_named(kind):
    model, given = partial(network, kind=kind), SCHEDULE.alpha_bar
    assert named(model, Schedule(given.square())) == f"{kind}, given √ᾱ"
    assert named(model, Schedule(given.sqrt())) == f"{kind}, given ᾱ²"


def test_a_network_of_x0_is_never_misnamed_with_other_amplitudes():
    model, given = partial(network, kind="x_0"), SCHEDULE.alpha_bar
    assert named(model, Schedule(given.square())) in ("x_0, given √ᾱ", "unknown")
    assert named(model, Schedule(given.sqrt())) in ("x_0, given ᾱ²", "unknown")


def test_the_range_of_the_data_is_named():
    assert named(EXACT, batch=(BATCH + 1) / 2) == "ε, given 2x − 1"
    assert named(EXACT, batch=127.5 * (BATCH + 1)) == "ε, given x / 127.5 − 1"
    assert named(EXACT, batch=2 * BATCH - 1) == "ε, given (x + 1) / 2"


STRANGE = {
    "three steps off": lambda x, t: EXACT(x, min(t + 3, T)),
    "two steps off": lambda x, t: EXACT(x, min(t + 2, T)),
    "counts from 2": lambda x, t: EXACT(x, max(t - 1, 1)),
    "deaf to t": lambda x, t: EXACT(x, 500),
    "wants x / ᾱ": lambda x, t: EXACT(x * SCHEDULE.at(t)[0], t),
    "20 % too much": lambda x, t: 1.2 * EXACT(x, t),
    "channels swapped": lambda x, t: EXACT(x, t).flip(1),
    "another schedule": DATA.model(Schedule.cosine()),
    "says nothing": lambda x, t: 0 * x,
    "repeats its input": lambda x, t: x,
    "another shape": lambda x, t: x[:, :1],
    "not finite": lambda x, t: x / 0,
    "refuses": lambda x, t: [][int(t)],
}


@pytest.mark.parametrize("strange", STRANGE)
def test_another_fault_is_unknown(strange):
    assert named(STRANGE[strange]) == "unknown"


@pytest.mark.parametrize("factor", [0.18215, 0.5, 0.8, 0.9, 1.1, 1.25, 2.0])
def test_data_on_another_scale_are_unknown(factor):
    assert named(EXACT, batch=factor * BATCH) == "unknown"


# not 0.7: about ᾱ = exp(−5 (t/T)²), so that 0.7 t is √ᾱ in other words, and is called that
@pytest.mark.parametrize("factor", [0.8, 0.9, 1.1, 1.25])
@pytest.mark.parametrize("kind", ["ε", "x_0", "v"])
def test_a_clock_that_runs_fast_or_slow_is_unknown(kind, factor):
    model = partial(network, kind=kind, clock=lambda told: min(max(factor * told, 1), T))
    assert named(model) == "unknown"


def test_a_batch_that_is_too_small_is_unknown():
    assert named(EXACT, batch=BATCH[:3]) == "unknown"


def test_the_right_model_passes_on_100_seeds():
    said = {
        diagnose(EXACT, SCHEDULE, DATA.sample(400, seeded(k)), seeded(k + 1)) for k in range(100)
    }
    assert said == {"ε"}


def test_a_trained_network_passes_and_is_named():
    net, images = load_denoiser("digits"), load_digits().images
    for seed in range(3):
        batch = images[16 * seed : 16 * (seed + 1)]
        assert diagnose(net, SCHEDULE, batch, seeded(seed)) == "ε"
    assert named(lambda x, t: net(x, t + 1), batch=images[:16]) == "ε, given t − 1"
    assert named(net, batch=(images[:16] + 1) / 2) == "ε, given 2x − 1"

    def x0_net(x, t):  # with less noise than it is told, it still guesses well
        a, b = SCHEDULE.at(t)
        return (x - b * net(x, t)) / a

    assert named(x0_net, batch=images[:16]) == "x_0"


def test_what_is_no_batch_or_no_model_is_refused():
    with pytest.raises(TypeError, match="need model as a function"):
        diagnose(None, SCHEDULE, BATCH, seeded(0))
    with pytest.raises(ValueError, match="need finite values in x_0"):
        diagnose(EXACT, SCHEDULE, BATCH / 0, seeded(0))
