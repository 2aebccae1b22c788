from pathlib import Path

import pytest

from passband.errors import InputError
from passband.vocoder import Vocos, VocosSettings
from passband.vocoder.learning import Recipe, dump_recipe, load_recipe

RECIPES = Path(__file__).parents[2] / "recipes"


def test_the_paper_and_the_release_can_both_be_had() -> None:
    paper = load_recipe(RECIPES / "vocos.toml")
    assert paper.model == VocosSettings.mel_24khz()
    adam = paper.training.optimizer
    assert (adam.lr, adam.beta1, adam.beta2) == (2e-4, 0.9, 0.999)
    assert (paper.data.samples, paper.data.batch_size) == (16384, 16)
    assert paper.discriminators.weights() == {"period": 1.0, "resolution": 0.1}
    assert (paper.losses.mel, paper.training.steps) == (45.0, 1_000_000)
    text = (RECIPES / "vocos.toml").read_text()
    line = next(line for line in text.splitlines() if "--set training.optimizer.lr" in line)
    release = load_recipe(RECIPES / "vocos.toml", line.lstrip("# ").replace("--set ", "").split())
    adam = release.training.optimizer
    assert (adam.lr, adam.beta1, adam.beta2) == (5e-4, 0.8, 0.9)


def test_the_encodec_recipe_is_the_published_one() -> None:
    recipe = load_recipe(RECIPES / "vocos_encodec.toml")
    assert recipe.model == VocosSettings.encodec_24khz()
    assert recipe.data.samples == 24000
    assert recipe.discriminators.weights() == {"period": 1.0, "resolution": 1.0}
    assert recipe.conditions == 4


def test_the_small_recipe_is_small() -> None:
    recipe = load_recipe(RECIPES / "vocos_small.toml")
    assert sum(p.numel() for p in Vocos(recipe.model).parameters()) < 3e6


def test_what_is_written_reads_back(tmp_path: Path) -> None:
    for path in RECIPES.glob("vocos*.toml"):
        recipe = load_recipe(path, ["data.folder=/some/where"])
        (tmp_path / path.name).write_text(dump_recipe(recipe))
        assert load_recipe(tmp_path / path.name) == recipe


def test_options_of_the_newer_papers() -> None:
    sets = ["model.input.kind=pseudo_inverse", "losses.phase=1.0", "discriminators.cqt.weight=0.1"]
    recipe = load_recipe(RECIPES / "vocos.toml", sets)
    assert recipe.model.input is not None
    assert recipe.discriminators.weights() == {"period": 1.0, "resolution": 0.1, "cqt": 0.1}


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("training.stepps=3", r"unknown key `training.stepps`"),
        ("training.steps=0", r"`training.steps` \(=0\): it should be greater than or equal to 1"),
        ("data.samples=1000", r"data.samples \(=1000\) must be a multiple of the hop of 256"),
        ("data.samples=1024", r"data.samples \(=1024\) must be at least the longest frame .* 2048"),
        ("losses.mel=-1", r"`losses.mel` \(=-1\)"),
        ("training.precision=int8", r"`training.precision` \(='int8'\)"),
        ("discriminators.cqt.hop_lengths=[256]", r"hop_lengths must be as many as bins_per_octave"),
    ],
)
def test_a_wrong_key_or_value_is_one_line(override: str, message: str) -> None:
    with pytest.raises(InputError, match=message) as caught:
        load_recipe(RECIPES / "vocos.toml", [override])
    assert "\n" not in str(caught.value)


def test_codes_need_a_backbone_that_is_told_the_bandwidth() -> None:
    plain = load_recipe(RECIPES / "vocos_encodec.toml").model_dump(exclude_none=True)
    del plain["model"]["backbone"]["conditions"]
    with pytest.raises(ValueError, match=r"model\.backbone\.conditions must be 4"):
        Recipe.model_validate(plain)


def test_files_that_are_no_recipes(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot be read: No such file"):
        load_recipe(tmp_path / "none.toml")
    (tmp_path / "a.toml").write_text("not toml")
    with pytest.raises(InputError, match="is not TOML"):
        load_recipe(tmp_path / "a.toml")
    with pytest.raises(InputError, match=r"must read key\.path=value"):
        load_recipe(RECIPES / "vocos.toml", ["steps"])
