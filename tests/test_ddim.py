"""The step and the walk: Bayes' rule, joint covariances, closed forms, diffusers, bad input."""

import math
from itertools import pairwise

import numpy as np
import pytest
import torch
from diffusers import DDIMScheduler, DDPMScheduler
from hypothesis import given
from hypothesis import strategies as st
from oracles import ANGLE, BETA_POWER, NOISE, PROPERTY, SIGNAL, bayes, gaussian_eps, regress

from ddim_lib import (
    Schedule,
    ddim_coefficients,
    ddim_step,
    ddim_steps,
    ddpm_large_step,
    ddpm_large_steps,
    predict_eps,
    sample,
)

LINEAR = Schedule.linear()
ETAS = [0.0, 0.2, 0.5, 0.8, 1.0]
rng = np.random.default_rng(0)
NEIGHBOURS = [(t, t - 1) for t in range(2, 1001)]
PAIRS = [
    tuple(map(int, sorted(rng.choice(np.arange(1, 1001), 2, False))[::-1])) for _ in range(300)
]
EVERY = NEIGHBOURS + PAIRS  # s >= 1


def normal(shape, seed=0, dtype=torch.float64):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=dtype)


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def shares(step, t, s, *eta):
    """How much of x_0, of the noise in x_t and of the fresh noise is in x_s, if ε̂ is that noise."""
    x_0, eps, noise = torch.eye(3, dtype=torch.float64)[:, None]
    x_t = SIGNAL[t] * x_0 + NOISE[t] * eps
    return step(LINEAR, x_t, eps, t, s, *eta, noise=noise)[0].tolist()


# --- the coefficients ---------------------------------------------------------------------------


@pytest.mark.parametrize("oracle", [bayes, regress])
def test_eta_1_is_the_posterior(oracle):
    for t, s in EVERY:
        kappa, lambda_, sigma = ddim_coefficients(LINEAR, t, s, 1.0)
        expected = oracle(t, s)
        assert (kappa, lambda_, sigma**2) == pytest.approx(expected, rel=1e-10, abs=1e-12)


def test_eta_1_steps_as_the_posterior():
    for t, s in EVERY:
        on_x_t, on_x_0, variance = bayes(t, s)
        expected = (on_x_t * SIGNAL[t] + on_x_0, on_x_t * NOISE[t], math.sqrt(variance))
        assert shares(ddim_step, t, s, 1.0) == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("eta", ETAS)
def test_every_eta_keeps_the_marginal(eta):
    for t, s in EVERY:
        on_x_0, on_eps, on_noise = shares(ddim_step, t, s, eta)
        assert on_x_0 == pytest.approx(SIGNAL[s], abs=1e-12)
        assert on_eps**2 + on_noise**2 == pytest.approx(NOISE[s] ** 2, abs=1e-12)


@pytest.mark.parametrize("eta", ETAS)
def test_eta_sets_the_correlation_of_neighbours_given_x0(eta):
    """In the Markov chain it is (a_t b_s)/(a_s b_t); η takes its η² of the distance from 1."""
    for t, s in EVERY:
        markov = (SIGNAL[t] * NOISE[s]) / (SIGNAL[s] * NOISE[t])
        _, on_eps, _ = shares(ddim_step, t, s, eta)
        squared = 1 - eta**2 * (1 - markov**2)
        assert (on_eps / NOISE[s]) ** 2 == pytest.approx(squared, abs=1e-11)
        assert on_eps >= 0


def test_times_between_the_whole_ones():
    """Real times are times like any other: the posterior and the marginal hold there too."""
    for t, s in [(0.75, 0.5), (3.5, 2), (700, 12.25), (999.9, 999.8)]:
        a_t, b_t, a_s, b_s = LINEAR.at(t, s)
        kappa, lambda_, sigma = ddim_coefficients(LINEAR, t, s, 1.0)
        keep = a_t / a_s
        precision = 1 / b_s**2 + keep**2 / (1 - keep**2)
        expected = (keep / (1 - keep**2) / precision, a_s / b_s**2 / precision, precision**-0.5)
        assert (kappa, lambda_, sigma) == pytest.approx(expected, rel=1e-6)
        for eta in ETAS:
            kappa, lambda_, sigma = ddim_coefficients(LINEAR, t, s, eta)
            marginal = (kappa * a_t + lambda_, math.hypot(kappa * b_t, sigma))
            assert marginal == pytest.approx((a_s, b_s), rel=1e-12)


