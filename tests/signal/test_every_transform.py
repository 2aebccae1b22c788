"""What holds for every transform of a waveform, whatever it computes."""

import copy
import inspect
import json
import os
import subprocess
import sys
from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

import passband.signal as room
from passband.signal import FrameTransform, SignalLoss, Transform

RATE, TIME = 8000, 800

# Small settings of every transform that takes a waveform; a new one belongs here.
WAVEFORM: dict[str, Callable[[], nn.Module]] = {
    "AdaptiveMultitaper": lambda: room.AdaptiveMultitaper(TIME, RATE),
    "CQT": lambda: room.CQT(RATE, 64, 400.0, 24),
    "CWT": lambda: room.CWT(RATE, f_min=300.0, voices=4),
    "Cepstrum": lambda: room.Cepstrum(64),
    "Chroma": lambda: room.Chroma(RATE, 256, hop_length=64, norm=2.0, octwidth=None),
    "Cochleagram": lambda: room.Cochleagram(
        RATE, 6, 100.0, 3000.0, sample_factor=1, envelope_rate=400, numtaps=101
    ),
    "GaborCQT": lambda: room.GaborCQT(RATE, 400.0, 24),
    "Gammatonegram": lambda: room.Gammatonegram(RATE, 128, hop_length=32, n_filters=8),
    "HarmonicPercussive": lambda: room.HarmonicPercussive(64, kernel_size=5),
    "HilbertEnvelope": lambda: room.HilbertEnvelope(),
    "LFCC": lambda: room.LFCC(
        RATE, 12, n_lfcc=6, speckwargs={"n_fft": 64, "hop_length": 16}, top_db=None
    ),
    "LogFrequencySpectrogram": lambda: room.LogFrequencySpectrogram(
        RATE, 128, hop_length=32, f_min=200.0, f_max=3000.0, n_bins=20
    ),
    "LogMelSpectrogram": lambda: room.LogMelSpectrogram(RATE, 128, n_mels=8),
    "MFCC": lambda: room.MFCC(
        RATE, 6, melkwargs={"n_fft": 128, "hop_length": 32, "n_mels": 8}, top_db=None
    ),
    "MelSpectrogram": lambda: room.MelSpectrogram(RATE, 128, n_mels=8),
    "Multitaper": lambda: room.Multitaper(TIME, RATE),
    "MultitaperSpectrogram": lambda: room.MultitaperSpectrogram(RATE, 64),
    "PseudoWignerVille": lambda: room.PseudoWignerVille(32, 16),
    "ReassignedSpectrogram": lambda: room.ReassignedSpectrogram(RATE, 64),
    "Resample": lambda: room.Resample(RATE, 6000),
    "SmoothedPseudoWignerVille": lambda: room.SmoothedPseudoWignerVille(32, 16, time_length=9),
    "Spectrogram": lambda: room.Spectrogram(64, power=1.0),
    "Superlets": lambda: room.Superlets(RATE, f_min=300.0, n_bins=6, order_max=3.0),
    "SynchrosqueezedCWT": lambda: room.SynchrosqueezedCWT(RATE, f_min=300.0, voices=4),
    "SynchrosqueezedSTFT": lambda: room.SynchrosqueezedSTFT(RATE, 32, 8),
    "VQT": lambda: room.VQT(RATE, 64, 400.0, 24, gamma=20.0),
    "WignerVille": lambda: room.WignerVille(100),
}

OF_A_SPECTRUM = {
    "GriffinLim",
    "InverseCQT",
    "InverseCWT",
    "InverseGaborCQT",
    "InverseMelScale",
    "InverseSpectrogram",
    "InverseSynchrosqueezedCWT",
    "InverseSynchrosqueezedSTFT",
    "InverseVQT",
    "MelScale",
    "PCEN",
}

# A ratio of two small numbers, or a bin that a coefficient moves to: float32 decides differently.
UNSTEADY = {"ReassignedSpectrogram", "SynchrosqueezedCWT", "SynchrosqueezedSTFT"}

every_transform = pytest.mark.parametrize("name", WAVEFORM)


