"""The picture of a comparison."""

from typing import Any

from passband.training import figure_png, new_figure

_BLUE, _GREY = "#2563a8", "#9aa4b0"


def comparison_figure(metrics: dict[str, Any]) -> bytes:
    """Values, means and deviations by representation; beside them differences from the reference.

    Example:
        >>> row = {"mean": 0.5, "deviation": 0.1, "values": {"0": {"fold 1": 0.5}}}
        >>> metrics = {"measure": "accuracy", "reference": "mel", "representations": {"mel": row}}
        >>> comparison_figure(metrics)[1:4]
        b'PNG'
    """
    rows = metrics["representations"]
    names = sorted(rows, key=lambda name: rows[name]["mean"])
    left = 0.4 + 0.075 * max(map(len, names))
    size = (9.5, 1.2 + 0.36 * len(names))
    figure, (values, differences) = new_figure(1, 2, size, left=left)
    for at, name in enumerate(names):
        row = rows[name]
        points = [value for seed in row["values"].values() for value in seed.values()]
        spread = [at + 0.22 * (k / max(1, len(points) - 1) - 0.5) for k in range(len(points))]
        values.plot(points, spread, "o", color=_GREY, ms=3.5, alpha=0.8)
        values.errorbar(
            row["mean"], at, xerr=row["deviation"], fmt="o", color=_BLUE, ms=6, capsize=3, lw=1.5
        )
        difference = row.get("difference")
        if difference is not None:
            differences.errorbar(
                difference["mean"], at, xerr=difference["half_width"], fmt="o", color=_BLUE, ms=6,
                capsize=3, lw=1.5,
            )  # fmt: skip
    values.set(yticks=range(len(names)), xlabel=metrics["measure"])
    values.set_yticklabels(names)
    differences.axvline(0, color=_GREY, lw=1)
    differences.set(yticks=range(len(names)), xlabel=f"less {metrics['reference']}")
    differences.set_yticklabels([])
    for axis in (values, differences):
        axis.set_ylim(-0.6, len(names) - 0.4)
        axis.grid(axis="x", color="#e4e8ee", lw=0.6)
        axis.set_axisbelow(True)
    return figure_png(figure)
