"""Numbers in all the forms that people hand in: the right answer, or one sentence of ours."""

import numpy as np
import pytest
import torch

from ddim_lib import (
    EmpiricalData,
    GaussianMixture,
    ddim_coefficients,
    ddim_step,
    ddim_steps,
    encode,
    ode,
    ode_solve,
    predict_eps,
    predict_x0,
    q_sample,
    sample,
)
from ddim_lib.checks import check_generator
from tests.support.cases import COVARIANCES, LINEAR, MEANS, MIXTURE, POINTS, WEIGHTS, normal, seeded


def no_call(x, t):
    raise AssertionError("the model was called before the input was checked")


def model(x, t):
    assert type(t) in (int, float)  # the contract: t is a number
    return torch.tanh(x + t / 1000)


ONE = [
    int, np.uint8, np.int16, np.int64, np.float32, np.array, torch.tensor,
    lambda t: torch.tensor(t, dtype=torch.uint8), lambda t: torch.tensor(float(t)),
]  # fmt: skip


@pytest.mark.parametrize("form", ONE)
def test_a_time_in_any_form_of_one_number(form):
    x, eps, noise = (normal((3, 2), seed) for seed in range(3))
    t, s = form(200), form(7)
    assert ddim_coefficients(LINEAR, t, s, 0.5) == ddim_coefficients(LINEAR, 200, 7, 0.5)
    assert LINEAR.at(t, s) == LINEAR.at(200, 7)
    step = ddim_step(LINEAR, x, eps, t, s, 0.5, noise)
    assert torch.equal(step, ddim_step(LINEAR, x, eps, 200, 7, 0.5, noise))
    assert step.dtype == x.dtype
    assert torch.equal(q_sample(LINEAR, x, t, eps), q_sample(LINEAR, x, 200, eps))
    assert torch.equal(predict_x0(LINEAR, x, eps, t), predict_x0(LINEAR, x, eps, 200))
    assert torch.equal(predict_eps(LINEAR, x, eps, t), predict_eps(LINEAR, x, eps, 200))
    assert torch.equal(MIXTURE.eps(LINEAR, x, t), MIXTURE.eps(LINEAR, x, 200))
    expected = ode_solve(model, LINEAR, x, [200, 7, 0], ode.heun)
    assert torch.equal(ode_solve(model, LINEAR, x, [t, s, form(0)], ode.heun), expected)
    assert [step.t for step in ddim_steps(model, LINEAR, x, [t, s, form(0)])] == [7, 0]


@pytest.mark.parametrize(
    "times",
    [
        (250, 100, 0),
        range(250, -1, -125),
        np.array([250, 7, 0], dtype=np.uint8),
        torch.tensor([250, 7, 0]),
        torch.tensor([250.0, 7.5, 0.0]),
        iter([250, 7, 0]),
    ],
    ids=lambda v: type(v).__name__,
)
def test_times_in_any_form_of_a_sequence(times):
    listed = [250, 7, 0] if not hasattr(times, "__len__") else [float(t) for t in times]
    expected = ode_solve(model, LINEAR, normal((3, 2)), listed, ode.heun)
    assert torch.equal(ode_solve(model, LINEAR, normal((3, 2)), times, ode.heun), expected)


@pytest.mark.parametrize("form", [float, np.float32, np.array, torch.tensor, np.float64])
def test_eta_in_any_form_of_one_number(form):
    x = normal((3, 2), dtype=torch.float32)
    expected = sample(model, LINEAR, x, 5, 0.5, seeded())
    found = sample(model, LINEAR, x, 5, form(0.5), seeded())
    assert torch.equal(found, expected)
    assert found.dtype == torch.float32


MANY = [torch.tensor([5]), torch.tensor([5, 5]), np.array([5]), [5], (5, 5), None, "5", True, 5j]


@pytest.mark.parametrize("bad", MANY, ids=repr)
def test_what_is_not_one_number(bad):
    """One step moves the whole batch from t to s: a batch of times is refused, in our words."""
    x, eps, noise = (normal((2, 2), seed) for seed in range(3))
    asked = {
        "t": lambda: ddim_step(LINEAR, x, eps, bad, 0),
        "s": lambda: ddim_step(LINEAR, x, eps, 10, bad),
        "eta": lambda: ddim_step(LINEAR, x, eps, 10, 5, bad, noise),
    }
    if isinstance(bad, str):
        del asked["eta"]  # a name that is not known: see test_ddim_errors
    for name, call in asked.items():
        with pytest.raises((TypeError, ValueError), match=f"^need {name} as one number, got "):
            call()
    with pytest.raises((TypeError, ValueError), match=r"^need t as one number, got "):
        ddim_steps(no_call, LINEAR, x, [10, bad, 0])
    with pytest.raises((TypeError, ValueError), match=r"^need t as one number, got "):
        ode_solve(no_call, LINEAR, x, [10, bad, 0])
    if not isinstance(bad, torch.Tensor):  # those take one time a row
        for ask in (predict_x0, predict_eps):
            with pytest.raises((TypeError, ValueError), match=r"^need t as one number, got "):
                ask(LINEAR, x, eps, bad)


def test_tensors_that_are_no_times():
    for bad in (torch.tensor([True, False]), torch.tensor([1j, 2j]), torch.tensor([])):
        with pytest.raises(TypeError, match=r"^need t as a number or as a \(batch,\) tensor of"):
            q_sample(LINEAR, normal((2, 2)), bad, normal((2, 2)))


