"""Folders and repositories: both layouts, and every way one can be wrong."""

import json
import os
import pickle
import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest
import torch
import yaml

from passband.errors import InputError, MissingDependencyError, OutputError
from passband.vocoder import (
    ConvNeXtSettings,
    IMDCTSymExpHeadSettings,
    ISTFTHeadSettings,
    LinearHeadSettings,
    PseudoInverseSettings,
    ResNetSettings,
    Vocos,
    VocosSettings,
    convert_to_passband,
    convert_to_published,
)
from passband.vocoder._published import published_settings, settings_from_published

SETTINGS = VocosSettings(backbone=ConvNeXtSettings(dim=16, intermediate_dim=24, num_layers=1))


@pytest.fixture
def vocos() -> Vocos:
    torch.manual_seed(0)
    return Vocos(SETTINGS)


@pytest.fixture
def ours(vocos: Vocos, tmp_path: Path) -> Path:
    vocos.save_pretrained(tmp_path / "ours")
    return tmp_path / "ours"


@pytest.fixture
def published(ours: Path, tmp_path: Path) -> Path:
    convert_to_published(ours, tmp_path / "published")
    return tmp_path / "published"


def same(left: Vocos, right: Vocos) -> bool:
    a, b = left.state_dict(), right.state_dict()
    return left.settings == right.settings and all(torch.equal(a[k], b[k]) for k in a | b)


def test_both_layouts_come_back(vocos: Vocos, ours: Path, published: Path, tmp_path: Path) -> None:
    assert sorted(os.listdir(ours)) == ["config.json", "model.safetensors"]
    assert sorted(os.listdir(published)) == ["config.yaml", "pytorch_model.bin"]
    for folder in (ours, published, str(ours)):
        again = Vocos.from_pretrained(folder)
        assert same(vocos, again)
        assert not again.training
    convert_to_passband(published, tmp_path / "again")
    assert same(vocos, Vocos.from_pretrained(tmp_path / "again"))


def test_the_published_mel_configuration_is_the_preset() -> None:
    text = """
    feature_extractor:
      class_path: vocos.feature_extractors.MelSpectrogramFeatures
      init_args: {sample_rate: 24000, n_fft: 1024, hop_length: 256, n_mels: 100, padding: center}
    backbone:
      class_path: vocos.models.VocosBackbone
      init_args: {input_channels: 100, dim: 512, intermediate_dim: 1536, num_layers: 8}
    head:
      class_path: vocos.heads.ISTFTHead
      init_args: {dim: 512, n_fft: 1024, hop_length: 256, padding: center}
    """
    assert settings_from_published(yaml.safe_load(text)) == VocosSettings.mel_24khz()


def test_the_published_encodec_configuration_is_the_preset() -> None:
    text = """
    feature_extractor:
      class_path: vocos.feature_extractors.EncodecFeatures
      init_args: {encodec_model: encodec_24khz, bandwidths: [1.5, 3.0, 6.0, 12.0]}
    backbone:
      class_path: vocos.models.VocosBackbone
      init_args: {input_channels: 128, dim: 384, intermediate_dim: 1152, num_layers: 8,
                  adanorm_num_embeddings: 4}
    head:
      class_path: vocos.heads.ISTFTHead
      init_args: {dim: 384, n_fft: 1280, hop_length: 320}
    """
    assert settings_from_published(yaml.safe_load(text)) == VocosSettings.encodec_24khz()


@pytest.mark.parametrize(
    "settings",
    [
        VocosSettings.encodec_24khz(),
        VocosSettings(backbone=ResNetSettings(num_blocks=2, layer_scale=0.3)),
        VocosSettings(head=IMDCTSymExpHeadSettings(mel_scaled=True, padding="center")),
        VocosSettings(head=ISTFTHeadSettings(padding="same")),
    ],
)
def test_settings_round_trip(settings: VocosSettings) -> None:
    assert settings_from_published(published_settings(settings)) == settings
    assert VocosSettings.model_validate_json(settings.model_dump_json()) == settings