@pytest.fixture(scope="module")
def made() -> dict[str, nn.Module]:
    """Each transform, built once: building may cost more than applying."""
    return {}


@pytest.fixture
def transform(name: str, made: dict[str, nn.Module]) -> nn.Module:
    if name not in made:
        made[name] = WAVEFORM[name]()
    return made[name]


def noise(*shape: int, dtype: torch.dtype = torch.float64) -> Tensor:
    generator = torch.Generator().manual_seed(0)
    return torch.randn(*shape, dtype=dtype, generator=generator) * 0.3


def parts(result: object) -> list[Tensor]:
    """The tensors of a result, complex ones as two reals."""
    tensors = [result] if isinstance(result, Tensor) else list(result)
    return [torch.view_as_real(x.resolve_conj()) if x.is_complex() else x for x in tensors]


def assert_same(ours: object, theirs: object, tolerance: float) -> None:
    for x, y in zip(parts(ours), parts(theirs), strict=True):
        assert x.shape == y.shape
        assert float((x - y).norm()) <= tolerance * float(y.norm())


def test_every_transform_is_here() -> None:
    classes = {
        name: member
        for name in room.__all__
        if inspect.isclass(member := getattr(room, name)) and issubclass(member, Transform)
    }
    plain = {
        name
        for name, member in classes.items()
        if not issubclass(member, SignalLoss) and name not in ("Transform", "FrameTransform")
    }
    assert plain == set(WAVEFORM) | OF_A_SPECTRUM


