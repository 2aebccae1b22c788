"""Vocoders as ONNX models: the sound that the vocoder makes, whatever the sizes."""

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from passband.errors import InputError, MissingDependencyError, OutputError
from passband.vocoder import (
    ConvNeXtSettings,
    EncodecFeatureSettings,
    IMDCTCosHeadSettings,
    IMDCTSymExpHeadSettings,
    ISTFTHeadSettings,
    LinearHeadSettings,
    PseudoInverseSettings,
    ResNetSettings,
    Vocos,
    VocosSettings,
    _export,
    export_onnx,
)
from passband.vocoder._real_head import RealHead

SMALL = ConvNeXtSettings(dim=16, intermediate_dim=32, num_layers=1)
CONDITIONED = ResNetSettings(dim=16, num_blocks=1, conditions=3)
HEADS = [
    ISTFTHeadSettings(),
    ISTFTHeadSettings(padding="same"),
    ISTFTHeadSettings(n_fft=900),  # no multiple of the hop
    IMDCTCosHeadSettings(clip_audio=True),
    IMDCTSymExpHeadSettings(padding="center"),
    LinearHeadSettings(),
]


# Without the shape checks of the tests, which torch cannot trace.
pytestmark = pytest.mark.usefixtures("unchecked")


def small(**parts: object) -> Vocos:
    torch.manual_seed(0)
    vocos = Vocos(VocosSettings(**{"backbone": SMALL, **parts})).eval()
    with torch.no_grad():
        for value in vocos.parameters():
            value.add_(0.05 * torch.randn_like(value))
    return vocos


def assert_near(ours: Tensor, theirs: Tensor, tolerance: float) -> None:
    assert ours.shape == theirs.shape
    assert float((ours - theirs).abs().max()) <= tolerance * float(theirs.abs().max())


@pytest.mark.parametrize("head", HEADS, ids=str)
@torch.no_grad()
def test_head_in_real_numbers(head: object) -> None:
    ours = small(head=head).head
    real = RealHead(ours)
    for batch, frames in ((1, 2), (3, 11)):
        hidden = torch.randn(batch, frames, 16)
        assert_near(real(hidden), ours(hidden), 3e-6)


@torch.no_grad()
def compare(vocos: Vocos, path: Path, bandwidth_id: Tensor | None = None) -> Any:
    runtime = pytest.importorskip("onnxruntime")
    session = runtime.InferenceSession(path, providers=["CPUExecutionProvider"])
    for batch, frames in ((1, 2), (3, 40)):
        features = 2 * torch.randn(batch, vocos.channels, frames) - 4
        given = {"features": features.numpy()}
        condition = None
        if vocos.backbone.conditions is not None:
            condition = torch.arange(batch) % 3
            given["bandwidth_id"] = condition.numpy()
        found = session.run(["waveform"], given)[0]
        assert_near(torch.from_numpy(found), vocos(features, condition), 1e-5)
    return session


@pytest.mark.parametrize(
    "parts",
    [
        {},
        {"head": ISTFTHeadSettings(padding="same"), "input": PseudoInverseSettings()},
        {"head": IMDCTCosHeadSettings()},
        {"backbone": CONDITIONED, "feature_extractor": EncodecFeatureSettings(bandwidths=(1.5,))},
    ],
    ids=["center", "same, from a pseudo-inverse", "cosines", "codes"],
)
def test_the_runtime_makes_the_same_sound(parts: dict[str, object], tmp_path: Path) -> None:
    pytest.importorskip("onnxscript")
    if "feature_extractor" in parts:
        parts = {**parts, "head": ISTFTHeadSettings(n_fft=1280, padding="same")}
    vocos = small(**parts).train()
    export_onnx(vocos, tmp_path / "model.onnx")
    assert vocos.training
    session = compare(vocos.eval(), tmp_path / "model.onnx")
    metadata = session.get_modelmeta().custom_metadata_map
    assert metadata["sample_rate"] == "24000"
    assert metadata["hop_length"] == str(vocos.hop_length)
    assert metadata["features"] == vocos.feature_extractor.expected


def test_another_opset_a_double_vocoder_and_an_old_file(tmp_path: Path) -> None:
    onnx = pytest.importorskip("onnx")
    pytest.importorskip("onnxscript")
    path = tmp_path / "model.onnx"
    path.write_text("an old file")
    vocos = small().double()
    export_onnx(vocos, str(path), opset=20)
    assert onnx.load(path).opset_import[0].version == 20
    compare(vocos.float(), path)
    assert [file.name for file in tmp_path.iterdir()] == ["model.onnx"]


def test_what_cannot_be_exported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    vocos = small()
    monkeypatch.setattr(_export, "_model", lambda *arguments: pytest.fail("too late"))
    with pytest.raises(InputError, match=r"`opset` \(=12\) must be 18 to 23"):
        export_onnx(vocos, tmp_path / "model.onnx", opset=12)
    with pytest.raises(OutputError, match=r"the folder .* does not exist"):
        export_onnx(vocos, tmp_path / "no" / "model.onnx")
    monkeypatch.setattr(_export, "find_spec", lambda name: None)
    with pytest.raises(MissingDependencyError, match="pip install onnx onnxscript"):
        export_onnx(vocos, tmp_path / "model.onnx")
