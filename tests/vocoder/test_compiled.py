"""Vocoders through ``torch.compile``, and what is asked of a CUDA graph."""

import copy
import pickle
import shutil
from typing import Any

import pytest
import torch
from torch import Tensor

from passband.errors import InputError
from passband.vocoder import (
    ConvNeXtSettings,
    IMDCTCosHeadSettings,
    ResNetSettings,
    Vocos,
    VocosGraph,
    VocosSettings,
    _cuda_graph,
)

TINY = ConvNeXtSettings(dim=8, intermediate_dim=16, num_layers=1)
OWN_WORDS = pytest.mark.filterwarnings("ignore:.*torch.jit:DeprecationWarning")


# Without the shape checks of the tests, which torch cannot compile.
pytestmark = pytest.mark.usefixtures("unchecked")


def tiny(**parts: object) -> Vocos:
    torch.manual_seed(0)
    vocos = Vocos(VocosSettings(**{"backbone": TINY, **parts})).eval()
    with torch.no_grad():
        for value in vocos.parameters():
            value.add_(0.05 * torch.randn_like(value))
    return vocos


def error(ours: Tensor, theirs: Tensor) -> float:
    assert ours.shape == theirs.shape
    return float((ours - theirs).abs().max() / theirs.abs().max())


class Seen:
    """A backend that runs the graphs as they are, and counts them."""

    def __init__(self) -> None:
        self.graphs: list[Any] = []

    def __call__(self, graph: Any, inputs: Any) -> Any:
        self.graphs.append(graph)
        return graph


@OWN_WORDS
@pytest.mark.skipif(shutil.which("c++") is None, reason="no compiler for C++")
@torch.no_grad()
def test_compiled_makes_the_same_sound() -> None:
    plain = tiny()
    compiled = copy.deepcopy(plain)
    compiled.compile(dynamic=True)
    for batch, frames in ((2, 40), (1, 75)):
        features = 2 * torch.randn(batch, 100, frames) - 4
        assert error(compiled(features), plain(features)) < 1e-5


@OWN_WORDS
@pytest.mark.parametrize("backbone", [TINY, ResNetSettings(dim=8, num_blocks=1)])
@torch.no_grad()
def test_all_options_in_one_graph_of_real_numbers(backbone: ConvNeXtSettings) -> None:
    backbone = backbone.model_copy(update={"conditions": 3})
    for head in ({}, {"head": IMDCTCosHeadSettings()}):
        plain, backend = tiny(backbone=backbone, **head), Seen()
        compiled = copy.deepcopy(plain)
        compiled.compile(backend=backend, fullgraph=True, dynamic=True)
        features, condition = 2 * torch.randn(3, 100, 20) - 4, torch.tensor([0, 2, 1])
        audio = compiled(features, condition, length=4700)
        assert error(audio, plain(features, condition, length=4700)) < 1e-5
        values = [n.meta.get("example_value") for g in backend.graphs for n in g.graph.nodes]
        assert len(values) > 10
        assert not any(isinstance(v, Tensor) and v.is_complex() for v in values)


@OWN_WORDS
@torch.no_grad()
def test_half_precision_training_and_lengths() -> None:
    plain = tiny()
    compiled = copy.deepcopy(plain)
    compiled.compile(backend=Seen())
    features = 2 * torch.randn(2, 100, 30) - 4
    coarse = compiled(features, precision="bfloat16")
    assert 1e-5 < error(coarse, plain(features)) < 5e-2
    assert error(compiled(features, lengths=[30, 7]), plain(features, lengths=[30, 7])) < 1e-5
    with torch.enable_grad():
        for vocos in (compiled, plain):
            vocos.train()(features).square().sum().backward()
    ours, theirs = (v.backbone.embed.weight.grad for v in (compiled, plain))
    assert error(ours, theirs) < 1e-5


@OWN_WORDS
def test_copies_compile_anew_and_files_are_as_before() -> None:
    vocos, backend = tiny(), Seen()
    names = list(vocos.state_dict())
    vocos.compile(backend=backend)
    assert list(vocos.state_dict()) == names
    features = torch.randn(1, 100, 9)
    with torch.no_grad():
        audio = vocos(features)
        assert len(backend.graphs) == 1
        other = copy.deepcopy(vocos)
        assert torch.equal(other(features), audio)
    tiny_again = tiny()
    tiny_again.compile(mode="reduce-overhead")
    assert pickle.loads(pickle.dumps(tiny_again))._compiled._options == {"mode": "reduce-overhead"}


@OWN_WORDS
def test_no_compiler_is_said_in_one_line() -> None:
    def refuse(graph: Any, inputs: Any) -> Any:
        raise RuntimeError("No working C++ compiler found.\nLong explanations follow.")

    vocos = tiny()
    vocos.compile(backend=refuse)
    with pytest.raises(
        InputError, match=r"^torch.compile fails here: No working C\+\+ .* found\. "
    ):
        vocos(torch.randn(1, 100, 9))


def test_a_cuda_graph_off_a_gpu_is_refused() -> None:
    with pytest.raises(InputError, match="needs a vocoder on a CUDA device; this one is on cpu"):
        tiny().cuda_graph(94, batch=16)


class Recorded:
    """A graph whose replay makes the sound of what lies in the features' place then."""

    def replay(self) -> None:
        graph = self.owner
        graph._audio.copy_(graph._pass())


@pytest.fixture
def pretended(monkeypatch: pytest.MonkeyPatch) -> None:
    """The processor in the place of a GPU: passes run at once, replays again."""

    def record(graph: VocosGraph) -> tuple[Any, Tensor]:
        recorded = Recorded()
        recorded.owner = graph
        return recorded, graph._pass()

    monkeypatch.setattr(_cuda_graph, "_KIND", "cpu")
    monkeypatch.setattr(VocosGraph, "_record", torch.no_grad()(record))


@pytest.mark.usefixtures("pretended")
@torch.no_grad()
def test_a_graph_holds_to_its_shape() -> None:
    vocos = tiny(backbone=TINY.model_copy(update={"conditions": 3}))
    graph = vocos.cuda_graph(20, batch=2, bandwidth_id=1)
    assert graph.shape == (2, 100, 20)
    first, second = 2 * torch.randn(2, 2, 100, 20) - 4
    sounds = [graph(features) for features in (first, second)]
    for features, sound in zip((first, second), sounds, strict=True):
        assert error(sound, vocos(features, 1)) < 1e-6
    for other in (first[..., :19], first[:1], first[0], first[None]):
        with pytest.raises(InputError, match=r"must be \(2, 100, 20\), the shape of this graph"):
            graph(other)
    with pytest.raises(InputError, match="must be finite"):
        graph(first * torch.nan)
    alone = vocos.cuda_graph(20, bandwidth_id=torch.tensor(1))
    assert error(alone(first[0]), vocos(first[0], 1)) < 1e-6
    assert alone(first[:1]).shape == (1, 19 * 256)


@pytest.mark.usefixtures("pretended")
@pytest.mark.parametrize(
    ("arguments", "match"),
    [
        ({"frames": 1}, "at least 2 frames"),
        ({"frames": 20, "batch": 0}, "at least 2 frames"),
        ({"frames": 20, "bandwidth_id": 1}, "must be left out"),
    ],
)
def test_a_graph_of_nothing(arguments: dict[str, int], match: str) -> None:
    with pytest.raises(InputError, match=match):
        tiny().cuda_graph(**arguments)
