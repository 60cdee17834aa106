"""Break each formula of the library once, in a copy, and see which test notices.

python tools/mutants.py [WORD]    all mutations, or those whose name or file contains WORD

Prints a table: the mutation and the first test that failed, or SURVIVED. Exits with 1 if a
mutation survived, or if a text to replace is not found exactly once (then this list is out of
date), and with 2 if the tests fail without any mutation.
"""

import io
import os
import re
import shutil
import sys
import tempfile
from concurrent.futures import ProcessPoolExecutor
from contextlib import redirect_stdout
from multiprocessing import get_context
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parent.parent
PRELOAD = [  # imported once; each run of the tests starts as a fork that has them
    "pytest",
    "hypothesis",
    "torch",
    "scipy.integrate",
    "scipy.interpolate",
    "diffusers.schedulers.scheduling_ddim",
    "diffusers.schedulers.scheduling_ddpm",
    "diffusers.schedulers.scheduling_dpmsolver_multistep",
]
FAILED = re.compile(r"^(?:FAILED|ERROR) (tests/\S+?\.py(?:::\S+)?)", re.MULTILINE)


class Mutant(NamedTuple):
    """One change of one file that must not go unnoticed."""

    file: str
    old: str
    new: str
    name: str


# Each a title "file: name", the text to replace, and what to put there.
MUTATIONS = """
schedule: T + 1 powers
- linspace(0.1 / T, 20 / T, T
+ linspace(0.1 / T, 20 / T, T + 1

schedule: half the last power
- linspace(0.1 / T, 20 / T
+ linspace(0.1 / T, 10 / T

schedule: amplitudes linear instead of powers
- power = torch.linspace(0.1 / T, 20 / T, T, dtype=torch.float64)
+ power = torch.linspace((0.1 / T)**0.5, (20 / T)**0.5, T, dtype=torch.float64)**2

schedule: alpha_bar squared for alpha_bar
- cumprod(1 - power, dim=0).sqrt()
+ cumprod(1 - power, dim=0)

schedule: one root too many
- cumprod(1 - power, dim=0).sqrt()
+ cumprod((1 - power).sqrt(), dim=0).sqrt()

schedule: cosine not squared
- / 1.008 * math.pi / 2) ** 2
+ / 1.008 * math.pi / 2)

schedule: cosine without its offset
- (u + 0.008) / 1.008
+ u / 1.008

schedule: cosine power from a root
- 1 - f[1:] / f[:-1]
+ 1 - (f[1:] / f[:-1]).sqrt()

schedule: cosine clipped elsewhere
- clamp(max=0.999)
+ clamp(max=0.9999)

schedule: beta_bar from alpha_bar not squared
- return (1 - self.alpha_bar**2).sqrt()
+ return (1 - self.alpha_bar).sqrt()

schedule: beta_bar squared for beta_bar
- return (1 - self.alpha_bar**2).sqrt()
+ return 1 - self.alpha_bar**2

schedule: noise_level upside down
- return self.beta_bar / self.alpha_bar
+ return self.alpha_bar / self.beta_bar

schedule: sign of half_log_snr
- return -self.noise_level.log()
+ return self.noise_level.log()

schedule: log SNR for half of it
- return -self.noise_level.log()
+ return -2 * self.noise_level.log()

schedule: beta_bar between times not squared
- log_a.exp(), (-torch.expm1(2 * log_a)).sqrt()
+ log_a.exp(), (-torch.expm1(log_a)).sqrt()

schedule: index one too low
- self._rows(t.round().long())
+ self._rows(t.long() - 1)

schedule: numbers read the entry before
- float(self.alpha_bar[int(t)]), float(self.beta_bar[int(t)])
+ float(self.alpha_bar[int(t) - 1]), float(self.beta_bar[int(t) - 1])

schedule: time_at without its half
- target = -0.5 * math.log1p
+ target = -math.log1p

schedule: time_at without its square
- math.log1p(noise_level**2)
+ math.log1p(noise_level)

schedule: time_at: the farther end
- key=lambda t: abs(miss(t))
+ key=lambda t: -abs(miss(t))

schedule: stride of steps + 1
- 1 - np.arange(steps + 1) / steps
+ 1 - np.arange(steps + 1) / (steps + 1)

schedule: cubic for quadratic
- ideal = self.T * left**2
+ ideal = self.T * left**3

schedule: even in noise level, not in its log
- np.linspace(log_rho[-1], log_rho[0], steps)
+ np.log(np.linspace(*np.exp(log_rho[[-1, 0]]), steps))

schedule: log-snr times one too low
- np.arange(1, self.T + 1)), 0)
+ np.arange(self.T)), 0)

schedule: rounding down
- np.rint(ideal)
+ np.floor(ideal)

schedule: not the nearest: from the right
- (from_right + from_left) // 2
+ from_right

schedule: not the nearest: from the left
- (from_right + from_left) // 2
+ from_left

process: power of the signal
- return alpha_bar * x_0 + beta_bar * eps
+ return alpha_bar**2 * x_0 + beta_bar * eps

process: power of the noise
- return alpha_bar * x_0 + beta_bar * eps
+ return alpha_bar * x_0 + beta_bar**2 * eps

process: sign of the noise
- return alpha_bar * x_0 + beta_bar * eps
+ return alpha_bar * x_0 - beta_bar * eps

process: predict_x0: sign
- (x_t - beta_bar * eps_hat) / alpha_bar
+ (x_t + beta_bar * eps_hat) / alpha_bar

process: predict_x0: divided twice
- (x_t - beta_bar * eps_hat) / alpha_bar
+ (x_t - beta_bar * eps_hat) / alpha_bar**2

process: predict_x0: not divided
- (x_t - beta_bar * eps_hat) / alpha_bar
+ x_t - beta_bar * eps_hat

process: predict_eps: divided twice
- (x_t - alpha_bar * x0_hat) / beta_bar
+ (x_t - alpha_bar * x0_hat) / beta_bar**2

process: predict_eps: signal not weighed
- (x_t - alpha_bar * x0_hat) / beta_bar
+ (x_t - x0_hat) / beta_bar

process: amplitudes exchanged
- alpha_bar, beta_bar = schedule.at(t)
+ beta_bar, alpha_bar = schedule.at(t)

ddim: eta**2 for eta
- sigma = eta * (b_s / b_t)
+ sigma = eta**2 * (b_s / b_t)

ddim: root of eta
- sigma = eta * (b_s / b_t)
+ sigma = eta**0.5 * (b_s / b_t)

ddim: sigma-hat inside the family
- sigma = eta * (b_s / b_t)
+ sigma = eta

ddim: sigma: t and s exchanged
- sigma = eta * (b_s / b_t)
+ sigma = eta * (b_t / b_s if s else 0)

ddim: sigma: alpha not squared
- (b_s / b_t) * sqrt(1 - (a_t / a_s) ** 2)
+ (b_s / b_t) * sqrt(1 - a_t / a_s)

ddim: sigma: beta squared for beta
- (b_s / b_t) * sqrt(1 - (a_t / a_s) ** 2)
+ (b_s / b_t) * (1 - (a_t / a_s) ** 2)

ddim: sigma: alpha_bar_t for the step's alpha
- (b_s / b_t) * sqrt(1 - (a_t / a_s) ** 2)
+ (b_s / b_t) * sqrt(1 - a_t ** 2)

ddim: kappa: sigma not squared
- sqrt(max(b_s**2 - sigma**2, 0.0))
+ sqrt(max(b_s**2 - sigma, 0.0))

ddim: kappa: sign
- sqrt(max(b_s**2 - sigma**2, 0.0))
+ sqrt(b_s**2 + sigma**2)

ddim: kappa: the other root
- sqrt(max(b_s**2 - sigma**2, 0.0))
+ -sqrt(max(b_s**2 - sigma**2, 0.0))

ddim: kappa as at eta = 0
- sqrt(max(b_s**2 - sigma**2, 0.0))
+ b_s

ddim: kappa: divided by beta_bar_s
- 0.0)) / b_t
+ 0.0)) / b_s if s else 0.0

ddim: lambda: sign
- lambda_ = a_s - kappa * a_t
+ lambda_ = a_s + kappa * a_t

ddim: lambda: t and s exchanged
- lambda_ = a_s - kappa * a_t
+ lambda_ = a_t - kappa * a_s

ddim: lambda: beta_bar for alpha_bar
- lambda_ = a_s - kappa * a_t
+ lambda_ = a_s - kappa * b_t

ddim: the bound on eta at t
- sigma > b_s * (1 + 1e-12)
+ sigma > b_t

ddim: variance for the standard deviation
- _add_noise(kappa * x_t + lambda_ * x0_hat, sigma, noise)
+ _add_noise(kappa * x_t + lambda_ * x0_hat, sigma**2, noise)

ddim: kappa and lambda exchanged
- _add_noise(kappa * x_t + lambda_ * x0_hat, sigma, noise)
+ _add_noise(lambda_ * x_t + kappa * x0_hat, sigma, noise)

ddim: sigma-hat: the mean of eta = 0
- schedule, t, s, eta=1.0)
+ schedule, t, s, eta=0.0)

ddim: sigma-hat: alpha not squared
- sigma_hat = sqrt(1 - (a_t / a_s) ** 2)
+ sigma_hat = sqrt(1 - a_t / a_s)

ddim: sigma-hat: noise on the last step
- if s > 0 else 0.0
+ if s >= 0 else 0.0

ddim: the model asked at s
- eps_hat = model(x, t)
+ eps_hat = model(x, s)

ddim: the slot before
- eps_hat = model(x, t)
+ eps_hat = model(x, t - 1)

ddim: x0_hat of the walk at s
- x0_hat = predict_x0(schedule, x, eps_hat, t)
+ x0_hat = predict_x0(schedule, x, eps_hat, max(s, 1))

ddim: the time left for the time reached
- yield Step(s, x, x0_hat)
+ yield Step(t, x, x0_hat)

ddim: draws at eta = 0
- generator if eta > 0 else None
+ generator

ddim: eta not checked in advance
- ddim_coefficients(schedule, t, s, eta)
-     if
+ pass
+     if

ode: glide: beta_bar not rescaled
- (a_s / a_t) * x_t + (b_s - a_s * b_t / a_t) * slope
+ (a_s / a_t) * x_t + (b_s - b_t) * slope

ode: glide: x not rescaled
- (a_s / a_t) * x_t + (b_s
+ x_t + (b_s

ode: glide: sign
- (a_s / a_t) * x_t + (b_s
+ (a_s / a_t) * x_t - (b_s

ode: heun: both slopes at t
- (slope + model(x_s, s)) / 2
+ (slope + model(x_s, t)) / 2

ode: heun: second slope at the old x
- (slope + model(x_s, s)) / 2
+ (slope + model(x_t, s)) / 2

ode: heun: weights
- (slope + model(x_s, s)) / 2
+ (2 * slope + model(x_s, s)) / 3

ode: rk4: geometric middle
- time_at((b_t / a_t + b_s / a_s) / 2)
+ time_at((b_t / a_t * b_s / a_s) ** 0.5)

ode: rk4: equal weights
- (k_1 + 2 * k_2 + 2 * k_3 + k_4) / 6
+ (k_1 + k_2 + k_3 + k_4) / 4

ode: rk4: third slope from the first
- k_3 = model(_glide(schedule, x_t, k_2
+ k_3 = model(_glide(schedule, x_t, k_1

ode: rk4: last slope from the second
- k_4 = model(_glide(schedule, x_t, k_3, t, s), s)
+ k_4 = model(_glide(schedule, x_t, k_2, t, s), s)

ode: 2M: without its half
- (x0_hat - x0_before) / (2 * r)
+ (x0_hat - x0_before) / r

ode: 2M: ratio upside down
- (x0_hat - x0_before) / (2 * r)
+ (x0_hat - x0_before) * r / 2

ode: 2M: sign
- (x0_hat - x0_before) / (2 * r)
+ (x0_before - x0_hat) / (2 * r)

ode: 2M: ratio of the wrong pieces
- (log(a_t / b_t) - log(a / b))
+ (log(a_s / b_s) - log(a / b))

ode: 2M: weight of x0_hat
- (a_s - a_t * b_s / b_t) * estimate
+ (a_s - a_t) * estimate

ode: 2M: carries the extrapolation
- estimate, (t, x0_hat)
+ estimate, (t, estimate)

ode: 2M: extrapolates on the last step
- carry is not None and s > 0
+ carry is not None

ode: encode: slope at the far end
- model(x, max(s, 1))
+ model(x, t)

ode: encode: slope at t = 0
- model(x, max(s, 1))
+ model(x, s)

exact: mixture: variance by alpha_bar
- alpha_bar**2 * self._variances + beta_bar**2
+ alpha_bar * self._variances + beta_bar**2

exact: mixture: noise not squared
- alpha_bar**2 * self._variances + beta_bar**2
+ alpha_bar**2 * self._variances + beta_bar

exact: mixture: means not shrunk
- - alpha_bar * centres
+ - centres

exact: mixture: no normalisation
- torch.log(2 * math.pi * variance)
+ 0 * variance

exact: mixture: weights forgotten
- log_p + self.weights.log()
+ log_p

exact: mixture: std for variance
- * offset / variance
+ * offset / variance.sqrt()

exact: mixture: axes transposed
- self._axes.transpose(0, 1).flatten(1)
+ self._axes.permute(2, 0, 1).flatten(1)

exact: score: sign
- return -(log_p.softmax(1)
+ return (log_p.softmax(1)

exact: eps: beta_bar squared
- return -amplitudes(schedule, t, x)[1] * self.score
+ return -amplitudes(schedule, t, x)[1] ** 2 * self.score

exact: eps: alpha_bar for beta_bar
- return -amplitudes(schedule, t, x)[1] * self.score
+ return -amplitudes(schedule, t, x)[0] * self.score

exact: samples: variance for std
- self._variances[k].sqrt() * z
+ self._variances[k] * z

exact: samples: axes transposed
- "nij,nj->ni", self._axes[k]
+ "nji,nj->ni", self._axes[k]

exact: weights not normalised
- weights.double() / weights.double().sum()
+ weights.double() / len(weights)

exact: data: signal not squared
- alpha_bar**2 * (self._flat**2).sum(1)
+ alpha_bar * (self._flat**2).sum(1)

exact: data: cross term halved
- - 2 * alpha_bar * (x @ self._flat.T)
+ - alpha_bar * (x @ self._flat.T)

exact: data: twice as sharp
- (-squares / (2 * beta_bar**2))
+ (-squares / beta_bar**2)

exact: data: noise not squared
- (-squares / (2 * beta_bar**2))
+ (-squares / (2 * beta_bar))
"""


