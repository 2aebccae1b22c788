"""What the documentation shows works as shown."""

import json
import re
import tomllib
from pathlib import Path

import pytest

from passband.inr import ImageScene, parse_scene

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]


def blocks(page: Path, language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL)


PYTHON = [(page.name, code) for page in PAGES for code in blocks(page, "python")]


@pytest.mark.parametrize(("page", "code"), PYTHON, ids=[page for page, _ in PYTHON])
def test_python_runs(page: str, code: str) -> None:
    exec(compile(code, page, "exec"), {})


def test_the_scene_with_every_setting_is_valid_and_shows_the_defaults() -> None:
    (text,) = blocks(ROOT / "docs" / "scenes.md", "toml")
    plain = tomllib.loads(text)
    shown = parse_scene(plain, source="docs/scenes.md")
    bare = parse_scene({"kind": "image", "target": {"path": "photo.png"}}, source="bare")
    assert shown == bare
    for name in ("field", "matching", "training"):
        keys = set(ImageScene.model_fields[name].annotation.model_fields)
        commented = set(re.findall(r"[a-z_]+", " ".join(re.findall(r"^# (.*)$", text, re.M))))
        assert keys - set(plain.get(name, {})) <= commented


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    for link in re.findall(r"\]\(([^)#:]+)\)", page.read_text(encoding="utf-8")):
        assert (page.parent / link).exists(), link


LIBRARIES = {"record", "timing", "trial", "known_truth_scenes"}


def test_every_benchmark_has_a_result_that_names_its_command() -> None:
    scripts = {p.stem for p in (ROOT / "benchmarks").glob("*.py")} - LIBRARIES
    for name in scripts - {"cuda_kernels"}:  # which runs on a GPU and has none yet
        result = json.loads((ROOT / "benchmarks" / "results" / f"{name}.json").read_text())
        assert result["measured_on"]["command"].startswith(f"python benchmarks/{name}.py")
        assert f"benchmarks/{name}.py" in (ROOT / "README.md").read_text()
