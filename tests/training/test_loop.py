import json
import math
import os
import signal
import threading
from pathlib import Path

import pytest
import torch
from torch import nn

from passband.errors import InputError, TrainingError
from passband.training import (
    CHECKPOINT,
    InterruptGuard,
    LoopSettings,
    ShuffledSampler,
    StepOutput,
    cosine,
    make_generator,
    read_events,
    train,
)


class Problem:
    """Least squares on batches that depend on the step alone."""

    def __init__(self, seed: int = 0) -> None:
        generator = make_generator(seed)
        self.model = nn.Sequential(nn.Linear(3, 16), nn.Tanh(), nn.Linear(16, 2))
        with torch.no_grad():
            for parameter in self.model.parameters():
                parameter.copy_(torch.randn(parameter.shape, generator=generator) * 0.3)
        self.x = torch.randn(64, 3, generator=generator)
        self.y = torch.randn(64, 2, generator=generator)
        self.optimizer = torch.optim.Adam(self.model.parameters(), lr=1e-2, fused=True)
        self.sampler = ShuffledSampler(64, 24, seed=seed)
        self.calls: list[int] = []
        self.stop_at: int | None = None
        self.spoil_at: int | None = None

    def __call__(self, step: int) -> StepOutput:
        if step == self.stop_at:
            raise RuntimeError("killed")
        self.calls.append(step)
        index = self.sampler(step)
        loss = (self.model(self.x[index]) - self.y[index]).square().mean()
        if step == self.spoil_at:
            loss = loss * math.nan
        return StepOutput(loss, {"psnr": -10 * torch.log10(loss.detach())})

    def train(self, folder: Path, *, steps: int = 40, resume: bool = False, **extra: object):
        options = {"checkpoint_seconds": 0.0, "log_every": 5, "evaluate_at": (1, 10, 40)} | extra
        return train(
            self.model,
            self.optimizer,
            self,
            settings=LoopSettings(steps=steps, **options),
            schedule=lambda step: cosine(step, steps),
            folder=folder,
            fingerprint="problem",
            evaluate=lambda step: {"weight": float(self.model[0].weight.detach().sum())},
            resume=resume,
        )

    def weights(self) -> torch.Tensor:
        return torch.cat([p.detach().flatten() for p in self.model.parameters()])


def test_loss_falls(tmp_path: Path) -> None:
    problem = Problem()
    first = problem(0).loss.item()
    assert problem.train(tmp_path, steps=200).loss < 0.7 * first


@pytest.mark.parametrize("stop_at", [1, 7, 24, 39])
def test_a_run_that_died_resumes_to_the_same_bits(tmp_path: Path, stop_at: int) -> None:
    whole = Problem()
    (tmp_path / "whole").mkdir()
    expected = whole.train(tmp_path / "whole")

    folder = tmp_path / "broken"
    folder.mkdir()
    broken = Problem()
    broken.stop_at = stop_at
    with pytest.raises(RuntimeError, match="killed"):
        broken.train(folder)

    resumed = Problem()
    result = resumed.train(folder, resume=True)
    assert resumed.calls[0] == stop_at
    assert torch.equal(resumed.weights(), whole.weights())
    assert result.loss == expected.loss
    assert result.history == expected.history
    assert read_events(folder) == read_events(tmp_path / "whole")


def test_resuming_a_finished_run_changes_nothing(tmp_path: Path) -> None:
    problem = Problem()
    result = problem.train(tmp_path)
    again = Problem()
    repeated = again.train(tmp_path, resume=True)
    assert again.calls == []
    assert torch.equal(again.weights(), problem.weights())
    assert (repeated.loss, repeated.history) == (result.loss, result.history)


def test_without_resume_it_starts_from_the_beginning(tmp_path: Path) -> None:
    Problem().train(tmp_path)
    again = Problem()
    again.train(tmp_path)
    assert again.calls[0] == 0
    assert next(event["step"] for event in read_events(tmp_path)) == 0


def test_checkpoint_of_another_fit_is_refused(tmp_path: Path) -> None:
    problem = Problem()
    problem.train(tmp_path)
    with pytest.raises(InputError, match="another fit"):
        train(
            problem.model,
            problem.optimizer,
            problem,
            settings=LoopSettings(steps=50),
            schedule=lambda step: 1.0,
            folder=tmp_path,
            fingerprint="something else",
            resume=True,
        )


