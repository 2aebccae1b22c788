"""Tables, folds, networks and augmentation, each against a plain account of it."""

import math
from collections import Counter
from pathlib import Path

import pytest
import torch
from torch import nn

from passband.errors import InputError
from passband.signal.tasks.classification import (
    AugmentationSettings,
    DataSettings,
    SquareCNN,
    TimeCNN,
    draw_folds,
    mix_up,
    read_clips,
)
from passband.signal.tasks.classification._augmentation import Batches
from passband.signal.tasks.classification._classifier import Member
from passband.signal.tasks.classification._evaluation import Judgement
from passband.signal.tasks.classification._tables import read_table


def settings(folder: Path, **changes: object) -> DataSettings:
    return DataSettings.model_validate({"folder": str(folder), **changes})


def touch(folder: Path, *names: str) -> None:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()


def test_esc10_is_read_as_its_authors_split_it(data: Path) -> None:
    clips = read_clips(settings(data / "audio" / "esc10"))
    assert len(clips.files) == 400
    assert clips.classes[:2] == ["chainsaw", "clock_tick"]
    assert Counter(clips.folds) == dict.fromkeys(range(1, 6), 80)
    assert Counter(clips.labels) == dict.fromkeys(range(10), 40)
    assert clips.left_out == {}
    for path, fold in zip(clips.files, clips.folds, strict=True):
        assert path.name.startswith(f"{fold}-")  # as ESC names its files


def test_esc50_and_urbansound_tables(tmp_path: Path) -> None:
    touch(tmp_path, "audio/1-1-A-0.wav", "audio/1-2-A-0.wav", "audio/2-3-A-1.wav", "audio/2-4.wav")
    (tmp_path / "meta").mkdir()
    (tmp_path / "meta" / "esc50.csv").write_text(
        "filename,fold,target,category,esc10,src_file,take\n"
        "1-1-A-0.wav,1,0,dog,True,1,A\n1-2-A-0.wav,2,0,dog,True,2,A\n"
        "2-3-A-1.wav,1,1,rooster,False,3,A\n2-4.wav,2,1,rooster,False,4,A\n"
        "9-9.wav,2,1,rooster,False,4,A\n"
    )
    clips = read_clips(settings(tmp_path))
    assert (clips.classes, clips.labels, clips.folds) == (
        ["dog", "rooster"], [0, 0, 1, 1], [1, 2, 1, 2],
    )  # fmt: skip
    assert clips.left_out == {"9-9.wav": "the table names it, the folder does not have it"}

    table = tmp_path / "UrbanSound8K.csv"
    table.write_text(
        "slice_file_name,fsID,start,end,salience,fold,classID,class\n"
        "7-3-0-0.wav,7,0,1,1,5,3,dog_bark\n"
    )
    assert read_table(table) == [("7-3-0-0.wav", "dog_bark", 5, "7")]


@pytest.mark.parametrize(
    ("text", "match"),
    [
        ("name,category\na.wav,dog\n", r"no column for the file \(path, filename\)"),
        ("path,fold\na.wav,1\n", r"no column for the class \(category"),
        ("path,label,fold\na.wav,dog,0\n", r"line 2: `fold` \(=0\) must be 1 or more"),
        ("path,label,fold\na.wav,dog,one\n", r"`fold` \(=one\)"),
        ("path,label\nx.wav,dog\n", "has no labels: none is in clips.csv"),
        ("", "no column for the file"),
    ],
)
def test_bad_tables_are_one_line(tmp_path: Path, text: str, match: str) -> None:
    touch(tmp_path, "a.wav", "b.wav")
    (tmp_path / "clips.csv").write_text(text)
    with pytest.raises(InputError, match=match):
        read_clips(settings(tmp_path))