@pytest.mark.parametrize(
    "settings",
    [
        VocosSettings(input=PseudoInverseSettings()),
        VocosSettings(head=LinearHeadSettings()),
        VocosSettings(backbone=ResNetSettings(conditions=2)),
    ],
)
def test_what_has_no_published_layout(settings: VocosSettings) -> None:
    with pytest.raises(InputError, match="no published layout"):
        published_settings(settings)


def test_missing_and_extra_tensors_are_listed(published: Path) -> None:
    file = published / "pytorch_model.bin"
    weights = torch.load(file, weights_only=True)
    weights["discriminator.weight"] = weights.pop("backbone.convnext.0.gamma")
    weights["head.out.bias"] = torch.zeros(3)
    torch.save(weights, file)
    with pytest.raises(InputError) as caught:
        Vocos.from_pretrained(published)
    message = str(caught.value)
    assert "lacks backbone.convnext.0.gamma;" in message
    assert "has left over discriminator.weight;" in message
    assert "head.out.bias (3,) instead of (1026,)" in message
    assert "\n" not in message


def test_the_codec_in_a_file_is_left_out(published: Path, vocos: Vocos) -> None:
    file = published / "pytorch_model.bin"
    weights = torch.load(file, weights_only=True)
    torch.save({**weights, "feature_extractor.encodec.encoder.x": torch.ones(1)}, file)
    assert same(vocos, Vocos.from_pretrained(published))


class Trap:
    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> tuple[Any, ...]:
        return os.system, (f"touch {self.mark}",)


def test_pickled_code_is_refused(published: Path, tmp_path: Path) -> None:
    mark = tmp_path / "was-here"
    file = published / "pytorch_model.bin"
    torch.save({"a": Trap(mark)}, file)
    with pytest.raises(InputError, match="is refused: it holds pickled code"):
        Vocos.from_pretrained(published)
    file.write_bytes(pickle.dumps({"a": Trap(mark)}))
    with pytest.raises(InputError, match="is refused"):
        Vocos.from_pretrained(published)
    assert not mark.exists()


def test_yaml_code_is_refused(published: Path) -> None:
    (published / "config.yaml").write_text("a: !!python/object/apply:os.getcwd []\n")
    with pytest.raises(InputError, match="not plain YAML"):
        Vocos.from_pretrained(published)


@pytest.mark.parametrize(
    ("change", "match"),
    [
        ({"class_path": "os.system"}, r"head.class_path \(='os.system'\) must be one of"),
        ({"init_args": {"dim": 99, "n_fft": 1024, "padding": "center"}}, r"head.dim \(=99\)"),
        ({"init_args": {"n_fft": 1023}}, "n_fft"),
        ({"init_args": {"wings": 2}}, "has no argument `wings`"),
    ],
)
def test_wrong_configurations(published: Path, change: dict[str, object], match: str) -> None:
    file = published / "config.yaml"
    config = yaml.safe_load(file.read_text())
    config["head"] |= change
    file.write_text(yaml.safe_dump(config))
    with pytest.raises(InputError, match=match):
        Vocos.from_pretrained(published)


def test_damaged_and_absent_files(ours: Path, published: Path, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match=r"no model.safetensors and no pytorch_model.bin"):
        Vocos.from_pretrained(tmp_path / "empty")
    with pytest.raises(InputError, match="is no folder"):
        Vocos.from_pretrained(tmp_path / "absent")
    (ours / "model.safetensors").write_bytes(b"abc")
    with pytest.raises(InputError, match="no safetensors file"):
        Vocos.from_pretrained(ours)
    file = published / "pytorch_model.bin"
    file.write_bytes(file.read_bytes()[:-2000])
    with pytest.raises(InputError, match="damaged"):
        Vocos.from_pretrained(published)
    (published / "config.yaml").unlink()
    torch.save({}, file)
    with pytest.raises(InputError, match="neither a config"):
        Vocos.from_pretrained(published)