@pytest.mark.parametrize("eta", [*ETAS, 50.0])
def test_the_last_step_is_the_prediction(eta):
    for t in (1, 2, 500, 1000):
        assert ddim_coefficients(LINEAR, t, 0, eta) == (0, 1, 0)
        assert shares(ddim_step, t, 0, eta) == pytest.approx([1, 0, 0], abs=1e-12)


def test_the_largest_eta_forgets_x_t():
    for t, s in PAIRS:
        eta = NOISE[t] / math.sqrt(1 - np.prod(1 - BETA_POWER[s:t]))
        kappa, lambda_, sigma = ddim_coefficients(LINEAR, t, s, eta * (1 - 1e-13))
        assert (kappa, lambda_, sigma) == pytest.approx((0, SIGNAL[s], NOISE[s]), abs=3e-6)
        with pytest.raises(ValueError, match=r"^need sigma\*\*2 <= beta_bar_s\*\*2 = "):
            ddim_coefficients(LINEAR, t, s, eta * 1.001)


def skipped_and_walked(t, m, s, eta):
    """κ and σ of the step t → s, and of t → m → s with the same x_0."""
    whole = ddim_coefficients(LINEAR, t, s, eta)
    first, second = ddim_coefficients(LINEAR, t, m, eta), ddim_coefficients(LINEAR, m, s, eta)
    sigma = math.hypot(second.kappa * first.sigma, second.sigma)
    return (whole.kappa, whole.sigma), (first.kappa * second.kappa, sigma)


@pytest.mark.parametrize("eta", [0.0, 1.0])
def test_a_skip_is_two_steps_at_eta_0_and_1(eta):
    for t, m, s in [(1000, 999, 998), (1000, 500, 1), (40, 20, 10), (3, 2, 1)]:
        skip, walk = skipped_and_walked(t, m, s, eta)
        assert skip == pytest.approx(walk, rel=1e-11, abs=1e-12)


@pytest.mark.parametrize("eta", [0.1, 0.5, 0.9])
def test_a_skip_is_not_two_steps_at_another_eta(eta):
    for t, m, s in [(1000, 500, 1), (40, 20, 10), (3, 2, 1)]:
        (_, skip), (_, walk) = skipped_and_walked(t, m, s, eta)
        assert abs(skip / walk - 1) > 1e-3


def test_eta_0_composes_only_while_eps_hat_stays():
    x, eps = normal((4, 2)), normal((4, 2), seed=1)
    whole = ddim_step(LINEAR, x, eps, 800, 200)
    middle = ddim_step(LINEAR, x, eps, 800, 500)
    torch.testing.assert_close(ddim_step(LINEAR, middle, eps, 500, 200), whole)
    changed = ddim_step(LINEAR, middle, 1.1 * eps, 500, 200)
    assert (changed - whole).abs().max() > 0.01


# --- sigma-hat ----------------------------------------------------------------------------------


def test_sigma_hat_has_the_posteriors_mean_and_the_steps_variance():
    for t, s in EVERY:
        on_x_t, on_x_0, _ = bayes(t, s)
        variance = 1 - np.prod(1 - BETA_POWER[s:t])
        expected = (on_x_t * SIGNAL[t] + on_x_0, on_x_t * NOISE[t], math.sqrt(variance))
        assert shares(ddpm_large_step, t, s) == pytest.approx(expected, abs=1e-12)


