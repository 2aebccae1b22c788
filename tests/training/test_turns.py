"""Several learners in one loop, and several processes in one run."""

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from torch import nn

from passband.errors import InputError, MissingDependencyError, OutputError, TrainingError
from passband.training import (
    CHECKPOINT,
    Learner,
    LoopSettings,
    Replicas,
    StepOutput,
    claim_folder,
    join_replicas,
    load_tensors,
    read_events,
    train_in_turns,
)


class Game:
    """Two weights that chase each other, in turns."""

    def __init__(self) -> None:
        self.models = {name: nn.Linear(3, 1, bias=False) for name in ("hunter", "prey")}
        for name, model in self.models.items():
            nn.init.constant_(model.weight, 1.0 if name == "hunter" else -1.0)
        self.order: list[tuple[str, int]] = []
        self.stop_at = -1
        self.spoil: str | None = None

    def learner(self, name: str) -> Learner:
        mine, other = self.models[name], self.models["prey" if name == "hunter" else "hunter"]
        sign = 1.0 if name == "hunter" else -0.3

        def objective(step: int) -> StepOutput:
            self.order.append((name, step))
            if step == self.stop_at and name == "prey":
                raise RuntimeError("killed")
            noise = torch.randn(3, generator=torch.manual_seed(step)) * 0.01
            loss = sign * (mine.weight - other.weight.detach() + noise).square().sum()
            loss = loss * (float("nan") if self.spoil == name and step == 3 else 1.0)
            return StepOutput(loss, {f"{name}_norm": mine.weight.detach().norm()})

        return Learner(mine, torch.optim.AdamW(mine.parameters(), lr=0.1), objective)

    def train(self, folder: Path, **options: object):
        return train_in_turns(
            {name: self.learner(name) for name in self.models},
            settings=LoopSettings(steps=20, log_every=1, checkpoint_seconds=0.0),
            schedule=lambda step: 1 - step / 20,
            folder=folder,
            fingerprint="game",
            **options,
        )


def test_learners_take_turns_in_the_order_given(tmp_path: Path) -> None:
    game = Game()
    result = game.train(tmp_path)
    assert game.order == [(name, step) for step in range(20) for name in ("hunter", "prey")]
    last = read_events(tmp_path)[-1]
    assert set(last) == {"step", "loss", "hunter_norm", "prey_norm"}
    assert last["loss"] == result.loss  # the last learner's


@pytest.mark.parametrize("stop_at", [1, 11])
def test_both_resume_to_the_same_bits(tmp_path: Path, stop_at: int) -> None:
    whole, broken, resumed = Game(), Game(), Game()
    for name in ("whole", "broken"):
        (tmp_path / name).mkdir()
    whole.train(tmp_path / "whole")
    broken.stop_at = stop_at
    with pytest.raises(RuntimeError, match="killed"):
        broken.train(tmp_path / "broken")
    resumed.train(tmp_path / "broken", resume=True)
    for name in whole.models:
        assert torch.equal(whole.models[name].weight, resumed.models[name].weight)
    assert read_events(tmp_path / "whole") == read_events(tmp_path / "broken")


def test_a_checkpoint_holds_every_learner(tmp_path: Path) -> None:
    Game().train(tmp_path)
    tensors, state = load_tensors(tmp_path / CHECKPOINT)
    assert {name.rsplit(".", 1)[0] for name in tensors} == {
        f"{name}.{part}" for name in ("hunter", "prey") for part in ("model", "optimizer.0")
    }
    assert state["step"] == 20


@pytest.mark.parametrize("fused", [True, False])
def test_a_step_counts_as_a_change_of_the_weights(tmp_path: Path, fused: bool) -> None:
    model = nn.Linear(3, 1)
    before = model.weight._version
    train_in_turns(
        {
            "": Learner(
                model,
                torch.optim.AdamW(model.parameters(), lr=0.1, fused=fused),
                lambda step: StepOutput(model.weight.square().sum()),
            )
        },
        settings=LoopSettings(steps=1),
        schedule=lambda step: 1.0,
        folder=tmp_path,
        fingerprint="versions",
    )
    assert model.weight._version > before


@pytest.mark.parametrize("spoiled", ["hunter", "prey"])
def test_a_loss_of_any_turn_that_is_not_finite_stops(tmp_path: Path, spoiled: str) -> None:
    game = Game()
    game.spoil = spoiled
    with pytest.raises(TrainingError, match="loss is nan at step 4"):
        game.train(tmp_path)


