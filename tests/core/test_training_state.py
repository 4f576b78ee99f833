"""Checkpoints that are whole or not there, what is frozen how, learning rates and the moving average."""

import errno
import itertools
import os
import stat
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import nn

from avseg_core.config import ModelConfig, TrainConfig
from avseg_core.errors import InputError
from avseg_core.training.checkpoint import SaveError, load_state, save_state
from avseg_core.training.ema import ModelAverage
from avseg_core.training.optim import build_optimizer, learning_rate, set_trainable
from tests.core.tiny_training import Tiny, disk_full_after


def test_a_state_comes_back_bit_by_bit(tmp_path):
    state = {"weights": torch.randn(5), "deep": {"step": 3, "best": {"miou": 0.1}, "list": [1, "a"]}}
    save_state(state, tmp_path / "last.pt")
    loaded = load_state(tmp_path / "last.pt")
    assert torch.equal(loaded["weights"], state["weights"])
    assert loaded["deep"] == state["deep"]
    assert [path.name for path in tmp_path.iterdir()] == ["last.pt"]


def test_a_full_disk_leaves_the_previous_state(tmp_path):
    path = tmp_path / "last.pt"
    save_state({"step": 1, "weights": torch.ones(10)}, path)
    with disk_full_after(100_000), pytest.raises(SaveError, match=r"last\.pt.*previous one is kept"):
        save_state({"step": 2, "weights": torch.ones(1_000_000)}, path)
    assert load_state(path)["step"] == 1
    assert [file.name for file in tmp_path.iterdir()] == ["last.pt"]


def test_a_disk_that_cannot_sync_folders_is_good_enough(tmp_path, monkeypatch):
    sync = os.fsync

    def refuse(descriptor):
        if stat.S_ISDIR(os.fstat(descriptor).st_mode):
            raise OSError(errno.EINVAL, "Invalid argument")
        sync(descriptor)

    monkeypatch.setattr(os, "fsync", refuse)
    save_state({"step": 1}, tmp_path / "last.pt")
    assert load_state(tmp_path / "last.pt")["step"] == 1


@pytest.mark.parametrize("content", [b"", b"not a checkpoint", None])
def test_a_damaged_state_is_one_clear_line(tmp_path, content):
    path = tmp_path / "last.pt"
    save_state({"weights": torch.ones(1000)}, path)
    path.write_bytes(path.read_bytes()[:-300] if content is None else content)
    with pytest.raises(InputError, match=r"last\.pt") as caught:
        load_state(path)
    assert "\n" not in str(caught.value)


def test_a_state_cannot_run_code(tmp_path):
    class Evil:
        def __reduce__(self):
            return (Path.touch, (tmp_path / "ran",))

    torch.save({"x": Evil()}, tmp_path / "last.pt")
    with pytest.raises(InputError):
        load_state(tmp_path / "last.pt")
    assert not (tmp_path / "ran").exists()


def one_step(model: nn.Module, config: TrainConfig, epoch: int) -> dict[str, bool]:
    """Which tensors changed in one optimiser step."""
    before = {key: value.clone() for key, value in model.state_dict().items()}
    set_trainable(model, config, epoch)
    optimizer = build_optimizer(model, config)
    model(torch.randn(2, 3, 32, 32), torch.randn(2, 1, 96, 64)).logits.square().sum().backward()
    optimizer.step()
    return {key: not torch.equal(value, before[key]) for key, value in model.state_dict().items()}


def tiny() -> Tiny:
    torch.manual_seed(0)
    return Tiny(ModelConfig(architecture="tiny"))


def test_a_backbone_frozen_for_epochs_keeps_its_weights_but_not_its_statistics():
    config = TrainConfig(freeze_backbone_epochs=2, weight_decay=0.1)
    changed = one_step(tiny(), config, epoch=1)
    assert not changed["backbone.0.weight"]
    assert not changed["backbone.1.weight"]
    assert changed["backbone.1.running_mean"]
    assert changed["mask_head.weight"]
    assert one_step(tiny(), config, epoch=2)["backbone.0.weight"]


def test_a_box_frozen_for_good_keeps_its_statistics_too():
    config = TrainConfig(freeze=("backbone", "mixer"), weight_decay=0.1)
    changed = one_step(tiny(), config, epoch=9)
    assert not any(value for key, value in changed.items() if key.startswith(("backbone", "mixer")))
    assert changed["mask_head.weight"]


def test_an_unknown_box_is_named():
    with pytest.raises(InputError, match=r"'nose'.*backbone.*mask_head"):
        set_trainable(tiny(), TrainConfig(freeze=("nose",)), 0)


def test_the_audio_encoder_never_learns():
    model = tiny()
    model.audio_encoder.weight = nn.Parameter(torch.ones(3))
    set_trainable(model, TrainConfig(), 0)
    optimizer = build_optimizer(model, TrainConfig())
    assert not model.audio_encoder.weight.requires_grad
    assert all(p is not model.audio_encoder.weight for group in optimizer.param_groups for p in group["params"])


def test_learning_rate_schedules():
    constant = TrainConfig(learning_rate=1.0)
    assert {learning_rate(step, 10, constant) for step in range(10)} == {1.0}
    warm = replace(constant, warmup_steps=4, schedule="cosine")
    rates = [learning_rate(step, 12, warm) for step in range(13)]
    assert rates[:5] == [0.25, 0.5, 0.75, 1.0, 1.0]
    assert rates[8] == pytest.approx(0.5)  # half way through the cosine
    assert rates[12] == pytest.approx(0.0)
    assert all(later <= earlier for earlier, later in itertools.pairwise(rates[4:]))


def test_the_average_follows_as_its_formula_says():
    model = tiny()
    average = ModelAverage(model, decay=0.5)
    first = model.mask_head.weight.detach().clone()
    with torch.no_grad():
        model.mask_head.weight += 1
        model.backbone[1].num_batches_tracked += 7
    average.update(model, step=0)  # decay is min(0.5, 1/10)
    assert torch.allclose(average.model.mask_head.weight, first + 0.9)
    average.update(model, step=1000)
    assert torch.allclose(average.model.mask_head.weight, first + 0.95)
    assert average.model.backbone[1].num_batches_tracked.item() == 7
    assert torch.equal(model.mask_head.weight, first + 1)