def test_sigma_hat_adds_nothing_on_the_last_step():
    for t in (1, 2, 500, 1000):
        assert shares(ddpm_large_step, t, 0) == pytest.approx([1, 0, 0], abs=1e-12)
        x, eps = normal((2, 3)), normal((2, 3), seed=1)
        assert torch.equal(
            ddpm_large_step(LINEAR, x, eps, t, 0), ddpm_large_step(LINEAR, x, eps, t, 0, x)
        )


def test_sigma_hat_walks_with_its_step():
    x, times, steps = normal((3, 2)), [1000, 600, 30, 0], []
    generator = seeded(5)
    for t, s in pairwise(times):
        noise = torch.randn(x.shape, generator=generator, dtype=x.dtype)
        steps.append(x := ddpm_large_step(LINEAR, x, torch.tanh(x * t), t, s, noise))
    walk = list(
        ddpm_large_steps(lambda x, t: torch.tanh(x * t), LINEAR, normal((3, 2)), times, seeded(5))
    )
    assert [step.t for step in walk] == times[1:]
    assert all(torch.equal(step.x, x) for step, x in zip(walk, steps, strict=True))


# --- exact flows --------------------------------------------------------------------------------


def gaussian_model(mean, scale):
    return lambda x, t: gaussian_eps(SIGNAL[t], NOISE[t], x, mean, scale)


def test_standard_normal_data_turn_by_angles():
    """Data N(0, 1): each step shrinks x by the cosine of the angle that it covers."""
    one = torch.ones(1, dtype=torch.float64)
    for steps in (1, 2, 7, 50, 1000):
        angles = ANGLE[LINEAR.times(steps)]
        expected = np.prod(np.cos(angles[:-1] - angles[1:]))
        assert sample(gaussian_model(0, 1), LINEAR, one, steps).item() == pytest.approx(expected)


def test_gaussian_data_move_linearly():
    mean, scale, x_t = 0.7, 0.3, torch.tensor([-1.0, 0.4, 2.0], dtype=torch.float64)
    for t, s in [*EVERY, (1, 0), (1000, 0)]:
        a, b, a_s, b_s = SIGNAL[t], NOISE[t], SIGNAL[s], NOISE[s]
        covariance = a * a_s * scale**2 + b * b_s  # of x_t and the x_s that shares its noise
        expected = a_s * mean + covariance / (a**2 * scale**2 + b**2) * (x_t - a * mean)
        x_s = ddim_step(LINEAR, x_t, gaussian_model(mean, scale)(x_t, t), t, s)
        torch.testing.assert_close(x_s, expected, rtol=0, atol=1e-12)


def test_the_walk_converges_to_the_exact_flow():
    """Exactly, (x_t − a_t mean) / std_t never changes; the error halves with the step."""
    mean, scale, x_T = 0.7, 0.3, torch.tensor([-1.3], dtype=torch.float64)
    std = math.sqrt(SIGNAL[1000] ** 2 * scale**2 + NOISE[1000] ** 2)
    exact = mean + scale * (x_T - SIGNAL[1000] * mean) / std
    error = [
        (sample(gaussian_model(mean, scale), LINEAR, x_T, steps) - exact).abs().item()
        for steps in (50, 100, 200, 500, 1000)
    ]
    assert error[-1] < 2e-3
    ratios = [b / a for a, b in pairwise(error)]
    assert ratios == pytest.approx([0.5, 0.5, 0.4, 0.5], rel=0.15)


# --- diffusers ----------------------------------------------------------------------------------


def network(dtype):
    """A random network of (batch, 6, 6) whose answer depends on the time; t is ours, 1 … 1000."""
    with torch.random.fork_rng():
        torch.manual_seed(3)
        first, second = torch.nn.Linear(7, 32, dtype=dtype), torch.nn.Linear(32, 6, dtype=dtype)

    def model(x, t):
        time = torch.full_like(x[..., :1], t / 1000)
        return second(torch.tanh(first(torch.cat([x, time], dim=-1))))

    return model


def in_float64(scheduler):
    """Their arithmetic on the table of NumPy: the rounding of their float32 table drops out."""
    scheduler.alphas_cumprod = torch.from_numpy(np.cumprod(1 - BETA_POWER))
    if not getattr(scheduler.config, "set_alpha_to_one", True):
        scheduler.final_alpha_cumprod = scheduler.alphas_cumprod[0]
    return scheduler


