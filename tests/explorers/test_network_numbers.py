"""The network that runs in the page is `ddim_lib`'s, number for number."""

import hashlib
import json

import numpy as np
import pytest
import torch

from ddim_lib.files import read_denoiser
from ddim_lib.nets import UNet, load_denoiser, save_denoiser
from ddim_lib.widgets import parts
from tests.support.network_page import WEIGHTS, floats, forward, loaded, packed, refusal

KINDS = {False: "WebAssembly", True: "plain JavaScript"}
EITHER = pytest.mark.parametrize("plain", KINDS, ids=KINDS.values())
PRODUCT = """([a, b, bias, [rows, depth, columns], plain]) => {
  const matrices = new Matrices(40_000, { plain });
  const [A, B, c0] = [a, b, bias].map((text) => new Float32Array(bytes(text)));
  const [roomA, roomB, room0] = [A, B, c0].map((data) => matrices.take(1, data.length));
  roomA.set(A);
  B.forEach((v, n) => (roomB[inPanels(Math.floor(n / columns), n % columns, depth)] = v));
  room0.set(c0);
  const C = matrices.take(rows, columns);
  return text(matrices.product(roomA, roomB, room0, C, [rows, depth, columns]).slice());
}"""


def noise(count: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(count, 1, 28, 28, generator=torch.Generator().manual_seed(seed))


@pytest.fixture
def page(browser, site):
    with loaded(browser, site, WEIGHTS.read_bytes()) as page:
        yield page


@EITHER
def test_the_forward_is_the_librarys(page, plain):
    model, exact, x = load_denoiser("digits"), load_denoiser("digits").double(), noise(4)
    for t in (1, 2, 10, 100, 500, 1000):
        eps_hat, kind = forward(page, x, t, plain=plain)
        assert kind == KINDS[plain]
        assert (eps_hat - exact(x.double(), t)).abs().max() <= 1e-5, t
        assert (eps_hat - model(x, t)).abs().max() <= 3e-5, t


@pytest.mark.parametrize("config", [(8, 16), (40, 64), (64, 128, 64, 2), (16, 16, 40, 2)])
def test_other_sizes_of_the_network(browser, site, tmp_path, config):
    torch.manual_seed(1)
    model = UNet(*config)  # channels, embedding, inner, blocks
    for weight in model.parameters():  # the zeroed ones too
        torch.nn.init.normal_(weight, std=0.1)
    save_denoiser(model, tmp_path / "other.safetensors", {})
    exact, x = model.double().requires_grad_(False), noise(2)
    with loaded(browser, site, (tmp_path / "other.safetensors").read_bytes()) as page:
        for plain in KINDS:
            expected = exact(x.double(), 500)
            eps_hat, _ = forward(page, x, 500, plain=plain)
            assert (eps_hat - expected).abs().max() <= 1e-5 * expected.abs().max()


@EITHER
@pytest.mark.parametrize("shape", [(4, 1, 8), (49, 64, 56), (196, 36, 32), (7, 33, 16)])
def test_the_product(page, shape, plain):
    rows, depth, columns = shape
    g = np.random.default_rng(0)
    A, B, bias = (g.normal(size=s).astype("f4") for s in ((rows, depth), (depth, columns), columns))
    matrices = [packed(matrix.tobytes()) for matrix in (A, B, bias)]
    C = floats(page.evaluate(PRODUCT, [*matrices, shape, plain])).reshape(rows, columns)
    assert np.abs(C.numpy() - (bias + A.astype("f8") @ B)).max() < 3e-6 * np.sqrt(depth) + 1e-6


def test_the_compiled_product_is_kept_with_its_source():
    """tools/matmul.sh writes matmul.ts's digest beside what it compiled."""
    source = parts.PAGE.parents[2] / "tools" / "matmul.ts"
    digest = hashlib.sha256(source.read_bytes()).hexdigest()[:16]
    assert digest in (parts.PAGE / "matmul.js").read_text(encoding="utf-8")


# --- what is no weight file ----------------------------------------------------------------------


def rewritten(change) -> bytes:
    """The shipped file with its header changed."""
    data = WEIGHTS.read_bytes()
    end = 8 + int.from_bytes(data[:8], "little")
    header = json.loads(data[8:end])
    change(header)
    text = json.dumps(header).encode()
    return len(text).to_bytes(8, "little") + text + data[end:]


def shape(sizes) -> str:
    """Sizes as the page's own messages write them."""
    return ",".join(map(str, sizes))


def about(**changes):
    """A change of what the header says of the network."""

    def change(header):
        said = json.loads(header["__metadata__"]["ddim_lib"])
        header["__metadata__"]["ddim_lib"] = json.dumps(said | changes)

    return change


SIZE = WEIGHTS.stat().st_size
SIZES, _, SHIPPED_WEIGHTS = read_denoiser(WEIGHTS)
SIZES |= {"predicts": "v"}
HEADER = 8 + int.from_bytes(WEIGHTS.read_bytes()[:8], "little")
STEM, TIME = (tuple(SHIPPED_WEIGHTS[name].shape) for name in ("stem.weight", "time.0.weight"))
BROKEN = {
    "need a whole weight file, got 3 bytes": lambda: b"abc",
    f"need a whole weight file, got 1000 of at least {HEADER}": lambda: WEIGHTS.read_bytes()[:1000],
    f"need a whole weight file, got {SIZE - 4} of at least {SIZE} bytes": (
        lambda: WEIGHTS.read_bytes()[:-4]
    ),
    "need a weight file, got one without a header": lambda: bytes([2, *[0] * 7]) + b"no",
    "need a file written by save_denoiser, got one without our metadata": (
        lambda: rewritten(lambda header: header.pop("__metadata__"))
    ),
    f"need ({shape(STEM)}) as stem.weight, got nothing": (
        lambda: rewritten(lambda header: header.pop("stem.weight"))
    ),
    f"need ({TIME[0]},40) as time.0.weight, got ({shape(TIME)})": (
        lambda: rewritten(about(config=SIZES | {"channels": 40}))
    ),
    "need channels as a multiple of 8, got 20": (
        lambda: rewritten(about(config=SIZES | {"channels": 20}))
    ),
    "need 1 or 2 blocks at 14×14, got 3": lambda: rewritten(about(config=SIZES | {"blocks": 3})),
    "need weights of a network that predicts v, got eps": (
        lambda: rewritten(about(config=SIZES | {"predicts": "eps"}))
    ),
    "need the linear schedule, got cosine": (
        lambda: rewritten(about(schedule={"name": "cosine", "T": 1000}))
    ),
    "need float32 weights, got F16 as stem.bias": (
        lambda: rewritten(lambda header: header["stem.bias"].update(dtype="F16"))
    ),
}


def test_the_shipped_file_is_not_refused(browser, site):
    assert refusal(browser, site, WEIGHTS.read_bytes()) is None


@pytest.mark.parametrize("words", BROKEN)
def test_what_is_no_weight_file_is_told_in_a_sentence(browser, site, words):
    assert refusal(browser, site, BROKEN[words]()).startswith(words)
