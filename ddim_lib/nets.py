"""The digits' noise predictor: a small U-Net, and its weights on disk."""

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from warnings import warn

import torch
import torch.nn.functional as F
from safetensors.torch import save
from torch import Tensor, nn

from ddim_lib.files import ASSETS, check_fit, locate, read_denoiser
from ddim_lib.schedule import Schedule

GROUPS = 8  # of every group norm; channel counts are multiples of it


def time_embedding(t: Tensor, dim: int) -> Tensor:
    """Cosines and sines of t at dim/2 frequencies from 1 down to about 1e-4, (batch, dim).

    t: (batch,), steps. Source: Vaswani et al. 2017, section 3.5; Ho et al. 2020, appendix B.
    """
    k = torch.arange(dim // 2, device=t.device)
    angle = t[:, None] * torch.exp(-math.log(10_000) * k / (dim // 2))
    return torch.cat([angle.cos(), angle.sin()], dim=1)


def zeroed(layer: nn.Conv2d) -> nn.Conv2d:
    """Set a convolution's weight and bias to zero, so that its branch starts silent."""
    for parameter in layer.parameters():
        nn.init.zeros_(parameter)
    return layer


class ResBlock(nn.Module):
    """x + conv(silu((1 + scale) · norm(conv(silu(norm(x)))) + shift)), scale and shift from t.

    (batch, c_in, h, w) -> (batch, c_out, h, w). Source: Dhariwal & Nichol 2021, section 3.1.
    """

    def __init__(self, c_in: int, c_out: int, embedding: int) -> None:
        super().__init__()
        self.norm1 = nn.GroupNorm(GROUPS, c_in)
        self.conv1 = nn.Conv2d(c_in, c_out, 3, padding=1)
        self.scale_shift = nn.Linear(embedding, 2 * c_out)
        self.norm2 = nn.GroupNorm(GROUPS, c_out)
        self.conv2 = zeroed(nn.Conv2d(c_out, c_out, 3, padding=1))
        self.skip = nn.Identity() if c_in == c_out else nn.Conv2d(c_in, c_out, 1)

    def forward(self, x: Tensor, e: Tensor) -> Tensor:
        scale, shift = self.scale_shift(e)[:, :, None, None].chunk(2, dim=1)
        h = self.conv1(F.silu(self.norm1(x)))
        h = (1 + scale) * self.norm2(h) + shift
        return self.skip(x) + self.conv2(F.silu(h))


class Attention(nn.Module):
    """x + self-attention, one head, over the pixels of a small feature map (batch, c, h, w)."""

    def __init__(self, c: int) -> None:
        super().__init__()
        self.norm = nn.GroupNorm(GROUPS, c)
        self.qkv = nn.Conv2d(c, 3 * c, 1)
        self.out = zeroed(nn.Conv2d(c, c, 1))

    def forward(self, x: Tensor) -> Tensor:
        q, k, v = self.qkv(self.norm(x)).flatten(2).mT.chunk(3, dim=2)  # (batch, h·w, c) each
        h = F.scaled_dot_product_attention(q, k, v)
        return x + self.out(h.mT.reshape(x.shape))


def signal(t: Tensor) -> Tensor:
    """Signal amplitude as a formula,  ᾱ = exp(−(u/10 + 9.95 u²)/2)  with u = t/1000, like t.

    Half the integral of β² of DDPM's linear schedule: within 0.001 of it. v learns the rest.
    """
    u = t / 1000
    return torch.exp(-(u / 10 + 9.95 * u**2) / 2)


class UNet(nn.Module):
    """Predict the noise of 28×28 grey images,  ε̂(x_t, t) = β̄_t x_t + ᾱ_t v(x_t, t).

    v is what is learned. Each 2×2 patch of pixels is first folded into channels, so all work is at
    14×14 and 7×7. channels: at 14×14, a multiple of 8. embedding: its width. inner: channels at
    7×7, else twice as many. blocks: 1 or 2 at 14×14, else ValueError. 540 868 numbers by default.
    Source: Ho et al. 2020, appendix B, made small; v = ᾱε − β̄x_0: Salimans & Ho 2022, section 4.
    """

    def __init__(self, channels: int = 32, embedding: int = 128, inner: int = 0, blocks: int = 1):
        super().__init__()
        c, e = self.channels, self.embedding = channels, embedding
        k = inner or 2 * c
        if blocks not in (1, 2):
            raise ValueError(f"need 1 or 2 blocks at 14×14, got {blocks}")
        self.config = {"channels": c, "embedding": e, "inner": k, "blocks": blocks, "predicts": "v"}
        self.schedule = Schedule.linear()  # the one it is for; samplers refuse another
        self.time = nn.Sequential(nn.Linear(c, e), nn.SiLU(), nn.Linear(e, e), nn.SiLU())
        self.stem = nn.Conv2d(4, c, 3, padding=1)
        self.down14 = ResBlock(c, c, e)
        self.shrink = nn.Conv2d(c, c, 3, stride=2, padding=1)
        self.down7 = ResBlock(c, k, e)
        self.middle1, self.attention1 = ResBlock(k, k, e), Attention(k)
        self.middle2, self.attention2 = ResBlock(k, k, e), Attention(k)
        self.up7 = ResBlock(2 * k, k, e)
        self.grow = nn.Sequential(nn.Upsample(scale_factor=2), nn.Conv2d(k, c, 3, padding=1))
        self.up14 = ResBlock(2 * c, c, e)
        self.down14b, self.up14b = (ResBlock(c, c, e) if blocks > 1 else None for _ in range(2))
        last = zeroed(nn.Conv2d(c, 4, 3, padding=1))
        self.head = nn.Sequential(nn.GroupNorm(GROUPS, c), nn.SiLU(), last)

    def forward(self, x: Tensor, t: float | Tensor) -> Tensor:
        """Return ε̂ like x: (batch, 1, 28, 28), the weights' dtype. t: 1 … T, a number or (batch,).

        Raises ValueError or TypeError: another shape or dtype of x or shape of t, t not in 1 … T.
        """
        t = self._checked(x, t)
        e = self.time(time_embedding(t, self.channels))
        h14 = self.down14(self.stem(F.pixel_unshuffle(x, 2)), e)
        h14 = h14 if self.down14b is None else self.down14b(h14, e)
        h7 = self.down7(self.shrink(h14), e)
        h = self.attention1(self.middle1(h7, e))
        h = self.attention2(self.middle2(h, e))
        h = self.up7(torch.cat([h, h7], dim=1), e)
        h = self.up14(torch.cat([self.grow(h), h14], dim=1), e)
        h = h if self.up14b is None else self.up14b(h, e)
        a_t = signal(t)[:, None, None, None]
        return (1 - a_t**2).sqrt() * x + a_t * F.pixel_shuffle(self.head(h), 2)

    def _checked(self, x: Tensor, t: float | Tensor) -> Tensor:
        """Return t as a (batch,) tensor beside x; raise unless both are what was trained on."""
        if x.ndim != 4 or x.shape[1:] != (1, 28, 28):
            raise ValueError(f"need x of shape (batch, 1, 28, 28), got {tuple(x.shape)}")
        if x.dtype != self.stem.weight.dtype:
            raise TypeError(f"need x in {self.stem.weight.dtype} like the weights, got {x.dtype}")
        t = torch.as_tensor(t, dtype=x.dtype, device=x.device)
        if t.shape not in ((), x.shape[:1]):
            raise ValueError(f"need t as a number or of shape ({len(x)},), got {tuple(t.shape)}")
        if not ((t >= 1) & (t <= self.schedule.T)).all():
            raise ValueError(f"need 1 <= t <= {self.schedule.T}, got t={t.tolist()}")
        return t.expand(len(x))


def save_denoiser(model: UNet, path: str | Path, metadata: Mapping[str, object]) -> None:
    """Write the weights as safetensors; config, schedule and metadata (JSON) go into its header.

    Raises ValueError: a schedule without a name.
    """
    name, T = model.schedule.name, model.schedule.T
    Schedule.named(name, T)
    told = {"config": model.config, "schedule": {"name": name, "T": T}, **metadata}
    Path(path).write_bytes(save(model.state_dict(), metadata={"ddim_lib": json.dumps(told)}))


def load_denoiser(source: str | Path) -> UNet:
    """Load a shipped network by its name (`files.SHIPPED`) or any saved one by its path.

    Returns the model in eval mode, its weights without gradients, its `schedule` the one that the
    file names: linear, with a warning, if it is older and names none.
    Raises FileNotFoundError; ValueError: unknown name; a file that is truncated or of other things.
    """
    path = locate(source)
    sizes, told, weights = read_denoiser(path)
    model = UNet(**sizes)
    check_fit(weights, model.state_dict(), path)
    model.load_state_dict(weights)
    model.schedule = _schedule(told, path)
    return model.eval().requires_grad_(False)


def _schedule(told: Any, path: Path) -> Schedule:
    if told is None and path.parent != ASSETS:
        warn(f"{path} does not name its schedule: taken for Schedule.linear()", stacklevel=3)
    try:
        return Schedule.linear() if told is None else Schedule.named(**told)
    except (TypeError, ValueError) as error:
        raise ValueError(f"need the name and T of a schedule, got {told} in {path}") from error
