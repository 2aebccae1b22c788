"""Files of seismograms: NumPy's archives, miniSEED and SAC, good and bad."""

import struct
import sys
import warnings
from pathlib import Path

import numpy as np
import pytest
import torch

from passband.errors import InputError, MissingDependencyError
from passband.signal.tasks.denoising import (
    Denoiser,
    DenoiserRecipe,
    Splitter,
    collect,
    find_records,
    read_seismic,
    separate_file,
)

RATE, PICK = 100, 800


def quake(seed: int, samples: int = 2400) -> np.ndarray:
    """Three components: slow noise, and from the pick on a burst that decays."""
    dice = np.random.default_rng(seed)
    t = (np.arange(samples) - PICK) / RATE
    drift = np.cumsum(dice.standard_normal((samples, 3)), axis=0)
    burst = np.where(t > 0, np.sin(2 * np.pi * (4 + seed % 3) * t) * np.exp(-np.abs(t) / 2), 0)
    return 0.3 * (drift - drift.mean(axis=0)) + 400 * burst[:, None]


@pytest.fixture
def records(tmp_path: Path) -> Path:
    folder = tmp_path / "records"
    folder.mkdir()
    for number in range(6):
        np.savez(folder / f"{number}.npz", data=quake(number), itp=PICK, channels="HHE_HHN_HHZ")
    return folder


def test_npz_keeps_everything_else(tmp_path: Path) -> None:
    for name, data in (
        ("long", quake(0)), ("wide", quake(0).T), ("one", quake(0)[:, 0].astype(np.float32)),
        ("counts", quake(0).astype(np.int32)),
    ):  # fmt: skip
        path = tmp_path / f"{name}.npz"
        np.savez(path, data=data, itp=PICK, channels="HHE_HHN_HHZ", sample_rate=50.0)
        file = read_seismic(path)
        record = file.records[0]
        assert (record.sample_rate, record.pick) == (50.0, PICK)
        assert record.samples.shape == (1 if data.ndim == 1 else 3, 2400)
        file.write(tmp_path / "out.npz", [record.samples / 2])
        with np.load(tmp_path / "out.npz") as found:
            assert found["data"].dtype == (np.float32 if name in ("one", "counts") else np.float64)
            np.testing.assert_allclose(found["data"], data / 2, rtol=1e-6)
            assert (int(found["itp"]), str(found["channels"])) == (PICK, "HHE_HHN_HHZ")


class Harmful:
    def __reduce__(self) -> tuple[object, ...]:
        return print, ("code was run",)


@pytest.mark.parametrize(
    ("entries", "match"),
    [
        ({"x": np.ones(5)}, "holds x, not `data`"),
        ({"data": np.ones((2, 3, 4))}, r"`data` \(shape \(2, 3, 4\), float64\) must be real"),
        ({"data": np.array(["a"])}, "must be real numbers"),
        ({"data": np.ones((0, 3))}, "holds no samples"),
        ({"data": np.full(9, np.nan)}, "9 samples that are NaN or infinite, of 9"),
        ({"data": np.ones(9), "sample_rate": 0}, r"`sample_rate` \(=0\) must be above 0"),
        ({"data": np.ones(9), "itp": np.ones(2)}, "must be one number"),
        ({"data": np.array([Harmful()])}, "cannot be read as arrays"),
    ],
)
def test_bad_archives(
    tmp_path: Path, entries: dict[str, object], match: str, capsys: pytest.CaptureFixture
) -> None:
    np.savez(tmp_path / "a.npz", **entries)
    with pytest.raises(InputError, match=match):
        read_seismic(tmp_path / "a.npz")
    assert "code was run" not in capsys.readouterr().out


def test_other_files_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a.npz").write_bytes(b"")
    (tmp_path / "a.mseed").write_bytes(b"x" * 600)
    for name, match in (
        ("a.npz", "cannot be read as arrays"),
        ("b.npz", "b.npz does not exist"),
        ("b.mseed", "b.mseed does not exist"),
        ("a.wav", "ends in '.wav'; seismograms are files that end in .npz, .mseed"),
    ):
        with pytest.raises(InputError, match=match):
            read_seismic(tmp_path / name)
    monkeypatch.setitem(sys.modules, "obspy", None)
    with pytest.raises(MissingDependencyError, match="pip install obspy"):
        read_seismic(tmp_path / "a.mseed")
    assert [path.name for path in find_records(tmp_path)] == ["a.mseed", "a.npz"]


def test_dead_channels_and_short_records_have_no_signal(tmp_path: Path) -> None:
    settings = DenoiserRecipe.model_validate({"model": {"network": {"depth": 2, "root": 4}}})
    denoiser = Denoiser(Splitter(settings.model).eval(), 600)
    data = quake(3)
    data[:, 1] = 17
    np.savez(tmp_path / "dead.npz", data=data)
    parts = separate_file(read_seismic(tmp_path / "dead.npz"), denoiser)
    assert (parts.traces, parts.without_signal) == (3, 1)
    assert not parts.signals[0][1].any()
    assert torch.equal(parts.noises[0][1], torch.full((2400,), 17.0, dtype=torch.float64))
    assert parts.signals[0][0].any()
    for data in (np.full((400, 3), 5.0), quake(0)[:50]):
        np.savez(tmp_path / "dead.npz", data=data)
        with pytest.raises(InputError, match="none of the 3 traces can be denoised"):
            separate_file(read_seismic(tmp_path / "dead.npz"), denoiser)