@pytest.mark.parametrize("times", [50, 50.0, torch.tensor(50), "uniform", None, np.ones((2, 2))])
def test_a_step_count_where_times_are_needed(times):
    need = r"^need times that fall, such as schedule.times\(50\), got "
    for walk in (ddim_steps, ode_solve):
        with pytest.raises(TypeError, match=need):
            walk(no_call, LINEAR, normal((2, 2)), times)


@pytest.mark.parametrize(
    "generator", [0, [0], np.random.default_rng(0), "cpu"], ids=lambda g: type(g).__name__
)
@pytest.mark.parametrize("eta", [0.0, 0.5, "sigma-hat"])
def test_generators_that_are_none(generator, eta):
    with pytest.raises(TypeError, match=r"^need a torch.Generator as generator, got "):
        sample(no_call, LINEAR, normal((2, 2)), 5, eta, generator)


def test_a_generator_on_another_device():
    with pytest.raises(ValueError, match=r"^need a generator on meta, where the samples are, got"):
        check_generator(seeded(), torch.ones(2, device="meta"), 0.5)


def test_models_and_solvers_that_are_no_functions():
    x = normal((2, 2))
    for call in (
        lambda: sample(None, LINEAR, x),
        lambda: ode_solve("digits", LINEAR, x, [9, 0]),
        lambda: encode(3, LINEAR, x, 5),
    ):
        with pytest.raises(TypeError, match=r"^need model as a function, eps_hat = model"):
            call()
    with pytest.raises(TypeError, match=r"^need step as a function, such as ode.heun, got 'heun'$"):
        ode_solve(no_call, LINEAR, x, [9, 0], "heun")


@pytest.mark.parametrize(
    "net",
    [
        lambda x, t: x * t[:, None],
        lambda x, t: x * t.float()[:, None],
        lambda x, t: x + torch.nn.functional.embedding(t, torch.ones(1001, 2).double()),
        lambda x, t: x * torch.as_tensor(t)[:, None],
    ],
)
def test_a_network_that_wants_a_batch_of_times(net):
    need = r"^need a model that takes t as a number, got \w+ from it at t=1000 .*torch\.full"
    x = normal((3, 2))
    for call in (
        lambda: sample(net, LINEAR, x, 5),
        lambda: ode_solve(net, LINEAR, x, [1000, 5]),
    ):
        with pytest.raises(TypeError, match=need) as error:
            call()
        assert error.value.__cause__ is not None
    with pytest.raises(TypeError, match=need.replace("1000", "1")):
        encode(net, LINEAR, x, 5)
    line = str(error.value).split("batch: ")[1]
    batched = eval(line, {"net": net, "torch": torch})
    plain = lambda x, t: net(x, torch.full((len(x),), t))
    assert torch.equal(sample(batched, LINEAR, x, 5), sample(plain, LINEAR, x, 5))


def test_an_error_of_ones_own_stays_ones_own():
    def broken(x, t):
        raise RuntimeError("out of paper")

    with pytest.raises(RuntimeError, match=r"^out of paper$"):
        sample(broken, LINEAR, normal((2, 2)))
    with pytest.raises(TypeError, match=r"^need x in float32 or float64, got torch.int64$"):
        sample(lambda x, t: MIXTURE.eps(LINEAR, x.long(), t), LINEAR, normal((2, 2)))


def test_mixtures_from_lists_and_counts_of_samples():
    for i, name in enumerate(("means", "covariances", "weights")):
        parts = [MEANS, COVARIANCES, WEIGHTS]
        parts[i] = parts[i].tolist()
        with pytest.raises(TypeError, match=f"^need a torch tensor as {name}, got list$"):
            GaussianMixture(*parts)
    for n in (0, -1, 2.5, "3", torch.tensor([3])):
        with pytest.raises(ValueError, match=r"^need a whole number, 1 <= n, got n="):
            MIXTURE.sample(n, seeded())


def test_covariances_that_are_nearly_symmetric():
    """Rounding is no fault, and which triangle it fell into does not matter."""
    bent = COVARIANCES.clone()
    bent[:, 0, 1] *= 1 + 1e-7
    even = (bent + bent.mT) / 2
    x = normal((5, 2))
    expected = GaussianMixture(MEANS, even, WEIGHTS).eps(LINEAR, x, 30)
    assert torch.equal(GaussianMixture(MEANS, bent, WEIGHTS).eps(LINEAR, x, 30), expected)
    assert torch.equal(GaussianMixture(MEANS, bent.mT, WEIGHTS).eps(LINEAR, x, 30), expected)
    small = 1e-10 * torch.tensor([[1, 0.5], [-0.5, 1]], dtype=torch.float64).expand(3, 2, 2)
    with pytest.raises(ValueError, match=r"^need symmetric covariances, got entries 1e-10 apart$"):
        GaussianMixture(MEANS, small, WEIGHTS)


def test_points_on_a_line_without_a_dimension():

    flat = EmpiricalData(normal(7)).eps(LINEAR, normal(5, 1), 300)
    assert torch.equal(
        flat, EmpiricalData(normal(7)[:, None]).eps(LINEAR, normal(5, 1)[:, None], 300)[:, 0]
    )
    assert EmpiricalData(POINTS).points.shape == POINTS.shape
