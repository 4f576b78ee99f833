"""A model is built and run without the compiler of PyTorch; who exports one finds it whole (`test_export_model`)."""

import subprocess
import sys

PROGRAM = """
import sys, torch
from avseg_core.config import ModelConfig
from avseg_core.models.backbones import BACKBONES
backbone = BACKBONES["mobilenetv3_small_050"](ModelConfig())
with torch.inference_mode():
    backbone(torch.zeros(1, 3, 64, 64))
print([name for name in ("torch._dynamo", "sympy") if name in sys.modules])
"""


def test_the_compiler_is_not_loaded() -> None:
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