def test_traces_and_noises_of_files(records: Path) -> None:
    np.savez(
        records / "noisy.npz", data=np.random.default_rng(1).standard_normal((2400, 3)), itp=PICK
    )
    np.savez(records / "slow.npz", data=quake(1)[::2], itp=PICK // 2, sample_rate=50)
    np.savez(records / "early.npz", data=quake(1)[PICK - 100 :], itp=100)
    found = collect(find_records(records), RATE, min_snr=10)
    counts = {path.name: found.owners.count(path) for path in set(found.owners)}
    assert counts == {f"{n}.npz": 3 for n in range(6)} | {"slow.npz": 3, "early.npz": 3}
    assert len(found.noises) == 3 * 8  # before the early pick there is too little
    picks = {path.name: trace.pick for path, trace in zip(found.owners, found.traces, strict=True)}
    assert (picks["slow.npz"], picks["early.npz"]) == (PICK, 100)
    for trace in found.traces:
        assert float(trace.samples.mean()) == pytest.approx(0, abs=1e-4)
        assert float(trace.samples.std()) == pytest.approx(1, rel=1e-3)


def with_obspy():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # ObsPy's own, of packages it uses
        import obspy

        return obspy


def test_miniseed_there_and_back(tmp_path: Path) -> None:
    obspy = with_obspy()
    start = obspy.UTCDateTime(2019, 7, 6)
    stream = obspy.Stream()
    for code, begin in (("HHE", 0), ("HHZ", 0), ("HHZ", 30)):  # a gap of 6 s in one of them
        header = {
            "network": "NC", "station": "JFP", "channel": code, "sampling_rate": 100.0,
            "starttime": start + begin,
        }  # fmt: skip
        stream.append(obspy.Trace(quake(begin)[:, 0].round().astype(np.int32), header))
    stream.write(str(tmp_path / "a.mseed"), format="MSEED", encoding="STEIM2")
    file = read_seismic(tmp_path / "a.mseed")
    assert [tuple(record.samples.shape) for record in file.records] == [(1, 2400)] * 3
    assert {record.sample_rate for record in file.records} == {100.0}
    file.write(tmp_path / "b.mseed", [record.samples / 2 for record in file.records])
    back = obspy.read(str(tmp_path / "b.mseed"))
    for old, new in zip(obspy.read(str(tmp_path / "a.mseed")), back, strict=True):
        assert (new.id, new.stats.starttime, new.stats.sampling_rate) == (
            old.id, old.stats.starttime, 100.0,
        )  # fmt: skip
        np.testing.assert_array_equal(new.data, old.data.astype(np.float32) / 2)
    damaged = (tmp_path / "a.mseed").read_bytes()
    (tmp_path / "cut.mseed").write_bytes(b"no" + damaged[2:300])
    with pytest.raises(InputError, match=r"cut.mseed cannot be read as MSEED"):
        read_seismic(tmp_path / "cut.mseed")


def test_sac_there_and_back(tmp_path: Path) -> None:
    obspy = with_obspy()
    trace = obspy.Trace(quake(0)[:, 0].astype(np.float32), {"station": "JFP", "delta": 0.01})
    trace.stats.sac = {"a": 9.0, "b": 1.0, "stla": 38.5}
    trace.write(str(tmp_path / "a.sac"), format="SAC")
    file = read_seismic(tmp_path / "a.sac")
    record = file.records[0]
    assert (record.sample_rate, record.pick) == (pytest.approx(100), PICK)
    file.write(tmp_path / "b.sac", [record.samples * 3])
    back = obspy.read(str(tmp_path / "b.sac"))[0]
    np.testing.assert_allclose(back.data, trace.data * 3, rtol=1e-6)
    assert (back.stats.station, back.stats.sac.stla, back.stats.sac.a) == ("JFP", 38.5, 9.0)
    assert back.stats.starttime == obspy.read(str(tmp_path / "a.sac"))[0].stats.starttime
    spoiled = bytearray((tmp_path / "a.sac").read_bytes())
    spoiled[632:636] = struct.pack("<f", float("nan"))
    (tmp_path / "nan.sac").write_bytes(spoiled)
    with pytest.raises(InputError, match=r"nan.sac: .*JFP.* 1 samples that are NaN"):
        read_seismic(tmp_path / "nan.sac")
    assert len(collect([tmp_path / "a.sac"], RATE, min_snr=10).traces) == 1


def test_real_records_are_read(data: Path) -> None:
    files = find_records(data / "seismic" / "train")
    assert len(files) == 99
    found = collect(files[:4], RATE, min_snr=10)
    assert {trace.pick for trace in found.traces} == {3000}
    assert {len(noise) for noise in found.noises} == {2980}
    noisy = read_seismic(find_records(data / "seismic" / "pred")[0]).records[0]
    assert noisy.samples.shape == (1, 3000)
    assert noisy.pick is None
