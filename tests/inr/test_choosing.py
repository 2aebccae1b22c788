import itertools
import json
import math
from pathlib import Path

import pytest
import torch

from passband.errors import InputError
from passband.inr import MatchingSettings, TrainingSettings, fit, load_field, parse_scene
from passband.inr._field import Field
from passband.inr._initial import initial_field
from passband.inr._knob import run_match
from passband.inr._problem import GridProblem
from passband.inr._scene import AutoSettings
from passband.inr._shape_score import surface_score
from passband.inr.choosing import candidates, choose_field, fit_candidate, step_seconds, trial
from passband.inr.families import FAMILIES, parameter_count, sized
from passband.inr.targets import GridTarget, ShapeTarget, SignalInfo, shape_target
from passband.media import write_image

ONCE = MatchingSettings(initialisations=1)
QUICK = MatchingSettings(initialisations=2)
TRAINING = TrainingSettings(steps=180, batch_size=256)
CPU = torch.device("cpu")


def textured(side: int = 48) -> GridProblem:
    """Fine stripes on a slow ramp: hopeless for a plain network, easy for one with frequencies."""
    axis = torch.linspace(-1, 1, side)
    y, x = torch.meshgrid(axis, axis, indexing="ij")
    signal = (0.4 * x + 0.5 * torch.sin(40 * x + 25 * y))[None]
    info = SignalInfo("image", "stripes", 1, (side, side), 0.5, 0.5, True)
    return GridProblem(GridTarget(info, signal))


@pytest.mark.parametrize("name", sorted(n for n, f in FAMILIES.items() if min(f.axes) < 3))
def test_members_use_their_budget_and_no_more(name: str) -> None:
    family = FAMILIES[name]
    axes = min(family.axes)
    problem = sound() if axes == 1 else textured()
    (member,) = candidates(problem.grid, [name], [60_000], ONCE)
    assert 60_000 / 2.1 < member.parameters <= 60_000
    assert member.parameters == parameter_count(member.settings, axes, 1)
    assert (member.value is None) == (family.knob is None)


def sound() -> GridProblem:
    time = torch.arange(4096) / 4096
    signal = torch.sin(2000 * time + 3000 * time**2)[None]
    info = SignalInfo("audio", "chirp", 1, (4096,), 0.0, 1.0, False, sample_rate=4096)
    return GridProblem(GridTarget(info, signal))


def test_budgets_that_no_member_fits_are_refused() -> None:
    with pytest.raises(InputError, match=r"`parameters` \(=50\) must be at least"):
        sized(FAMILIES["relu"], FAMILIES["relu"].settings, 50, 2, 3)
    with pytest.raises(InputError, match="no family fits 100 parameters"):
        candidates(textured().grid, ["neurbf"], [100], QUICK)
    with pytest.raises(InputError, match=r"`field` \(=sirens\) must be one of relu, siren"):
        candidates(textured().grid, ["sirens"], [1000], QUICK)


def test_a_short_first_look_finds_the_value_that_a_whole_matching_finds() -> None:
    problem, matching = textured(), MatchingSettings(initialisations=6)
    for name in ("siren", "fourier", "positional"):
        family = FAMILIES[name]
        assert family.knob is not None
        (member,) = candidates(problem.grid, [name], [3000], matching)
        whole = run_match(family.settings, family.knob, problem.grid, matching)
        assert member.value == whole.value


@pytest.mark.parametrize("name", ["siren", "hashgrid", "neurbf", "progressive"])
def test_a_field_that_was_started_before_ends_with_the_same_bits(name: str) -> None:
    problem = textured()
    (member,) = candidates(problem.grid, [name], [20_000], QUICK)
    start = initial_field(member.settings, problem, TRAINING.seed)
    before = {key: value.clone() for key, value in start.state_dict().items()}
    fresh = fit_candidate(problem, member, TRAINING, steps=4, device=CPU)
    twice = [
        fit_candidate(problem, member, TRAINING, steps=4, device=CPU, start=start) for _ in range(2)
    ]
    for field in twice:
        assert fresh is not None
        assert field is not None
        assert_same_state(field.state_dict(), fresh.state_dict())
    assert_same_state(start.state_dict(), before)


def assert_same_state(given: dict[str, torch.Tensor], wanted: dict[str, torch.Tensor]) -> None:
    assert given.keys() == wanted.keys()
    assert all(torch.equal(given[key], wanted[key]) for key in wanted)


def test_a_step_is_timed_on_a_field_that_is_started_once(monkeypatch: pytest.MonkeyPatch) -> None:
    problem, clock = textured(), itertools.accumulate([0.0, 9.0, 0.0, 0.3, 0.0, 0.2, 0.0, 0.4])
    (member,) = candidates(problem.grid, ["siren"], [2000], QUICK)
    start = initial_field(member.settings, problem, 0)
    monkeypatch.setattr("passband.inr.choosing._trial.initial_field", None)
    monkeypatch.setattr("passband.inr.choosing._trial.time.perf_counter", lambda: next(clock))
    each = step_seconds(problem, member, TRAINING, device=CPU, start=start)
    assert each == pytest.approx(0.2)


def test_the_choice_finds_what_can_hold_the_signal() -> None:
    auto = AutoSettings(parameters=3000, families=("relu", "siren", "positional"))
    lines: list[str] = []
    choice = choose_field(textured(), auto, TRAINING, QUICK, device=CPU, say=lines.append)
    assert choice.best.candidate.family.name != "relu"
    assert len(choice.rows) == 3
    assert len(choice.best.scores) >= 2
    assert len(lines) == sum(len(row.scores) for row in choice.rows)
    ranks = [row.rank for row in choice.rows]
    assert ranks == sorted(ranks, reverse=True)
    assert "above" in choice.reason
    json.dumps(choice.to_dict())