def parse(text: str) -> list[Mutant]:
    """Read the list above."""
    mutants = []
    for block in text.strip().split("\n\n"):
        title, *lines = block.split("\n")
        file, name = title.split(": ", 1)
        old = "\n".join(line[2:] for line in lines if line.startswith("- "))
        new = "\n".join(line[2:] for line in lines if line.startswith("+ "))
        mutants.append(Mutant(file, old, new, name))
    return mutants


def run_tests(file: str, old: str = "", new: str = "") -> tuple[int, str]:
    """Run a module's tests on a copy with old replaced by new; pytest's status and its report."""
    import pytest

    with tempfile.TemporaryDirectory() as name, redirect_stdout(io.StringIO()) as report:
        folder = Path(name).resolve()
        for part in ("ddim_lib", "tests"):
            leave = shutil.ignore_patterns("__pycache__", ".*")
            shutil.copytree(ROOT / part, folder / part, ignore=leave)
        shutil.copy(ROOT / "pyproject.toml", folder)
        path = folder / "ddim_lib" / f"{file}.py"
        path.write_text(path.read_text(encoding="utf-8").replace(old, new), encoding="utf-8")
        os.chdir(folder)
        sys.path.insert(0, name)
        status = pytest.main(
            ["-x", "-q", "-p", "no:cacheprovider", "-rfE", f"tests/test_{file}.py"]
        )
        tested = Path(sys.modules["ddim_lib"].__file__).resolve()
        os.chdir(ROOT)
    assert folder in tested.parents, f"need the copy in {folder} to be tested, got {tested}"
    return int(status), report.getvalue()