def test_bad_folders_are_one_line(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"`data\.folder` must name a folder.*Pass --data DIR"):
        read_clips(DataSettings())
    with pytest.raises(InputError, match="is not a folder"):
        read_clips(settings(tmp_path / "none"))
    with pytest.raises(InputError, match="holds no sound files"):
        read_clips(settings(tmp_path))
    touch(tmp_path, "a.wav", "b.wav")
    with pytest.raises(InputError, match="has no labels: its sounds are in no sub-folders"):
        read_clips(settings(tmp_path))
    touch(tmp_path, "dog/a.wav", "dog/b.wav", "rain/c.wav")
    with pytest.raises(InputError, match=r"has 1 classes of two clips or more.*only clip of its"):
        read_clips(settings(tmp_path))
    touch(tmp_path, "meta/one.csv", "meta/two.csv")
    with pytest.raises(InputError, match=r"several tables: one\.csv, two\.csv"):
        read_clips(settings(tmp_path))


def test_drawn_folds_spread_classes_and_keep_sources_together() -> None:
    labels = [name for name in "abc" for _ in range(20)]
    sources = [f"{label}{k // 2}" for k, label in enumerate(labels)]  # two clips of each
    folds = draw_folds(labels, sources, 5, seed=1)
    assert Counter(zip(labels, folds, strict=True)) == {
        (label, fold): 4 for label in "abc" for fold in range(1, 6)
    }
    assert len(set(zip(sources, folds, strict=True))) == 30
    assert folds == draw_folds(labels, sources, 5, seed=1)
    assert folds != draw_folds(labels, sources, 5, seed=2)


