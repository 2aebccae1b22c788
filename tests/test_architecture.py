"""The house: an import goes down a floor or stays in its room."""

import ast
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "passband"

BASE = {"errors", "atomic", "__version__"}
MAY_IMPORT = {
    "errors": set(),
    "atomic": {"errors"},
    "frequency": set(),
    "media": BASE,
    "training": BASE,
    "signal": BASE | {"frequency", "media", "training"},
    "inr": BASE | {"frequency", "media", "training"},
    "recon": BASE | {"frequency", "media", "training", "signal", "inr"},
    "vocoder": BASE | {"frequency", "media", "training", "signal", "inr"},
    "cli": BASE | {"frequency", "media", "training", "signal", "inr", "recon", "vocoder"},
    "__main__": {"cli"},
    "__init__": set(),
}
FREQUENCY_MAY_USE = {"torch", "numpy", "scipy", "jaxtyping"}


def room_of(path: Path) -> str:
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def imported(path: Path) -> set[str]:
    """Dotted names of every module that ``path`` imports, wherever the import stands."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            module = node.module or ""
            names |= {f"{module}.{alias.name}" for alias in node.names}
    return names


SOURCES = sorted(PACKAGE.rglob("*.py"))


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_imports_go_down_a_floor_or_stay_in_the_room(path: Path) -> None:
    room = room_of(path)
    rooms = {name.split(".")[1] for name in imported(path) if name.startswith("passband.")}
    assert rooms - {room} <= MAY_IMPORT[room]


@pytest.mark.parametrize(
    "path", sorted((PACKAGE / "frequency").rglob("*.py")), ids=lambda p: p.name
)
def test_frequency_needs_torch_and_scipy_only(path: Path) -> None:
    tops = {name.split(".")[0] for name in imported(path)} - {"passband"}
    assert tops - set(sys.stdlib_module_names) <= FREQUENCY_MAY_USE


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_modules_are_short_and_named_for_one_idea(path: Path) -> None:
    assert len(path.read_text(encoding="utf-8").splitlines()) <= 320
    assert path.stem.strip("_") not in {"utils", "util", "helpers", "misc", "common"}


def run(code: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=True
    )
    return done.stdout.strip()


def test_help_answers_without_torch() -> None:
    code = (
        "import sys; sys.argv = ['passband', 'fit', '--help']\n"
        "from passband.cli import main\n"
        "try:\n    main()\nexcept SystemExit:\n    pass\n"
        "print('torch' in sys.modules, 'numba' in sys.modules)"
    )
    assert run(code).splitlines()[-1] == "False False"


def test_fields_import_without_numba_matplotlib_or_tensorboard() -> None:
    heavy = ("numba", "matplotlib", "tensorboard", "scipy.signal", "skimage.metrics")
    code = f"import sys, passband.inr\nprint([m for m in {heavy} if m in sys.modules])"
    assert run(code) == "[]"


def test_transforms_import_without_what_only_some_need() -> None:
    heavy = ("numba", "matplotlib", "pydantic", "onnx", "scipy.signal", "torch._dynamo")
    code = f"import sys, passband.signal\nprint([m for m in {heavy} if m in sys.modules])"
    assert run(code) == "[]"


TASKS = ("classification", "comparison", "denoising", "enhancement", "enhancement.frcrn")
TASKS += ("enhancement.gtcrn", "enhancement.learning", "shortcuts", "similarity", "transcription")


def test_import_of_everything_warns_of_nothing() -> None:
    rooms = ("frequency", "media", "training", "inr", "signal", "vocoder", "vocoder.learning")
    rooms += ("recon", "recon.doctor", "recon.evaluation", "recon.meshing", "recon.paths")
    rooms += tuple(f"signal.tasks.{task}" for task in TASKS)
    modules = [f"passband.{room}" for room in rooms]
    code = f"import {', '.join(modules)}; print('quiet')"
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, cwd=ROOT
    )
    assert (done.stdout.strip(), done.stderr) == ("quiet", "")


def test_the_standard_signal_module_stays_reachable() -> None:
    assert run("import signal, torch; print(signal.SIGINT.name)") == "SIGINT"


def test_public_names_exist() -> None:
    code = (
        "import passband.frequency, passband.media, passband.training, passband.inr\n"
        "import passband.signal, passband.signal.losses, passband.vocoder.learning\n"
        "import passband.vocoder.discriminators, passband.vocoder.losses\n"
        "import passband.recon, passband.recon.doctor, passband.recon.evaluation\n"
        "import passband.recon.meshing, passband.recon.paths, passband.recon.rendering\n"
        "import passband.inr.encodings, passband.inr.networks, passband.inr.matching\n"
        + "".join(f"import passband.signal.tasks.{task}\n" for task in TASKS)
        + "import sys\n"
        "rooms = [m for n, m in sys.modules.items() if n.startswith('passband.') and "
        "hasattr(m, '__all__')]\n"
        "print([f'{m.__name__}.{n}' for m in rooms for n in m.__all__ if not hasattr(m, n)])"
    )
    assert run(code) == "[]"


def test_every_pinned_dependency_is_in_range() -> None:
    from packaging.requirements import Requirement

    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    wanted = list(project["dependencies"])
    for name in ("test", "bench"):
        wanted += project["optional-dependencies"][name]
    lines = (ROOT / "constraints.txt").read_text().splitlines()
    pins = dict(line.split("==") for line in lines if "==" in line and not line.startswith("#"))
    pins = {name.lower().replace("_", "-"): version for name, version in pins.items()}
    for text in wanted:
        requirement = Requirement(text)
        assert requirement.specifier.contains(pins[requirement.name.lower().replace("_", "-")])
