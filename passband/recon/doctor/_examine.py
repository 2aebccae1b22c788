"""All checks of a data set, in the order a person would mend them."""

from dataclasses import dataclass
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from passband.recon.data import Hull, Photographs
from passband.recon.doctor._cameras import (
    Coverage,
    check_aim,
    check_coverage,
    check_distances,
    check_handedness,
    check_lenses,
)
from passband.recon.doctor._finding import Finding
from passband.recon.doctor._silhouettes import check_masks


@dataclass(frozen=True, eq=False)
class Examination:
    """What was found in a data set.

    Args:
        photographs: that were looked at.
        findings: errors first.
        coverage: how the cameras stand.
        hull: what nine tenths of the masks leave, None without masks.
        scores: overlap (intersection over union) of each mask with the hull's silhouette, or None.
    """

    photographs: Photographs
    findings: tuple[Finding, ...]
    coverage: Coverage
    hull: Hull | None
    scores: Float[Tensor, " n"] | None

    @property
    def healthy(self) -> bool:
        """Whether no finding is an error."""
        return all(finding.severity != "error" for finding in self.findings)

    def facts(self) -> dict[str, Any]:
        """The numbers and findings, as JSON holds them."""
        photographs, scores = self.photographs, self.scores
        off = photographs.cameras.centers.norm(dim=1)
        sizes = sorted({tuple(size) for size in photographs.cameras.sizes.tolist()})
        return {
            "pictures": len(photographs),
            "sizes": [list(size) for size in sizes],
            "masks": photographs.masks is not None,
            "sphere": {
                "center": photographs.to_world[:3, 3].tolist(),
                "radius": float(torch.linalg.det(photographs.to_world[:3, :3]).abs() ** (1 / 3)),
            },
            "camera_distance": {"least": float(off.min()), "most": float(off.max())},
            "coverage": self.coverage.share,
            "largest_gap_degrees": self.coverage.gap,
            "up": self.coverage.up,
            "mask_overlap": None
            if scores is None
            else dict(zip(photographs.names, scores.tolist(), strict=True)),
            "healthy": self.healthy,
            "findings": [
                {"severity": f.severity, "topic": f.topic, "text": f.text} for f in self.findings
            ],
        }


def examine(photographs: Photographs) -> Examination:
    """Look for what spoils reconstructions: poses, handedness, sphere, masks, coverage, lenses.

    Masks are held against the hull that nine tenths of them leave, on 64^3 cells: where they do
    not agree, other spheres and the usual mix-ups of axes are tried, and the one that agrees is
    named. The thresholds are ours.

    Args:
        photographs: as `load_photographs` gives them.

    Returns:
        `Examination` whose findings each say what is wrong and how to mend it.

    Example:
        >>> from passband.recon.cameras import Cameras
        >>> matrix = torch.tensor([[4.0, 0.0, 2.0], [0.0, 4.0, 2.0], [0.0, 0.0, 1.0]])
        >>> cameras = Cameras(matrix[None], torch.eye(4)[None], torch.tensor([[4, 4]]))
        >>> image = torch.zeros(4, 4, 3, dtype=torch.uint8)
        >>> one = Photographs(("a",), (image,), None, cameras, torch.eye(4))
        >>> found = examine(one)
        >>> found.healthy, found.findings[0].text
        (False, 'there is one picture only. Add more')
    """
    findings = [_note(text) for text in photographs.notes]
    hull = scores = None
    by_masks: list[Finding] = []
    if photographs.masks is not None:
        silhouettes = check_masks(photographs)
        hull, scores = silhouettes.hull, silhouettes.scores
        by_masks = list(silhouettes.findings)
    findings += by_masks
    if not any(finding.topic == "poses" and finding.severity == "error" for finding in by_masks):
        findings += check_handedness(photographs) + check_aim(photographs)
    if not any(finding.topic == "sphere" for finding in by_masks):
        findings += check_distances(photographs)
    if hull is not None:
        findings += _inside_surface(photographs, hull)
    coverage, about_coverage = check_coverage(photographs)
    findings += about_coverage + check_lenses(photographs)
    rank = {"error": 0, "warning": 1, "note": 2}
    findings.sort(key=lambda finding: rank[finding.severity])
    return Examination(photographs, tuple(findings), coverage, hull, scores)


def _note(text: str) -> Finding:
    """What reading said: a choice of the sphere is a note, all else a warning."""
    plain = text.startswith("the sphere is") or "are not taken for" in text or "not read" in text
    return Finding("note" if plain else "warning", "reading", text)


def _inside_surface(photographs: Photographs, hull: Hull) -> list[Finding]:
    inside = int(hull.inside(photographs.cameras.centers).sum())
    if not inside:
        return []
    text = (
        f"{inside} cameras stand inside the hull of the masks, where a surface would be. Check "
        f"poses, units and masks"
    )
    return [Finding("error", "poses", text)]