@every_transform
def test_a_batch_is_its_items(transform: nn.Module) -> None:
    x = noise(2, 3, TIME)
    whole = parts(transform(x))
    flat = parts(transform(x.flatten(0, 1)))
    for i, item in enumerate(x.flatten(0, 1)):
        for one, many, nested in zip(parts(transform(item)), flat, whole, strict=True):
            torch.testing.assert_close(one, many[i], rtol=1e-9, atol=1e-9)
            assert nested.shape == (2, 3, *one.shape)
            torch.testing.assert_close(one, nested[i // 3, i % 3], rtol=1e-9, atol=1e-9)


@every_transform
def test_the_input_is_left_alone(transform: nn.Module) -> None:
    x = noise(2, TIME)
    before = x.clone()
    transform(x)
    assert torch.equal(x, before)


@every_transform
def test_precision(name: str, transform: nn.Module) -> None:
    x = noise(2, TIME)
    exact, single = parts(transform(x)), parts(transform(x.float()))
    assert all(part.dtype == torch.float64 for part in exact)
    assert all(part.dtype == torch.float32 for part in single)
    assert_same(single, exact, 0.05 if name in UNSTEADY else 1e-4)


@every_transform
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("sound", ["noise", "silence", "half"])
def test_gradients_are_finite(transform: nn.Module, sound: str, dtype: torch.dtype) -> None:
    x = noise(TIME, dtype=dtype)
    if sound != "noise":
        x[: TIME if sound == "silence" else TIME // 2] = 0
    x.requires_grad_()
    result = parts(transform(x))
    assert all(part.isfinite().all() for part in result)
    generator = torch.Generator().manual_seed(1)
    weighted = [(part * torch.rand(part.shape, generator=generator)).sum() for part in result]
    torch.stack(weighted).sum().backward()
    assert x.grad.isfinite().all()
    assert sound != "noise" or x.grad.abs().sum() > 0


@every_transform
def test_vmap(transform: nn.Module) -> None:
    x = noise(3, TIME)
    mapped = torch.func.vmap(transform)(x)
    assert_same(mapped, transform(x), 1e-9)


class OnOneDevice(TorchDispatchMode):
    """No tensor is made on the CPU, nor brought from there: both break a CUDA graph."""

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):  # type: ignore[no-untyped-def]
        result = func(*args, **(kwargs or {}))
        tensors = [x for x in tree_leaves((args, kwargs, result)) if isinstance(x, Tensor)]
        assert all(x.device.type == "meta" for x in tensors), func
        return result


@every_transform
def test_no_value_is_read_back(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    # Tensors on the meta device have no values, as those of a CUDA graph have none in its capture.
    x = torch.empty(2, TIME, device="meta")
    transform = WAVEFORM[name]().to("meta")
    transform(x)
    monkeypatch.setattr(torch, "tensor", None)  # copies from the CPU unseen
    with OnOneDevice():
        transform(x)


@every_transform
@pytest.mark.usefixtures("unchecked")
def test_bad_input(transform: nn.Module) -> None:
    broken = noise(2, TIME)
    broken[1, 7] = torch.nan
    with pytest.raises(ValueError, match=r"`waveform` .* must be finite"):
        transform(broken)
    broken[1, 7] = torch.inf
    with pytest.raises(ValueError, match=r"`waveform` .* must be finite"):
        transform(broken)
    with pytest.raises(ValueError, match="must be float32 or float64"):
        transform(torch.ones(2, TIME, dtype=torch.int64))
    with pytest.raises(ValueError, match="must have a last axis of at least one sample"):
        transform(torch.ones(2, 0))
    with pytest.raises(ValueError, match="must have a last axis of at least one sample"):
        transform(torch.tensor(1.0))


@every_transform
def test_copies_and_state(name: str, transform: nn.Module) -> None:
    x = noise(TIME)
    expected = transform(x)
    twin = copy.deepcopy(transform)
    twin.load_state_dict(transform.state_dict())
    assert_same(twin(x), expected, 0)
    fresh = WAVEFORM[name]()
    fresh.load_state_dict(transform.state_dict())
    assert_same(fresh(x), expected, 0)
    assert_same(twin.to(torch.float64)(x), expected, 0)


@every_transform
def test_autocast(name: str, transform: nn.Module) -> None:
    x = noise(2, TIME, dtype=torch.float32)
    expected = transform(x)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        ours, half = transform(x), transform(x.bfloat16())
    assert all(part.dtype == torch.float32 for part in parts(ours) + parts(half))
    assert all(part.isfinite().all() for part in parts(ours) + parts(half))
    assert_same(ours, expected, 1e-5)
    assert_same(half, transform(x.bfloat16().float()), 1e-5)


@pytest.mark.parametrize(
    "name", [name for name in WAVEFORM if issubclass(getattr(room, name), FrameTransform)]
)
def test_stream(transform: nn.Module) -> None:
    x = noise(2, 3 * TIME)
    stream = transform.stream()
    pieces = [stream.push(block) for block in x.split(173, dim=-1)] + [stream.finish()]
    assert sum(piece.shape[-1] > 0 for piece in pieces) > 2
    assert_same(torch.cat(pieces, dim=-1), transform(x), 1e-8)


def compiled_difference(name: str) -> float | str:
    """Of a compiled transform and its gradient from the plain, relative; or the error."""
    transform, x = WAVEFORM[name](), noise(2, TIME).requires_grad_()
    plain = parts(transform(x))
    weights = [torch.rand_like(part) for part in plain]
    torch._dynamo.reset()
    try:
        ours = parts(torch.compile(transform, backend="aot_eager", fullgraph=True)(x))
        pairs = list(zip(ours, plain, strict=True))
        pairs += [[torch.autograd.grad(each, x, weights)[0] for each in (ours, plain)]]
    except Exception as error:
        return str(error)
    with torch.no_grad():
        return max(float((a - b).norm() / b.norm()) for a, b in pairs)


@pytest.fixture(scope="module")
def compiled_differences() -> dict[str, float | str]:
    """In a process of its own: no compiler can follow the shape checks of the tests."""
    done = subprocess.run(
        [sys.executable, "-W", "ignore", __file__],
        env=os.environ | {"OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"},
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    differences: dict[str, float | str] = json.loads(done.stdout.splitlines()[-1])
    return differences


@every_transform
def test_compiled_as_one_graph(name: str, compiled_differences: dict[str, float | str]) -> None:
    difference = compiled_differences[name]
    assert isinstance(difference, float), difference
    assert difference < 1e-9


if __name__ == "__main__":
    print(json.dumps({name: compiled_difference(name) for name in WAVEFORM}))  # noqa: T201
