"""The choice of the device, which always says why."""

import pytest
import torch

from avseg_core.errors import InputError
from avseg_core.inference import device


def no_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.version, "cuda", "12.8")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.backends.mps, "is_built", lambda: False)
    monkeypatch.setattr(device.shutil, "which", lambda name: None)
    monkeypatch.setattr(device.Path, "exists", lambda path: False)


def test_without_a_gpu_the_cpu_is_chosen_and_the_reason_told(monkeypatch: pytest.MonkeyPatch) -> None:
    no_gpu(monkeypatch)
    chosen, reason = device.choose_device("auto")
    assert chosen == torch.device("cpu")
    assert "there is no usable NVIDIA GPU and this PyTorch is built without Apple's Metal" in reason


def test_a_card_with_a_driver_that_pytorch_cannot_use_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    no_gpu(monkeypatch)
    monkeypatch.setattr(device.shutil, "which", lambda name: "/usr/bin/nvidia-smi")
    assert "its driver is installed" in device.choose_device("auto")[1]
    monkeypatch.setattr(torch.version, "cuda", None)
    assert "install a CUDA build" in device.choose_device("auto")[1]


def test_a_card_that_fails_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    no_gpu(monkeypatch)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)

    def fail(*args: object, **kwargs: object) -> None:
        raise RuntimeError("no kernel image is available for execution on the device\nmore")

    monkeypatch.setattr(torch, "ones", fail)
    chosen, reason = device.choose_device("auto")
    assert chosen == torch.device("cpu")
    assert "fails (no kernel image is available for execution on the device)" in reason


def test_a_card_that_works_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    no_gpu(monkeypatch)
    monkeypatch.setattr(device, "_cuda_problem", lambda: None)
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda: "Quick 9000")
    assert device.choose_device("auto") == (torch.device("cuda"), "Quick 9000, the fastest device here.")
    assert device.choose_device("cuda") == (torch.device("cuda"), "Quick 9000, as asked for.")
    assert device.choose_device("cpu")[0] == torch.device("cpu")


@pytest.mark.parametrize("wanted", ["cuda", "mps", "toaster"])
def test_a_device_that_is_not_there_is_refused_with_the_reason(monkeypatch: pytest.MonkeyPatch, wanted: str) -> None:
    no_gpu(monkeypatch)
    with pytest.raises(InputError, match=wanted):
        device.choose_device(wanted)


def test_a_core_is_left_for_decoding(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(device, "usable_cores", lambda: 8)
    assert device.cpu_threads() == 7
    assert device.cpu_threads(3) == 3
    monkeypatch.setattr(device, "usable_cores", lambda: 1)
    assert device.cpu_threads() == 1
