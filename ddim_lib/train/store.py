"""What a run leaves on disk: its state, from which it goes on, and in the end its result."""

import io
import pickle
from dataclasses import asdict
from pathlib import Path

import torch

from ddim_lib.files import atomically
from ddim_lib.train.run import Run, Settings


def save_state(run: Run, path: Path) -> None:
    """Store a run, so that load_state continues it exactly; raises OSError if it cannot."""
    state = {
        "settings": asdict(run.settings),
        "generator": run.generator.get_state(),
        **{name: getattr(run, name).state_dict() for name in ("model", "ema", "optimizer")},
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
    for name in ("model", "ema", "optimizer"):
        getattr(run, name).load_state_dict(state[name])
    run.generator.set_state(state["generator"])
    run.step, run.recent, run.curve = state["step"], state["recent"], state["curve"]