def diffusers_walk(scheduler, model, x, steps, **options):
    """Their loop on our model: their time index t is our t − 1. Returns x_0 and our times."""
    scheduler.set_timesteps(steps)
    for t in scheduler.timesteps.tolist():
        with torch.no_grad():
            x = scheduler.step(model(x, t + 1), t, x, **options).prev_sample
    return x, [t + 1 for t in scheduler.timesteps.tolist()]


@pytest.mark.parametrize("eta", [0.0, 0.3, 1.0])
@pytest.mark.parametrize("steps", [1, 2, 10, 50, 125])
def test_agrees_with_diffusers(eta, steps):
    model, x = network(torch.float64), normal((2, 6, 6))
    scheduler = in_float64(DDIMScheduler(clip_sample=False, timestep_spacing="trailing"))
    options = {"eta": eta, "generator": seeded(7) if eta else None}
    theirs, times = diffusers_walk(scheduler, model, x, steps, **options)
    assert [*times, 0] == LINEAR.times(steps)
    ours = sample(model, LINEAR, x, steps, eta, seeded(7))
    assert ((ours - theirs).norm() / theirs.norm()).item() < 1e-10


@pytest.mark.parametrize("eta", [0.0, 0.3, 1.0])
def test_agrees_with_diffusers_as_it_comes(eta):
    """In float32 with their own table, which is rounded: 1e-5 of the picture."""
    model, x = network(torch.float32), normal((2, 6, 6), dtype=torch.float32)
    scheduler = DDIMScheduler(clip_sample=False, timestep_spacing="trailing")
    theirs, _ = diffusers_walk(
        scheduler, model, x, 50, eta=eta, generator=seeded(7) if eta else None
    )
    ours = sample(model, LINEAR, x, 50, eta, seeded(7))
    assert ((ours - theirs).norm() / theirs.norm()).item() < 1e-5


@pytest.mark.parametrize(
    ("settings", "times"),
    [
        ({"timestep_spacing": "leading"}, [*range(981, 0, -20), 0]),
        ({"timestep_spacing": "leading", "steps_offset": 1}, [*range(982, 0, -20), 0]),
        ({"timestep_spacing": "trailing", "set_alpha_to_one": False}, [*range(1000, 19, -20), 1]),
    ],
    ids=["leading", "offset", "first-alpha-last"],
)
def test_agrees_with_diffusers_other_times(settings, times):
    model, x = network(torch.float64), normal((2, 6, 6))
    scheduler = in_float64(DDIMScheduler(clip_sample=False, **settings))
    theirs, visited = diffusers_walk(scheduler, model, x, 50, eta=0.3, generator=seeded(7))
    assert visited == times[:-1]
    *_, last = ddim_steps(model, LINEAR, x, times, 0.3, seeded(7))
    assert ((last.x - theirs).norm() / theirs.norm()).item() < 1e-10


@pytest.mark.parametrize(("variance", "large"), [("fixed_small", False), ("fixed_large", True)])
def test_agrees_with_diffusers_ddpm(variance, large):
    """Every single step of η = 1 and of σ̂; their clamped variance at the last step is 1e-20."""
    scheduler = in_float64(DDPMScheduler(clip_sample=False, variance_type=variance))
    x, eps = normal((2, 5)), normal((2, 5), seed=1)
    for t in range(1, 1001):
        noise = torch.randn(x.shape, generator=seeded(t), dtype=x.dtype)
        step = ddpm_large_step if large else ddim_step
        ours = step(LINEAR, x, eps, t, t - 1, *([] if large else [1.0]), noise=noise)
        theirs = scheduler.step(eps, t - 1, x, generator=seeded(t)).prev_sample
        torch.testing.assert_close(ours, theirs, rtol=1e-10, atol=1e-9)
        if not large and t > 1:
            sigma = ddim_coefficients(LINEAR, t, t - 1, 1.0).sigma
            assert sigma**2 == pytest.approx(scheduler._get_variance(t - 1).item(), rel=1e-10)


