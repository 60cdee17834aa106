"""What a run leaves on disk: its state, from which it goes on, and in the end its result."""

import csv
import io
import pickle
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, cast

import torch

from ddim_lib.files import atomically
from ddim_lib.nets import UNet, save_denoiser
from ddim_lib.train.run import Run, Settings


def save_state(run: Run, path: Path) -> None:
    """Store a run, so that load_state continues it exactly; raises OSError if it cannot."""
    state = {
        "settings": asdict(run.settings),
        "generator": run.generator.get_state(),
        **{name: part.state_dict() for name, part in _moving(run).items()},
        **{name: getattr(run, name) for name in ("step", "recent", "curve")},
    }
    content = io.BytesIO()
    torch.save(state, content)
    atomically(path, lambda part: part.write_bytes(content.getvalue()))


def load_state(run: Run, path: Path) -> None:
    """Bring a run at step 0 to where save_state stored it.

    Raises FileNotFoundError: no such file. Raises ValueError: damaged, or of other settings.
    """
    if not path.is_file():
        raise FileNotFoundError(f"need the state of an interrupted run, got no file {path}")
    damage = (OSError, EOFError, RuntimeError, KeyError, TypeError, pickle.UnpicklingError)
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
        found = state["settings"]
    except damage as error:
        raise ValueError(f"need a state written by this command, got {path}: {error}") from error
    for name, need in asdict(run.settings).items():
        stored = found.get(name, getattr(Settings, name))  # older states lack newer settings
        if stored != need:
            raise ValueError(f"need {name}={stored} as in {path}, got {name}={need}")
    for name, part in _moving(run).items():
        part.load_state_dict(state[name])
    run.generator.set_state(state["generator"])
    run.step, run.recent, run.curve = state["step"], state["recent"], state["curve"]


def _moving(run: Run) -> dict[str, Any]:
    """Everything with a state of its own, by the name that it has in the file."""
    optimizers = zip(("optimizer", "muon"), run.optimizers, strict=False)
    return {"model": run.model, "ema": run.ema, **dict(optimizers)}


@dataclass(frozen=True)
class Keeper:
    """The files of a run: its result out, the state and the curve beside it, and what --keep asks.

    out: a .safetensors file. keep: steps after which the averaged weights are stored as they are,
    before the learning rate has fallen to its end.
    """

    out: Path
    keep: tuple[int, ...] = ()

    @property
    def state(self) -> Path:
        """Return where the state of an unfinished run lies."""
        return self.out.with_suffix(".state")

    def kept(self, step: int) -> Path:
        """Return where the averaged weights of a step are kept."""
        return self.out.with_name(f"{self.out.stem}_{step}.safetensors")

    def check(self, steps: int, resume: bool, force: bool) -> None:
        """Raise, before hours are spent, if something could not be stored or would be replaced."""
        if self.out.suffix != ".safetensors" or not self.out.parent.is_dir():
            need = "need --out as a .safetensors file in an existing folder"
            raise ValueError(f"{need}, got {self.out}")
        if wrong := [step for step in self.keep if not 0 < step <= steps]:
            raise ValueError(f"need --keep with steps from 1 to {steps}, got {wrong[0]}")
        if resume or force:
            return
        if self.state.exists():
            need = f"need --resume to go on with {self.state} or --force to start anew"
            raise FileExistsError(need)
        for file in (self.out, *map(self.kept, self.keep)):
            if file.exists():
                raise FileExistsError(f"need --force to replace {file}, which exists")

    def check_passed(self, step: int) -> None:
        """Raise ValueError if a run that goes on at step has passed one whose weights are asked."""
        for wanted in self.keep:
            if wanted <= step and not self.kept(wanted).exists():
                need = f"need --keep with steps after {step}, where the run stands"
                raise ValueError(f"{need}, got {wanted}")

    def save_kept(self, run: Run, test_loss: tuple[float, float]) -> None:
        """Store the averaged weights as they are now; the header says after which step."""
        self._save(run, self.kept(run.step), test_loss)

    def finish(self, run: Run) -> tuple[float, float]:
        """Store weights and curve, drop the state; returns the loss on test images, its error."""
        _, _, mean, error = run.curve[-1]
        self._save(run, self.out, (mean, error))
        curve = self.out.with_name(f"{self.out.stem}_loss.csv")
        atomically(curve, lambda part: write_curve(run, part))
        self.state.unlink()
        return mean, error

    def _save(self, run: Run, path: Path, test_loss: tuple[float, float]) -> None:
        metadata = {
            "settings": asdict(run.settings),
            "step": run.step,
            "ema_test_loss": list(test_loss),
            "torch": torch.__version__,
            "threads": torch.get_num_threads(),
        }
        atomically(path, lambda part: save_denoiser(cast(UNet, run.ema), part, metadata))


def write_curve(run: Run, path: Path) -> None:
    """Store the loss curve as CSV, one row for each that the run noted."""
    with path.open("w", newline="") as file:
        rows = csv.writer(file, lineterminator="\n")
        rows.writerow(["step", "train_loss", "ema_test_loss", "standard_error"])
        rows.writerows([step, *(f"{value:.5f}" for value in row)] for step, *row in run.curve)
