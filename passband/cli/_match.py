"""``passband match``: the knob of a family that suits a signal, without training."""

import json
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer


class ReductionName(StrEnum):
    """How an N-D spectrum becomes a 1-D one."""

    RADIAL = "radial"
    L1 = "l1"
    FRESH = "fresh"


def match(
    file: Annotated[Path, typer.Argument(help="A picture, a sound or a mesh.")],
    field: Annotated[
        str, typer.Option(metavar="FAMILY", help="Family of fields, such as finer or hashgrid.")
    ] = "siren",
    reduction: Annotated[
        ReductionName, typer.Option(help="Reduction of the spectrum of a picture.")
    ] = ReductionName.RADIAL,
    initialisations: Annotated[int, typer.Option(min=1, help="Fields per candidate.")] = 10,
    seed: Annotated[int, typer.Option(min=0, help="Seed of the initialisations.")] = 0,
    faithful: Annotated[
        bool, typer.Option(help="The procedure of the released FreSh: slow, full grid.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Rank the values of a family's knob by how near their untrained fields' spectra are.

    siren and finer: omega of the first layer, in sin(omega (W x + b)), omega outside the bias;
    finer-bias: k of its bias; fourier and progressive: sigma in cycles per unit of a coordinate
    in [-1, 1]; positional: octaves; bacon: cycles per side; hashgrid and triplane: finest
    resolution. docs/fields.md lists all families.
    """
    from passband.cli._fit import read_source
    from passband.inr import MatchingSettings, load_problem
    from passband.inr._knob import run_match
    from passband.inr.families import named_family
    from passband.inr.matching import winner_scales

    family = named_family(field, matched=True)
    assert family.knob is not None
    target = load_problem(read_source(file, [])).grid
    settings = MatchingSettings(
        method="fresh" if faithful else "spectrum",
        reduction=reduction.value,
        initialisations=initialisations,
    )
    result = run_match(family.settings, family.knob, target, settings, seed=seed)
    winner = winner_scales(target.signal) if field == "siren" else None
    if as_json:
        plain = {"file": str(file), "field": field, "knob": family.knob, **result.to_dict()}
        if winner is not None:
            plain["winner"] = [winner.first, winner.second]
        print(json.dumps(plain, indent=1))
        return
    print(f"{'':2}{family.symbol:>18}  {'distance':>9}  {'error':>7}")
    for row in result.rows:
        mark = "* " if row is result.rows[0] else "  "
        print(f"{mark}{row.value:>18g}  {row.distance:>9.3f}  {row.standard_error:>7.3f}")
    print(
        f"{family.knob} = {result.value:g}  ({result.reduction} reduction, "
        f"{initialisations} initialisations a candidate, {result.seconds:.1f} s)"
    )
    if winner is not None:
        print(
            f"WINNER, without measuring: omega 30 and noise of {winner.first:.4g} / omega and "
            f"{winner.second:.4g} / omega on the first two weight matrices"
        )
