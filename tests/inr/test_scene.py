import os
import tomllib
from pathlib import Path

import pytest

from passband.errors import InputError
from passband.inr import ImageScene, dump_scene, load_scene, matched_knobs, parse_scene, with_knob

SCENES = [
    path
    for path in sorted((Path(__file__).parents[2] / "scenes").glob("*.toml"))
    if 'kind = "photographs"' not in path.read_text(encoding="utf-8")
]
IMAGE = {"kind": "image", "target": {"path": "/a.png"}}


@pytest.mark.parametrize("path", SCENES, ids=lambda path: path.stem)
def test_every_scene_reads_and_survives_writing(path: Path) -> None:
    scene = load_scene(path)
    again = parse_scene(tomllib.loads(dump_scene(scene)), source="again")
    assert again == scene
    assert len(matched_knobs(scene.field)) <= 1


def test_target_paths_start_from_the_scene_and_expand_variables(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PICTURES", "/somewhere")
    for text, expected in [
        ("a.png", str(tmp_path / "a.png")),
        ("/b.png", "/b.png"),
        ("$PICTURES/c.png", "/somewhere/c.png"),
        ("~/d.png", os.path.expanduser("~/d.png")),
        ("skimage:camera", "skimage:camera"),
    ]:
        file = tmp_path / "scene.toml"
        file.write_text(f'kind = "image"\n[target]\npath = "{text}"\n')
        assert load_scene(file).target.path == expected


def test_networks_other_than_relu_take_plain_coordinates_unless_said() -> None:
    siren = parse_scene({**IMAGE, "field": {"network": {"kind": "siren"}}}, source="x")
    assert siren.field.encoding.kind == "identity"
    assert matched_knobs(siren.field) == ["network.first_omega"]


def test_with_knob_checks_the_value() -> None:
    scene = parse_scene(IMAGE, source="x")
    with pytest.raises(ValueError, match="finest_resolution"):
        with_knob(scene.field, "encoding.finest_resolution", 3)


BAD = [
    (["training.stepz=3"], r"unknown key `training.stepz`. Allowed here: steps, batch_size"),
    (["training.steps=0"], r"`training.steps` \(=0\): it should be greater than or equal to 1"),
    (["training.steps=ten"], r"`training.steps` \(='ten'\): it should be a valid integer"),
    (["training=3"], r"`training` \(=3\): it should be a valid dictionary"),
    (["colour=2"], r"unknown key `colour`. Allowed here: kind, target, field, auto, matching"),
    (["kind=video"], r"`kind` \(='video'\) is unknown. Allowed: 'image', 'audio'"),
    (["target.path=3"], r"`target.path` \(=3\): it should be a valid string"),
    (["field.encoding.kind=fuorier"], r"`field.encoding.kind` \(='fuorier'\) is unknown. Allowed:"),
    (["field.encoding.octaves=3"], r"`field.encoding.kind` is missing. Allowed: identity"),
    (
        ["field.encoding.kind=fourier", "field.encoding.sigma=-1"],
        r"`field.encoding.sigma` \(=-1\): it should be greater than 0 or it should be 'match'",
    ),
    (
        ["field.encoding.kind=hashgrid", "field.encoding.n_levelz=3"],
        r"unknown key `field.encoding.n_levelz`. Allowed here: kind, n_levels",
    ),
    (
        ["field.encoding.kind=hashgrid", "field.encoding.finest_resolution=8"],
        r"finest_resolution \(=8\) must be at least base_resolution \(=16\)",
    ),
    (
        ["field.encoding.kind=fourier", "field.network.kind=siren"],
        r"only one knob can be matched, and encoding.sigma and network.first_omega ask for it",
    ),
    (["training.schedule.kind=cosine", "training.schedule.final=7"], r"less than or equal to 1"),
    (["training.clip_norm=-1"], r"`training.clip_norm` \(=-1\): it should be greater than 0"),
    (["matching.candidates=[1,-2]"], r"`matching.candidates.1` \(=-2\)"),
    (["nonsense"], r"`--set nonsense` must read key.path=value"),
    (["kind.a=1"], r"kind is a value, not a table"),
]


@pytest.mark.parametrize(("overrides", "message"), BAD, ids=[b[0][-1] for b in BAD])
def test_bad_settings_are_named_in_one_line(
    tmp_path: Path, overrides: list[str], message: str
) -> None:
    file = tmp_path / "scene.toml"
    file.write_text('kind = "image"\n[target]\npath = "a.png"\n')
    with pytest.raises(InputError, match=message) as caught:
        load_scene(file, overrides)
    assert "\n" not in str(caught.value)


def test_a_missing_kind_says_what_is_allowed(tmp_path: Path) -> None:
    file = tmp_path / "scene.toml"
    file.write_text('[target]\npath = "a.png"\n')
    with pytest.raises(InputError, match=r"`kind` is missing. Allowed: image, audio, shape"):
        load_scene(file)


@pytest.mark.parametrize(
    ("content", "message"),
    [(b"kind = ", "is not TOML"), (b"\xff\xfe\x00", "not UTF-8"), (None, "cannot be read")],
)
def test_files_that_are_no_scenes(tmp_path: Path, content: bytes | None, message: str) -> None:
    file = tmp_path / "scene.toml"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(InputError, match=message):
        load_scene(file)


def test_overrides_read_toml_values() -> None:
    scene = parse_scene({**IMAGE, "training": {"steps": 5, "optimizer": {"lr": 1e-3}}}, source="x")
    assert isinstance(scene, ImageScene)
    assert (scene.training.steps, scene.training.optimizer.lr) == (5, 1e-3)