def verdict(mutant: Mutant, status: int, report: str) -> str:
    """Name the first test that failed, or return the empty string."""
    found = FAILED.search(report)
    if status not in (0, 1) or (status == 1 and not found):
        raise RuntimeError(f"pytest ended with {status} on '{mutant.name}':\n{report[-2000:]}")
    return found.group(1) if found else ""


def stale(mutants: list[Mutant]) -> list[str]:
    """Complaints about mutations whose text is not in the library exactly once."""
    complaints = []
    for mutant in mutants:
        text = (ROOT / "ddim_lib" / f"{mutant.file}.py").read_text(encoding="utf-8")
        if (count := text.count(mutant.old)) != 1:
            complaints.append(f"{mutant.file}: {mutant.name}: found {count} times: {mutant.old}")
    return complaints


def table(mutants: list[Mutant], pool: ProcessPoolExecutor) -> int:
    """Try the mutations and print a line for each; return how many survived."""
    runs = [pool.submit(run_tests, m.file, m.old, m.new) for m in mutants]
    survivors = 0
    for mutant, run in zip(mutants, runs, strict=True):
        test = verdict(mutant, *run.result())
        survivors += not test
        print(f"{mutant.file:9} {mutant.name:41} {test or 'SURVIVED'}", flush=True)
    return survivors


def main(word: str = "") -> int:
    """Try the mutations, print the table, return the exit status."""
    os.environ["OMP_NUM_THREADS"] = "1"
    mutants = [m for m in parse(MUTATIONS) if word in m.name or word in m.file]
    if complaints := stale(mutants):
        print("need every text exactly once; this list is out of date:", *complaints, sep="\n  ")
        return 1
    context = get_context("forkserver")
    context.set_forkserver_preload(PRELOAD)
    with ProcessPoolExecutor(os.cpu_count(), context, max_tasks_per_child=1) as pool:
        for status, report in pool.map(run_tests, sorted({m.file for m in mutants})):
            if status != 0:
                print("the tests fail without a mutation:", report[-3000:], sep="\n")
                return 2
        survivors = table(mutants, pool)
    print(f"{len(mutants)} mutations, {len(mutants) - survivors} caught, {survivors} survived")
    return 1 if survivors else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:2]))