def test_a_square_network_is_its_layers_in_a_plain_order() -> None:
    torch.manual_seed(0)
    network = SquareCNN(17, 3, (4, 6), first_length=5, first_stride=2, dropout=0.5)
    network = network.double().eval()
    for norm in network.norms:
        norm.running_mean.normal_()
        norm.running_var.uniform_(0.5, 2)
    x = torch.randn(2, 17, 21, dtype=torch.float64)
    plain = x[:, None]
    for filters, norm, length, stride, size in zip(
        network.filters, network.norms, (5, 3), (2, 1), ((9, 11), (4, 5)), strict=True
    ):
        cells = nn.functional.unfold(plain, length, padding=length // 2, stride=stride)
        made = filters.weight.flatten(1) @ cells  # (batch, filters, places)
        made = made.unflatten(2, size)
        scale = norm.weight / (norm.running_var + norm.eps).sqrt()
        made = (made - norm.running_mean[:, None, None]) * scale[:, None, None]
        made = (made + norm.bias[:, None, None]).clamp_min(0)
        rows, columns = made.shape[2] // 2, made.shape[3] // 2
        made = made[:, :, : 2 * rows, : 2 * columns]
        plain = made.unflatten(3, (columns, 2)).unflatten(2, (rows, 2)).amax(dim=(3, 5))
    pooled = (plain.mean(dim=3) + plain.amax(dim=3)).flatten(1)
    expected = pooled @ network.scores.weight.T + network.scores.bias
    torch.testing.assert_close(network(x), expected, atol=1e-10, rtol=0)


@pytest.mark.parametrize(("bins", "frames"), [(1, 1), (3, 50), (13, 2), (257, 5)])
def test_networks_take_pictures_of_any_size(bins: int, frames: int) -> None:
    x = torch.randn(2, bins, frames)
    assert SquareCNN(bins, 5, (4, 4, 4, 4))(x).shape == (2, 5)
    assert SquareCNN(bins, 5, (4, 4), first_length=5, first_stride=2)(x).shape == (2, 5)
    assert TimeCNN(bins, 5, (4, 4, 4))(x).shape == (2, 5)


@pytest.mark.parametrize("kind", [SquareCNN, TimeCNN])
def test_gradients_are_those_of_the_function(kind: type[nn.Module]) -> None:
    network = kind(6, 3, (3, 4)).double().eval()
    x = torch.randn(2, 6, 8, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(network, (x,))


def test_a_time_network_hears_when_not() -> None:
    """Filters over all bins along time: a shift by what the blocks halve changes little."""
    network = TimeCNN(6, 3, (8,), filter_length=3).eval()
    x = torch.zeros(1, 6, 40)
    x[..., 10:14] = torch.randn(1, 6, 4)
    torch.testing.assert_close(network(x), network(x.roll(8, -1)))
    assert not torch.allclose(network(x), network(x.roll(1, 1)))


def test_standardisation_is_of_the_model() -> None:
    member = Member(SquareCNN(4, 2, (2,)), 4).eval()
    features = [torch.randn(1, 4, 9) * 7 - 30]
    before = member(features[0])
    member.standardise_as(features)
    scaled = (features[0] - member.mean) / member.std
    assert float(scaled.mean(dim=2).abs().max()) < 1e-5
    torch.testing.assert_close(member(features[0]), member.network(scaled))
    assert not torch.allclose(before, member(features[0]))
    silent = [torch.full((1, 4, 9), -50.0)]
    member.standardise_as(silent)
    assert bool(torch.isfinite(member(silent[0] + 1)).all())


def test_mixup_mixes_targets_as_it_mixes_features() -> None:
    torch.manual_seed(3)
    x = torch.arange(6.0).reshape(6, 1, 1).expand(6, 2, 3)
    mixed, targets = mix_up(x, torch.eye(6), 0.4)
    # Each picture is its number; so the mean number of its targets must be its value.
    torch.testing.assert_close(mixed[:, 0, 0], targets @ torch.arange(6.0))
    torch.testing.assert_close(targets.sum(dim=1), torch.ones(6))
    assert int((targets > 0).sum()) > 6


def test_batches_turn_and_scale_windows_and_nothing_else() -> None:
    clips = [torch.randn(3, 4, 10), torch.randn(1, 4, 10)]
    still = Batches(clips, AugmentationSettings(shift=0, gain_db=0), levels=True)
    windows = {int((clips[0] == batch).all(dim=(1, 2)).nonzero()) for batch in
               (still(torch.tensor([0]))[0] for _ in range(40))}  # fmt: skip
    assert windows == {0, 1, 2}
    moved = Batches(clips, AugmentationSettings(shift=1, gain_db=3), levels=True)
    gains, shifts = set(), set()
    for _ in range(60):
        made = moved(torch.tensor([1]))[0]
        spread = [(made - clips[1][0].roll(k, -1)) for k in range(10)]
        shift = min(range(10), key=lambda k: float(spread[k].std()))
        assert float(spread[shift].std()) < 1e-5
        gain = float(spread[shift].mean())
        assert abs(gain) <= 3.001
        gains.add(round(gain, 3))
        shifts.add(shift)
    assert shifts == set(range(10))
    assert max(gains) > 2
    assert min(gains) < -2
    plain = Batches(clips, AugmentationSettings(shift=0, gain_db=3), levels=False)
    assert torch.equal(plain(torch.tensor([1]))[0], clips[1][0])


def test_a_judgement_counts() -> None:
    sure = torch.tensor([[0.9, 0.1, 0.0], [0.2, 0.8, 0.0], [0.3, 0.7, 0.0]])
    judgement = Judgement(["a", "b", "c"], torch.tensor([0, 0, 1]), sure, [1, 1, 2])
    assert judgement.accuracy == pytest.approx(2 / 3)
    assert judgement.confusion().tolist() == [[1, 1, 0], [0, 1, 0], [0, 0, 0]]
    surprise = -(math.log(0.9) + math.log(0.2) + math.log(0.7)) / 3
    assert judgement.scores() == pytest.approx({"accuracy": 2 / 3, "cross_entropy": surprise})
    recall = judgement.recall().tolist()
    assert recall[:2] == [0.5, 1.0]
    assert math.isnan(recall[2])
    assert judgement.rows(["x", "y", "z"])[1] == {
        "path": "b", "fold": 1, "label": "x", "predicted": "y", "probability": 0.8,
    }  # fmt: skip