def test_a_loss_that_is_not_finite_stops_and_keeps_the_last_good_checkpoint(tmp_path: Path) -> None:
    problem = Problem()
    problem.spoil_at = 20
    with pytest.raises(TrainingError, match="loss is nan at step 21"):
        problem.train(tmp_path)
    resumed = Problem()
    resumed.train(tmp_path, resume=True)
    whole = Problem()
    (tmp_path / "whole").mkdir()
    whole.train(tmp_path / "whole")
    assert torch.equal(resumed.weights(), whole.weights())


def test_interrupt_waits_for_the_step_and_checkpoints(tmp_path: Path) -> None:
    problem = Problem()
    inner = problem.__call__

    def interrupting(step: int) -> StepOutput:
        if step == 9:
            os.kill(os.getpid(), signal.SIGINT)
        return inner(step)

    with pytest.raises(KeyboardInterrupt):
        train(
            problem.model,
            problem.optimizer,
            interrupting,
            settings=LoopSettings(steps=40, checkpoint_seconds=1e9, evaluate_at=(1, 10, 40)),
            schedule=lambda step: cosine(step, 40),
            folder=tmp_path,
            fingerprint="problem",
            evaluate=lambda step: {"weight": float(problem.model[0].weight.detach().sum())},
        )
    resumed = Problem()
    resumed.train(tmp_path, resume=True)
    assert resumed.calls[0] == 10
    whole = Problem()
    (tmp_path / "whole").mkdir()
    whole.train(tmp_path / "whole")
    assert torch.equal(resumed.weights(), whole.weights())


def test_a_second_interrupt_acts_at_once() -> None:
    with InterruptGuard() as guard:
        os.kill(os.getpid(), signal.SIGINT)
        assert guard.requested
        with pytest.raises(KeyboardInterrupt):
            os.kill(os.getpid(), signal.SIGINT)


def test_interrupt_guard_does_nothing_off_the_main_thread() -> None:
    before = signal.getsignal(signal.SIGINT)
    seen = []

    def work() -> None:
        with InterruptGuard():
            seen.append(signal.getsignal(signal.SIGINT))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert seen == [before]


def test_gradient_clipping_bounds_the_step(tmp_path: Path) -> None:
    model = nn.Linear(4, 1, bias=False)
    before = model.weight.detach().clone()
    train(
        model,
        torch.optim.SGD(model.parameters(), lr=1.0),
        lambda step: StepOutput(1e3 * model.weight.sum()),
        settings=LoopSettings(steps=1, clip_norm=0.5),
        schedule=lambda step: 1.0,
        folder=tmp_path,
        fingerprint="clip",
    )
    assert float((model.weight.detach() - before).norm()) == pytest.approx(0.5, rel=1e-4)


def test_sixteen_bits_need_cuda(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"`training.precision` \(=bfloat16\) needs a CUDA device"):
        Problem().train(tmp_path, precision="bfloat16")


def test_events_are_json_lines_and_reach_tensorboard(tmp_path: Path) -> None:
    Problem().train(tmp_path)
    lines = (tmp_path / "events.jsonl").read_text().splitlines()
    steps = [json.loads(line)["step"] for line in lines]
    assert steps == [0, 4, 9, 14, 19, 24, 29, 34, 39]
    assert {"step", "loss", "psnr"} == set(json.loads(lines[-1]))

    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    board = EventAccumulator(str(tmp_path / "tensorboard")).Reload()
    assert [event.step for event in board.Scalars("loss")] == steps


def test_a_last_line_cut_short_is_left_out(tmp_path: Path) -> None:
    (tmp_path / "events.jsonl").write_text('{"step": 0, "loss": 1.0}\n{"step": 1, "lo')
    assert read_events(tmp_path) == [{"step": 0, "loss": 1.0}]


def test_damaged_checkpoint_says_so(tmp_path: Path) -> None:
    (tmp_path / CHECKPOINT).write_bytes(b"not a checkpoint")
    with pytest.raises(
        InputError, match=r"checkpoint.safetensors is not a file that passband wrote"
    ):
        Problem().train(tmp_path, resume=True)