PROCESS = """
import sys, torch
from pathlib import Path
from torch import nn
from passband.training import Learner, LoopSettings, StepOutput, join_replicas, train_in_turns
torch.set_num_threads(1)
replicas, device = join_replicas("cpu")
model = nn.Linear(2, 1)
nn.init.ones_(model.weight), nn.init.zeros_(model.bias)
unused = model.bias  # only the first process uses it
x = torch.tensor([[1.0, 2.0], [3.0, -1.0]])[replicas.index]
def objective(step):
    loss = (model.weight @ x - 5).square().sum()
    return StepOutput(loss + (model.bias.sum() if replicas.main else 0.0))
train_in_turns(
    {"model": Learner(model, torch.optim.SGD(model.parameters(), lr=0.01), objective)},
    settings=LoopSettings(steps=3, log_every=1), schedule=lambda step: 1.0,
    folder=Path(sys.argv[1]), fingerprint="two", replicas=replicas)
print(replicas.index, replicas.count, model.weight.tolist(), model.bias.tolist(),
      replicas.any(replicas.index == 1))
"""


def test_two_processes_step_along_the_mean_gradient(tmp_path: Path) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    started = [
        subprocess.Popen(
            [sys.executable, "-c", PROCESS, str(tmp_path)],
            stdout=subprocess.PIPE,
            text=True,
            env={
                **os.environ, "WORLD_SIZE": "2", "RANK": rank, "LOCAL_RANK": rank,
                "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port,
                "PYTHONPATH": str(Path(__file__).parents[2]),
            },
        )
        for rank in ("0", "1")
    ]  # fmt: skip
    said = [process.communicate(timeout=120)[0].split(" ", 2) for process in started]
    assert [(index, count) for index, count, _ in said] == [("0", "2"), ("1", "2")]
    assert said[0][2] == said[1][2]
    weight, bias = torch.ones(1, 2, dtype=torch.float64), 0.0
    x = torch.tensor([[1.0, 2.0], [3.0, -1.0]], dtype=torch.float64)
    losses = []
    for _ in range(3):
        errors = x @ weight[0] - 5
        losses.append(float(errors.square().mean() + bias / 2))
        weight = weight - 0.01 * (2 * errors[:, None] * x).mean(0)
        bias = bias - 0.01 * 0.5
    found = torch.tensor([float(n) for n in said[0][2].split("]]")[0].strip("[ ").split(",")])
    torch.testing.assert_close(found.double(), weight[0], rtol=1e-5, atol=0)
    assert [event["loss"] for event in read_events(tmp_path)] == pytest.approx(losses, rel=1e-5)
    assert said[0][2].endswith("True\n")


def test_a_launcher_is_needed_to_be_more_than_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("WORLD_SIZE", raising=False)
    replicas, device = join_replicas("cuda:1")
    assert (replicas.count, replicas.main, device) == (1, True, "cuda:1")
    model = nn.Linear(1, 1)
    replicas.average_gradients(model)
    assert model.weight.grad is None
    monkeypatch.setenv("WORLD_SIZE", "2")
    with pytest.raises(InputError, match=r"`device` \(=cuda:1\) must be auto, cpu or cuda"):
        join_replicas("cuda:1")
    monkeypatch.setitem(sys.modules, "accelerate", None)
    with pytest.raises(MissingDependencyError, match="pip install accelerate"):
        join_replicas("cpu")


def test_alone_is_the_default() -> None:
    alone = Replicas()
    assert alone.any(True)
    assert not alone.any(False)
    assert torch.equal(alone.mean(torch.ones(2)), torch.ones(2))


def test_a_folder_is_claimed_once(tmp_path: Path) -> None:
    run = tmp_path / "run"
    claim_folder(run, "recipe.toml", "a = 1", resume=False)
    (run / ".passband-0123.toml").touch()
    claim_folder(run, "recipe.toml", "a = 1", resume=True)
    assert [path.name for path in run.iterdir()] == ["recipe.toml"]
    with pytest.raises(InputError, match=r"is not empty\. Pass --resume"):
        claim_folder(run, "recipe.toml", "a = 1", resume=False)
    with pytest.raises(InputError, match=r"is another run \(its recipe\.toml differs"):
        claim_folder(run, "recipe.toml", "a = 2", resume=True)
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "file").touch()
    with pytest.raises(InputError, match="holds other things than a run"):
        claim_folder(tmp_path / "other", "recipe.toml", "a = 1", resume=True)
    (tmp_path / "file").touch()
    with pytest.raises(OutputError, match="cannot be made a run folder"):
        claim_folder(tmp_path / "file", "recipe.toml", "a = 1", resume=False)
