"""A model is built and run without the compiler of PyTorch; who exports one finds it whole (`test_export_model`)."""

import subprocess
import sys

import pytest

PROGRAM = """
import sys, torch
from avseg_core.config import ModelConfig
from avseg_core.models.backbones import BACKBONES
backbone = BACKBONES["mobilenetv3_small_050"](ModelConfig())
with torch.inference_mode():
    backbone(torch.zeros(1, 3, 64, 64))
print([name for name in ("torch._dynamo", "sympy") if name in sys.modules])
"""
SHIPPED = """
import sys, torch
from avseg_core.inference.fuse import prepare_for_inference
from avseg_core.models.checkpoints import load_model
model = load_model("avsegformer-lite")
prepare_for_inference(model, torch.device("cpu"))
with torch.inference_mode():
    model(torch.zeros(1, 3, 64, 96), torch.zeros(1, 1, 96, 64))
print([name for name in ("torch._dynamo",) if name in sys.modules])
"""


@pytest.mark.parametrize("program", [PROGRAM, SHIPPED])
def test_the_compiler_is_not_loaded(program: str) -> None:
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
