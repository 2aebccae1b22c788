"""Masks: empty, inverted, and whether they agree with the poses and with the sphere."""

from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from passband.recon.data import Hull, Photographs, visual_hull
from passband.recon.data._listing import name_some
from passband.recon.data._overlap import overlap
from passband.recon.doctor._conventions import Remedy, find_remedy, refit, upside_down
from passband.recon.doctor._finding import Finding

RESOLUTION = 64
_WRONG = 0.1  # share of pictures that may be wrong
_BEYOND = 0.05
_BAD, _POOR = 0.5, 0.65  # agreement; 64 cells cost a thin object a fifth
_CLEARLY = 0.03
_ODD = 0.15
_SMALL = 0.01


@dataclass(frozen=True, eq=False)
class Silhouettes:
    """The hull that most masks leave, and how well each mask agrees with it."""

    hull: Hull
    scores: Tensor
    findings: tuple[Finding, ...]


def check_masks(photographs: Photographs) -> Silhouettes:
    """Findings on the masks and, through them, on poses and sphere.

    Args:
        photographs: with masks.
    """
    findings = []
    if _inverted(photographs):
        text = (
            "the masks are inverted: they are True around the object. Invert them (255 on the "
            "object, 0 around it)"
        )
        findings.append(Finding("error", "masks", text))
        assert photographs.masks is not None
        photographs = replace(photographs, masks=tuple(~mask for mask in photographs.masks))
    findings += _areas(photographs)
    hull = visual_hull(photographs, RESOLUTION, forgive=_WRONG)
    scores = overlap(photographs, hull)
    if scores.median() < _POOR:
        findings.append(_reason(photographs, float(scores.median())))
    else:
        findings += _turned(photographs) or _odd(photographs, scores)
        findings += _beyond(hull)
    return Silhouettes(hull, scores, tuple(findings))


def _inverted(photographs: Photographs) -> bool:
    """Masks that fill the edges of most pictures and leave out what lies inside of them."""
    assert photographs.masks is not None
    edge, inner = [], []
    for mask in photographs.masks:
        border = torch.cat((mask[0], mask[-1], mask[:, 0], mask[:, -1])).float()
        edge.append(border.mean())
        inner.append(_around_hole(mask))
    return bool(torch.stack(edge).median() > 0.5 and np.median(inner) < 0.5)


def _around_hole(mask: Tensor) -> float:
    """Share of True in the middle half of what the mask leaves out, 1 where it is full."""
    rows, columns = (~mask[::2, ::2]).nonzero().T.numpy()
    if not len(rows):
        return 1.0
    top, bottom = np.quantile(rows, (0.25, 0.75)).astype(int)
    left, right = np.quantile(columns, (0.25, 0.75)).astype(int)
    return float(mask[::2, ::2][top : bottom + 1, left : right + 1].float().mean())


def _areas(photographs: Photographs) -> list[Finding]:
    assert photographs.masks is not None
    area = torch.stack([mask.float().mean() for mask in photographs.masks])
    empty = [photographs.names[i] for i in (area == 0).nonzero()[:, 0].tolist()]
    findings = []
    if empty:
        text = (
            f"{len(empty)} masks are empty: {name_some(empty)}. Remove these pictures, or mask them"
        )
        findings.append(Finding("error", "masks", text))
    if 0 < area.median() < _SMALL:
        text = (
            f"the object fills {area.median():.1%} of the pictures: there is little to see of it. "
            f"Crop the pictures, or take them from nearer"
        )
        findings.append(Finding("warning", "masks", text))
    return findings


def _reason(photographs: Photographs, given: float) -> Finding:
    """Why masks and hull do not agree: the sphere, the convention, or something unknown."""
    score, to_world = refit(photographs)
    if score >= _POOR:
        return _wrong_sphere(photographs, to_world, score)
    remedy = find_remedy(photographs)
    if remedy.score >= max(_BAD, max(score, given) + 0.1):
        return _mend(remedy, given)
    text = (
        f"masks and poses do not agree (overlap with the hull's silhouettes {given:.2f}, 1 is "
        f"perfect). Check that pictures and poses are in the same order, and the intrinsics"
    )
    return Finding("error" if given < _BAD else "warning", "poses", text)


def _wrong_sphere(photographs: Photographs, to_world: np.ndarray, score: float) -> Finding:
    given = photographs.to_world.double().numpy()
    radius, center = to_world[0, 0], to_world[:3, 3]
    ratio = np.cbrt(abs(np.linalg.det(given[:3, :3]))) / radius
    if ratio > 3 or ratio < 1 / 3:
        size = f"{ratio:,.0f} times too large" if ratio > 1 else f"{1 / ratio:,.0f} times too small"
        what = f"the sphere is {size} for the object, as where units are mixed up"
    else:
        what = "the sphere is not where the object is"
    x, y, z = center
    text = (
        f"{what}. The masks' hull lies in the sphere of centre ({x:.4g}, {y:.4g}, {z:.4g}) and "
        f"radius {radius:.4g} of the world (agreement {score:.2f}): give this as `sphere`, or "
        f"mend the scale in the data"
    )
    return Finding("error", "sphere", text)


def _turned(photographs: Photographs) -> list[Finding]:
    """Pictures of symmetric objects agree when turned or mirrored too, but not as well."""
    if (torch.linalg.det(photographs.cameras.to_scene[:, :3, :3]) < 0).any():
        (score, _), remedy = refit(photographs), find_remedy(photographs)
    else:
        score, remedy = upside_down(photographs)
    return [_mend(remedy, score)] if remedy.score > score + _CLEARLY else []


def _beyond(hull: Hull) -> list[Finding]:
    """Parts of the hull outside of the unit sphere."""
    cells = (2 * hull.occupancy.nonzero() + 1) / hull.resolution - 1
    beyond = float((cells.norm(dim=1) > 1).double().mean())
    if beyond < _BEYOND:
        return []
    text = (
        f"{beyond:.0%} of the masks' hull lies outside of the object's sphere and will be cut "
        f"off. Give a larger `sphere`"
    )
    return [Finding("warning", "sphere", text)]


def _mend(remedy: Remedy, given: float) -> Finding:
    text = (
        f"{remedy.name}: masks and hull agree at {remedy.score:.2f} once this is mended, at "
        f"{given:.2f} as it is. In the data's files {remedy.cure}"
    )
    return Finding("error", "poses", text)


def _odd(photographs: Photographs, scores: Tensor) -> list[Finding]:
    middle = scores.median()
    usual = (scores - middle).abs().median()
    odd = (scores < middle - max(_ODD, 6 * float(usual))).nonzero()[:, 0].tolist()
    if not odd:
        return []
    odd.sort(key=lambda i: float(scores[i]))
    names = name_some([f"{photographs.names[i]} ({scores[i]:.2f})" for i in odd])
    text = (
        f"{len(odd)} of {len(scores)} pictures disagree with the rest (overlap "
        f"{middle:.2f}): {names}. "
        f"Check their masks and poses, or remove them"
    )
    return [Finding("warning", "masks", text)]
