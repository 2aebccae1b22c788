"""The report of a search for shortcuts: one HTML page that needs nothing beside it."""

import html
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from jaxtyping import Float
from torch import Tensor

from passband.atomic import write_text_atomic
from passband.signal.tasks.shortcuts._figures import adcs_figure, dominance_figure, map_figure
from passband.signal.tasks.shortcuts._frequencies import Frequencies
from passband.signal.tasks.shortcuts._search import ClassShortcut
from passband.signal.tasks.shortcuts._spectra import adcs
from passband.training import html_figure, html_page, html_row

_COLUMNS = (
    "class", "TPR, FPR of unfiltered items", "groups", "TPR, FPR with them alone", "TPR without",
    "TPR - FPR of random ones", "shortcut",
)  # fmt: skip


def write_report(
    path: Path,
    title: str,
    results: Sequence[ClassShortcut],
    frequencies: Frequencies,
    classes: Sequence[str],
    spectra: Float[Tensor, "classes *spectrum"],
) -> None:
    """Write one page: the table of rates, dominant frequencies and ADCS of every class.

    Args:
        path: HTML file.
        title: of the page.
        results: of `find_shortcuts`.
        frequencies: that they were found in.
        classes: names.
        spectra: of `class_spectra`.

    Raises:
        OutputError: it cannot be written.

    Example:
        >>> import tempfile, torch
        >>> from passband.signal.tasks.shortcuts import MapTest, sound_bands
        >>> losses, tests = torch.tensor([0.1, 2.0]), (MapTest(1, 1.0, 0.0, 0.1),)
        >>> results = [
        ...     ClassShortcut(label, losses, (1,), 1.0, 0.0, tests, 0.0, 0.0, found)
        ...     for label, found in enumerate([(1,), ()])
        ... ]
        >>> path = Path(tempfile.mkdtemp()) / "report.html"
        >>> write_report(path, "run", results, sound_bands(8, 8, [2]), ["a", "b"], torch.rand(2, 5))
        >>> "2-4 Hz" in path.read_text()
        True
    """
    found = sum(bool(each.found) for each in results)
    figures = [html_figure(dominance_figure(results, frequencies, classes), _dominance_caption())]
    if frequencies.groups.ndim == 2:
        caption = "Dominant frequency maps: the largest in grey, shortcuts in black."
        figures.append(html_figure(map_figure(results, frequencies, classes), caption))
    caption = "ADCS: how many classes are weaker at a frequency, less how many are stronger."
    figures.append(html_figure(adcs_figure(adcs(spectra), classes), caption))
    parts = [
        f"<h1>{html.escape(title)}</h1>",
        f'<p class="lead">{found} of {len(results)} classes have a frequency shortcut: few '
        "frequencies that alone tell the class, beyond the chance of random ones, and without "
        "which it is told less often.</p>",
        _table(results, frequencies, classes),
        "<h2>Frequencies</h2>",
        html_row(*figures),
    ]
    write_text_atomic(path, html_page(f"Passband: {title}", parts))


def as_json(
    results: Sequence[ClassShortcut], frequencies: Frequencies, classes: Sequence[str]
) -> list[dict[str, Any]]:
    """The results as plain lists and numbers.

    Example:
        >>> import torch
        >>> from passband.signal.tasks.shortcuts import sound_bands
        >>> result = ClassShortcut(0, torch.zeros(2), (1,), 1.0, 0.0, (), 0.1, 0.2, (1,))
        >>> as_json([result], sound_bands(8, 8, [2]), ["rain"])[0]["shortcut"]
        ['2-4 Hz']
    """
    return [
        {
            "class": classes[each.label],
            "shortcut": [frequencies.names[group] for group in each.found],
            "dominant": [frequencies.names[group] for group in each.dominant],
            "unfiltered": {"tpr": each.true, "fpr": each.false},
            "maps": [
                {"groups": t.size, "tpr": t.true, "fpr": t.false, "tpr_without": t.left}
                for t in each.tests
            ],
            "chance": {"mean": each.chance, "deviation": each.deviation},
            "losses": each.losses.tolist(),
        }
        for each in results
    ]


def _dominance_caption() -> str:
    return "Loss without each group of frequencies, mean of a class's items; shortcuts in orange."


def _table(
    results: Sequence[ClassShortcut], frequencies: Frequencies, classes: Sequence[str]
) -> str:
    head = "".join(f"<th>{name}</th>" for name in _COLUMNS)
    rows = "".join(_row(each, frequencies, classes[each.label]) for each in results)
    return f"<table><tr>{head}</tr>{rows}</table>"


def _row(result: ClassShortcut, frequencies: Frequencies, name: str) -> str:
    size = len(result.found) or len(result.dominant)
    test = next((test for test in result.tests if test.size == size), None)
    named = ", ".join(frequencies.names[group] for group in result.found)
    cells = (
        f"{result.true:.2f}, {result.false:.2f}",
        str(size),
        "–" if test is None else f"{test.true:.2f}, {test.false:.2f}",
        "–" if test is None else f"{test.left:.2f}",
        f"{result.chance:.2f} ± {result.deviation:.2f}",
        html.escape(named) or "none",
    )
    mark = ' class="chosen"' if result.found else ""
    return f"<tr{mark}><th>{html.escape(name)}</th>{''.join(f'<td>{c}</td>' for c in cells)}</tr>"