def test_the_cosine_table_is_diffusers():
    theirs = DDIMScheduler(beta_schedule="squaredcos_cap_v2").alphas_cumprod.double()
    torch.testing.assert_close(Schedule.cosine().alpha_bar[1:] ** 2, theirs, rtol=2e-4, atol=1e-9)


# --- properties of the walk ---------------------------------------------------------------------


@st.composite
def walks(draw):
    """A schedule, times from T to 0, η, and noise of some shape and type to start from."""
    if draw(st.booleans()):
        schedule = Schedule.linear(draw(st.integers(21, 400)))
    else:
        schedule = Schedule.cosine(draw(st.integers(1, 400)))
    steps = draw(st.integers(1, min(schedule.T, 30)))
    times = schedule.times(steps, draw(st.sampled_from(["uniform", "quadratic", "log-snr"])))
    shape = draw(st.lists(st.integers(1, 4), min_size=1, max_size=4).map(tuple))
    dtype = draw(st.sampled_from([torch.float32, torch.float64]))
    return schedule, times, draw(st.floats(0, 1)), normal(shape, draw(st.integers(0, 9)), dtype)


@PROPERTY
@given(walks())
def test_a_model_that_knows_x0_returns_it(walk):
    schedule, times, eta, x_T = walk
    x_0 = 0.1 * normal(x_T.shape, 77, x_T.dtype)
    model = lambda x, t: predict_eps(schedule, x, x_0, t)
    passed = list(ddim_steps(model, schedule, x_T, times, eta, seeded()))
    worst = max(1, x_T.abs().max().item()) / schedule.alpha_bar[-1].item()  # x̂_0 divides by it
    tolerance = 16 * torch.finfo(x_T.dtype).eps * worst
    torch.testing.assert_close(passed[-1].x, x_0, rtol=0, atol=tolerance)
    assert [step.t for step in passed] == times[1:]
    for step in passed:
        torch.testing.assert_close(step.x0_hat, x_0, rtol=0, atol=tolerance)
        assert step.x.shape == step.x0_hat.shape == x_T.shape
        assert step.x.dtype == step.x0_hat.dtype == x_T.dtype


@PROPERTY
@given(walks())
def test_the_generator_alone_decides(walk):
    schedule, times, eta, x_T = walk
    used, spare, before = seeded(3), seeded(3), x_T.clone()
    world = torch.get_rng_state()

    def run(generator):
        *_, last = ddim_steps(lambda x, t: torch.tanh(x), schedule, x_T, times, eta, generator)
        return last.x

    first = run(used)
    assert torch.equal(first, run(seeded(3)))
    for _ in times[1:] if eta > 0 else []:
        torch.randn(x_T.shape, generator=spare, dtype=x_T.dtype)
    assert torch.equal(used.get_state(), spare.get_state())  # one draw a step; none at η = 0
    assert torch.equal(torch.get_rng_state(), world)
    assert torch.equal(x_T, before)


def test_another_seed_is_another_sample():
    model = lambda x, t: torch.tanh(x)
    one, other = (sample(model, LINEAR, normal((4, 2)), 10, 0.5, seeded(i)) for i in (0, 1))
    assert (one - other).abs().max() > 0.01


def test_the_walk_is_its_steps_in_turn():
    x, times, eta = normal((3, 2)), [900, 555, 40, 7], 0.4
    model = lambda x, t: torch.sin(x + t)
    generator = seeded(5)
    walk = ddim_steps(model, LINEAR, x, times, eta, seeded(5))
    for (t, s), step in zip(pairwise(times), walk, strict=True):
        noise = torch.randn(x.shape, generator=generator, dtype=x.dtype)
        assert torch.equal(step.x0_hat, (x - LINEAR.at(t)[1] * model(x, t)) / LINEAR.at(t)[0])
        x = ddim_step(LINEAR, x, model(x, t), t, s, eta, noise)
        assert torch.equal(step.x, x)
        assert step.t == s