def test_weights_know_their_settings(ours: Path, vocos: Vocos) -> None:
    (ours / "config.json").unlink()  # as if the save had been interrupted
    assert same(vocos, Vocos.from_pretrained(ours))


def test_safetensors_of_others_beside_published_settings(published: Path, vocos: Vocos) -> None:
    from safetensors.torch import save_file

    save_file(vocos.state_dict(), published / "model.safetensors")
    (published / "config.json").write_text(json.dumps({"model_type": "vocos"}))
    (published / "pytorch_model.bin").unlink()
    assert same(vocos, Vocos.from_pretrained(published))


def test_a_folder_that_cannot_be_made(vocos: Vocos, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="cannot be made"):
        vocos.save_pretrained(tmp_path / "file" / "folder")


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch, ours: Path) -> SimpleNamespace:
    """A hub that has one repository, the folder of ours."""
    fake, errors = ModuleType("huggingface_hub"), ModuleType("huggingface_hub.errors")
    errors.HfHubHTTPError = type("HfHubHTTPError", (Exception,), {})
    errors.EntryNotFoundError = type("EntryNotFoundError", (errors.HfHubHTTPError,), {})
    errors.LocalEntryNotFoundError = type("Local", (errors.EntryNotFoundError,), {})
    fake.errors = errors
    log: list[object] = []

    def download(repo: str, name: str, *, revision: str | None) -> str:
        log.append((repo, name, revision))
        if repo == "no/where":
            raise errors.HfHubHTTPError("404 Client Error.\nRepository Not Found\nmore")
        if repo == "off/line":
            raise errors.LocalEntryNotFoundError("no connection")
        if not (ours / name).is_file():
            raise errors.EntryNotFoundError(name)
        return str(ours / name)

    class Api:
        def create_repo(self, repo: str, *, private: bool, exist_ok: bool) -> None:
            log.append(("create", repo, private, exist_ok))

        def upload_folder(self, *, repo_id: str, folder_path: str) -> str:
            log.append(("upload", repo_id, sorted(os.listdir(folder_path))))
            return f"https://hub/{repo_id}/commit/1"

    fake.hf_hub_download, fake.HfApi, fake.log = download, Api, log
    monkeypatch.setitem(sys.modules, "huggingface_hub", fake)
    monkeypatch.setitem(sys.modules, "huggingface_hub.errors", errors)
    return SimpleNamespace(log=log)


def test_hub(hub: SimpleNamespace, vocos: Vocos) -> None:
    assert same(vocos, Vocos.from_pretrained("a/b", revision="main"))
    assert ("a/b", "config.json", "main") in hub.log
    assert vocos.push_to_hub("me/mine", private=True) == "https://hub/me/mine/commit/1"
    assert hub.log[-2:] == [
        ("create", "me/mine", True, True),
        ("upload", "me/mine", ["config.json", "model.safetensors"]),
    ]
    for repo, reason in (("no/where", "404 Client Error"), ("off/line", "no connection")):
        with pytest.raises(InputError, match=f"cannot be read from the hub: {reason}. Check"):
            Vocos.from_pretrained(repo)


def test_without_the_hubs_package(monkeypatch: pytest.MonkeyPatch, vocos: Vocos) -> None:
    monkeypatch.setitem(sys.modules, "huggingface_hub", None)
    with pytest.raises(MissingDependencyError, match="pip install huggingface_hub"):
        Vocos.from_pretrained("a/b")
    with pytest.raises(MissingDependencyError, match="pip install huggingface_hub"):
        vocos.push_to_hub("a/b")


def test_without_yaml(monkeypatch: pytest.MonkeyPatch, published: Path) -> None:
    monkeypatch.setitem(sys.modules, "yaml", None)
    with pytest.raises(MissingDependencyError, match="pip install PyYAML"):
        Vocos.from_pretrained(published)
