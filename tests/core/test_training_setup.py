"""What a training starts from."""

from __future__ import annotations

from unittest import mock

import pytest

from avseg_core.config import TrainConfig
from avseg_core.errors import InputError
from avseg_core.training import setup


@pytest.mark.parametrize("hearing", ["", "avsegformer-lite"])
def test_a_model_without_its_sound_network_is_no_start(monkeypatch: pytest.MonkeyPatch, hearing: str) -> None:
    released = mock.Mock(return_value=(mock.Mock(), mock.Mock(audio_missing=True)))
    monkeypatch.setattr(setup, "load_released", released)
    with pytest.raises(InputError, match=r"tpavi\.pth: .*--audio-weights"):
        setup.initial_model(TrainConfig(init_from="tpavi.pth", audio_weights=hearing))
    weights = released.call_args.args[1]
    assert (weights and weights.name) == ("model.safetensors" if hearing else None)  # a name is as good as a file