def test_the_walk_is_lazy_and_records_no_gradient():
    weight, calls = torch.ones(1, dtype=torch.float64, requires_grad=True), []

    def model(x, t):
        calls.append(t)
        return weight * x

    walk = ddim_steps(model, LINEAR, normal((3, 2)), [1000, 500, 0])
    assert calls == []
    assert not next(walk).x.requires_grad
    assert calls == [1000]
    list(walk)
    assert calls == [1000, 500]
    assert torch.is_grad_enabled()


def test_sample_defaults_are_fifty_steps_of_eta_0():
    model, x_T = network(torch.float64), normal((2, 6, 6))
    *_, last = ddim_steps(model, LINEAR, x_T, list(range(1000, -1, -20)), 0.0)
    assert torch.equal(sample(model, LINEAR, x_T), last.x)


# --- bad input ----------------------------------------------------------------------------------


def no_call(x, t):
    raise AssertionError("the model was called before the input was checked")


def entries(t=10, s=5, eta=0.5, **changed):
    """Every way to ask for the step t → s, as callables."""
    x = changed.get("x", normal((2, 3)))
    eps, noise = changed.get("eps", normal((2, 3), 1)), changed.get("noise", normal((2, 3), 2))
    return {
        "coefficients": lambda: ddim_coefficients(LINEAR, t, s, eta),
        "step": lambda: ddim_step(LINEAR, x, eps, t, s, eta, noise),
        "large": lambda: ddpm_large_step(LINEAR, x, eps, t, s, noise),
        "steps": lambda: ddim_steps(no_call, LINEAR, x, [t, s], eta, seeded()),
        "large steps": lambda: ddpm_large_steps(no_call, LINEAR, x, [t, s], seeded()),
        "sample": lambda: sample(no_call, LINEAR, x, 50, eta, seeded()),
    }


def refused(error, message, names, **changed):
    calls = entries(**changed)
    for name in names.split(", "):
        with pytest.raises(error, match=message):
            calls[name]()


BAD_TIMES = [(5, 5), (5, 10), (0, 0), (1001, 5), (10, -1), (math.nan, 5), (10, math.nan)]


@pytest.mark.parametrize(("t", "s"), BAD_TIMES)
def test_times_out_of_order_or_range(t, s):
    need = f"^need 0 <= s < t <= 1000, got t={t}, s={s}$"
    refused(ValueError, need, "coefficients, step, large, steps, large steps", t=t, s=s)


def test_walks_of_bad_times():
    with pytest.raises(ValueError, match=r"^need 0 <= s < t <= 1000, got t=300, s=300$"):
        ddim_steps(no_call, LINEAR, normal((2, 3)), [1000, 300, 300, 0])
    for times in ([], [1000]):
        with pytest.raises(ValueError, match=r"^need at least two times, got \["):
            ddim_steps(no_call, LINEAR, normal((2, 3)), times)
        with pytest.raises(ValueError, match=r"^need at least two times, got \["):
            ddpm_large_steps(no_call, LINEAR, normal((2, 3)), times, seeded())


@pytest.mark.parametrize("steps", [0, 1001, 2.5, True], ids=repr)
def test_step_counts_out_of_range(steps):
    need = f"^need a whole number, 1 <= steps <= 1000, got steps={steps!r}$"
    with pytest.raises(ValueError, match=need):
        sample(no_call, LINEAR, normal((2, 3)), steps)


@pytest.mark.parametrize("eta", [-0.1, -1e-9, math.nan, math.inf])
def test_eta_below_zero_or_not_finite(eta):
    need = f"^need eta >= 0, got eta={eta}$"
    refused(ValueError, need, "coefficients, step, steps, sample", eta=eta)


