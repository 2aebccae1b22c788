"""ESC-10, five folds: accuracy of a small CNN on mel spectrograms, and the time it took to learn.

Goal: at least 85 % on average, the five folds learned in 30 minutes on two CPU cores. The run:

    OMP_NUM_THREADS=2 passband train recipes/esc10.toml \\
        --data $PASSBAND_DATA/audio/esc10 --out runs/esc10

Then: python benchmarks/esc10.py runs/esc10. Without a folder the run is made first.
"""

import argparse
import json
import tempfile
from pathlib import Path
from typing import Any

from record import ROOT, data_folder, write_result

from passband.signal.tasks.classification import ClassifierRecipe, cross_validate, read_clips
from passband.signal.tasks.classification._features import read_features
from passband.training.recipes import load_settings

_MEASURES = (
    "accuracy_mean", "accuracy_std", "accuracy", "folds", "recall", "classes", "confusion",
    "parameters", "features", "steps", "seconds", "threads",
)  # fmt: skip


def settings() -> ClassifierRecipe:
    """The recipe on the clips of this machine."""
    data = data_folder() / "audio" / "esc10"
    return load_settings(ClassifierRecipe, ROOT / "recipes" / "esc10.toml", [f"data.folder={data}"])


def trained() -> tuple[dict[str, Any], str]:
    """Metrics and recipe of a run made now."""
    with tempfile.TemporaryDirectory() as folder:
        run = Path(folder) / "run"
        return cross_validate(settings(), run), recipe_of(run)


def feature_seconds() -> float:
    """Time that the features of all clips take; a run may have found them in a cache."""
    recipe = settings()
    return read_features(recipe, read_clips(recipe.data)).seconds


def recipe_of(run: Path) -> str:
    """The run's recipe, without where its clips lie on this machine."""
    lines = (run / "recipe.toml").read_text().splitlines()
    return "\n".join(line for line in lines if not line.startswith(("folder =", "cache =")))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("run", type=Path, nargs="?", help="folder of a finished run")
    run = parser.parse_args().run
    if run is None:
        metrics, recipe = trained()
    else:
        metrics, recipe = json.loads((run / "metrics.json").read_text()), recipe_of(run)
    features = feature_seconds()
    for fold in metrics["folds"]:
        print(f"fold {fold['fold']}      {100 * fold['accuracy']:6.2f} %  {fold['seconds']:6.0f} s")
    print(
        f"mean        {100 * metrics['accuracy_mean']:6.2f} % ± "
        f"{100 * metrics['accuracy_std']:.2f}  {metrics['seconds']:.0f} s of learning, "
        f"{features:.0f} s of features, {metrics['threads']} threads"
    )
    for name, value in metrics["recall"].items():
        print(f"  {name:16}{100 * value:6.1f} %")
    kept = {name: metrics[name] for name in _MEASURES}
    write_result("esc10", {"recipe": recipe, **kept, "feature_seconds": features})


if __name__ == "__main__":
    main()