@pytest.mark.parametrize(
    ("finals", "lines"),
    [
        ({"relu": 9.0, "siren": 20.0, "positional": 30.0}, 6),  # clear after two trials
        ({"relu": 9.0, "siren": 28.0, "positional": 30.0}, 8),  # close: two go on
        ({"relu": -math.inf, "siren": -math.inf, "positional": -math.inf}, 8),
    ],
)
def test_only_close_candidates_are_fitted_for_longest(
    monkeypatch: pytest.MonkeyPatch, finals: dict[str, float], lines: int
) -> None:
    def scored(problem, candidate, training, *, steps, device, start) -> float:
        return finals[candidate.family.name] + steps / 1000

    monkeypatch.setattr("passband.inr.choosing._choose.trial", scored)
    auto = AutoSettings(parameters=3000, families=tuple(finals))
    said: list[str] = []
    training = TrainingSettings(steps=2400, batch_size=256)
    choice = choose_field(textured(), auto, training, ONCE, device=CPU, say=said.append)
    assert len(said) == lines
    assert [line.rpartition(" after ")[2] for line in said[::3]][:2] == ["300 steps", "800 steps"]
    if math.isfinite(finals["relu"]):
        assert choice.best.candidate.family.name == "positional"
        assert choice.best.scores[:2] == pytest.approx((30.3, 30.8))


def test_a_surface_that_is_nearer_scores_more_and_none_least(data: Path) -> None:
    target = shape_target(str(data / "meshes" / "rocker-arm.obj"))
    true, grown, everywhere = (
        surface_score(target, Distance(target, offset), cells=32) for offset in (0.0, 0.018, 9.0)
    )
    assert true > 46
    # 0.018 is 1 % of the longest extent, 1.8: the chamfer distance is 0.01 sides, or 40 dB.
    assert grown == pytest.approx(40.0, abs=1.0)
    assert everywhere == -math.inf


class Distance(Field):
    """The signed distance to a shape and its offset, in a field's clothes."""

    def __init__(self, target: ShapeTarget, offset: float) -> None:
        super().__init__(torch.nn.Linear(3, 1), torch.nn.Identity())
        self.target, self.offset = target, offset

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.target.distance(x)[..., None] - self.offset


def test_the_choice_is_as_good_as_the_best_of_whole_fits() -> None:
    problem = textured()
    names = ("relu", "siren", "fourier")
    auto = AutoSettings(parameters=3000, families=names)
    chosen = choose_field(problem, auto, TRAINING, QUICK, device=CPU).best.candidate
    whole = {
        member.family.name: trial(problem, member, TRAINING, steps=TRAINING.steps, device=CPU)
        for member in candidates(problem.grid, names, [3000], QUICK)
    }
    assert whole[chosen.family.name] > max(whole.values()) - 1.0


def test_a_budget_of_seconds_gives_slow_candidates_fewer_steps(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("passband.inr.choosing._choose._SIZES", (1000, 10_000))
    monkeypatch.setattr(
        "passband.inr.choosing._choose.step_seconds",
        lambda problem, candidate, training, *, device, start: 5e-6 * candidate.parameters,
    )
    auto = AutoSettings(seconds=0.5, families=("siren",))
    choice = choose_field(textured(), auto, TRAINING, QUICK, device=CPU)
    by_size = sorted(choice.rows, key=lambda row: row.candidate.parameters)
    assert by_size[0].steps > by_size[-1].steps
    assert all(row.steps >= 60 for row in choice.rows)


def test_divergence_is_minus_infinity_and_no_crash() -> None:
    problem = textured()
    (member,) = candidates(problem.grid, ["siren"], [2000], QUICK)
    broken = GridProblem(GridTarget(problem.info, problem.grid.signal * math.nan))
    assert fit_candidate(broken, member, TRAINING, steps=3, device=CPU) is None
    assert trial(broken, member, TRAINING, steps=3, device=CPU) == -math.inf


def test_a_scene_with_auto_is_fitted_recorded_and_reloaded(tmp_path: Path) -> None:
    pixels = textured(40).grid.signal.mul(0.5).add(0.5).clamp(0, 1)
    write_image(tmp_path / "a.png", pixels)
    plain = {
        "kind": "image",
        "target": {"path": str(tmp_path / "a.png")},
        "auto": {"parameters": 3000, "families": ["siren", "relu"]},
        "matching": {"initialisations": 2},
        "training": {"steps": 200, "batch_size": 400},
    }
    metrics = fit(parse_scene(plain, source="x"), tmp_path / "run", device="cpu")
    assert metrics["choice"]["rows"][0]["family"] == "siren"
    assert metrics["field"]["network"]["kind"] == "siren"
    assert metrics["parameters"] <= 3000
    report = (tmp_path / "run" / "report.html").read_text()
    assert "How the family was chosen" in report
    assert load_field(tmp_path / "run").field.parameter_count == metrics["parameters"]
    again = fit(parse_scene(plain, source="x"), tmp_path / "run", device="cpu", resume=True)
    assert again["psnr"] == metrics["psnr"]


@pytest.mark.parametrize(
    ("auto", "message"),
    [
        ({}, "parameters .=None. or seconds .=None. must be given"),
        ({"parameters": 1000, "seconds": 3.0}, "and not both"),
        ({"parameters": 5}, "`auto.parameters`"),
        ({"seconds": -1.0}, "`auto.seconds`"),
    ],
)
def test_budgets_that_make_no_sense(auto: dict[str, object], message: str) -> None:
    plain = {"kind": "image", "target": {"path": "a.png"}, "auto": auto}
    with pytest.raises(InputError, match=message):
        parse_scene(plain, source="x")