@pytest.mark.parametrize("eta", [1.5, 1e200])
def test_eta_beyond_the_marginal(eta):
    need = (
        rf"^need sigma\*\*2 <= beta_bar_s\*\*2 = .*, got .* at eta={eta}, t=1000, s=500$".replace(
            "+", r"\+"
        )
    )
    refused(ValueError, need, "coefficients, step, steps", t=1000, s=500, eta=eta)
    with pytest.raises(ValueError, match=r"^need sigma\*\*2 <= beta_bar_s\*\*2 = .*, s=980$"):
        sample(no_call, LINEAR, normal((2, 3)), 50, 9.0, seeded())


def test_eta_without_noise():
    need = r"^need noise where sigma > 0, got noise=None at sigma=0\.\d+$"
    refused(ValueError, need, "step, large", noise=None)
    need = r"^need a torch.Generator to draw the noise of eta > 0, got eta=0.1$"
    with pytest.raises(ValueError, match=need):
        ddim_steps(no_call, LINEAR, normal((2, 3)), [10, 5], 0.1)
    with pytest.raises(ValueError, match=need):
        sample(no_call, LINEAR, normal((2, 3)), 50, 0.1)
    with pytest.raises(ValueError, match=r"^need a torch.Generator .* sigma-hat, got None$"):
        ddpm_large_steps(no_call, LINEAR, normal((2, 3)), [10, 5], None)


@pytest.mark.parametrize("shape", [(1, 3), (2, 1), (2, 3, 1)])
def test_shapes_that_would_broadcast(shape):
    need, got = r"^need {} shaped like x_t \(2, 3\), got ", rf"\({', '.join(map(str, shape))}\)$"
    bad = normal(shape)
    refused(ValueError, need.format("eps_hat") + got, "step, large", eps=bad)
    refused(ValueError, need.format("noise") + got, "step, large", noise=bad)
    refused(ValueError, need.format("noise") + got, "step", noise=bad, eta=0.0)


@pytest.mark.parametrize("dtype", [torch.int64, torch.float16, torch.bfloat16])
def test_integer_and_half_tensors(dtype):
    need, bad = "^need {} in float32 or float64, got " + str(dtype), torch.ones(2, 3, dtype=dtype)
    refused(TypeError, need.format("x_t"), "step, large", x=bad)
    refused(TypeError, need.format("x_T"), "steps, large steps, sample", x=bad)
    refused(TypeError, need.format("eps_hat"), "step, large", eps=bad)
    refused(TypeError, need.format("noise"), "step, large", noise=bad)


def test_mixed_dtypes():
    need, single = (
        "^need {} of the dtype of x_t torch.float64, got torch.float32$",
        normal((2, 3)).float(),
    )
    refused(TypeError, need.format("eps_hat"), "step, large", eps=single)
    refused(TypeError, need.format("noise"), "step, large", noise=single)


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_values_that_are_not_finite(value):
    need, bad = "^need finite values in {}, got 1 of 6 NaN or infinite$", normal((2, 3))
    bad[0, 1] = value
    refused(ValueError, need.format("x_t"), "step, large", x=bad)
    refused(ValueError, need.format("x_T"), "steps, large steps, sample", x=bad)
    refused(ValueError, need.format("eps_hat"), "step, large", eps=bad)
    refused(ValueError, need.format("noise"), "step, large", noise=bad)


@pytest.mark.parametrize(
    ("model", "error", "message"),
    [
        (lambda x, t: x * math.nan, ValueError, "^need finite values in eps_hat, got 6 of 6"),
        (lambda x, t: x[:1], ValueError, r"^need eps_hat shaped like x_t \(2, 3\), got \(1, 3\)$"),
        (lambda x, t: x.float(), TypeError, "^need eps_hat of the dtype of x_t torch.float64, got"),
        (lambda x, t: (x,), TypeError, "^need a torch tensor as eps_hat, got tuple$"),
    ],
    ids=["NaN", "shape", "dtype", "tuple"],
)
def test_models_that_answer_badly(model, error, message):
    with pytest.raises(error, match=message):
        sample(model, LINEAR, normal((2, 3)), 5)
    with pytest.raises(error, match=message):
        list(ddpm_large_steps(model, LINEAR, normal((2, 3)), [10, 5, 0], seeded()))
