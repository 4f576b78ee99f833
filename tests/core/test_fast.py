"""Half precision: nothing but CUDA takes it, logits come back as float32, and stores tell it from the exact numbers."""

from pathlib import Path
from typing import Any, cast

import pytest
import torch

from avseg_core import cli
from avseg_core.config import InferenceConfig, ModelConfig
from avseg_core.errors import InputError
from avseg_core.inference import fast
from avseg_core.inference.run import plan_run
from avseg_core.inference.segmenter import Segmenter
from avseg_core.inference.speed import Contestant
from avseg_core.models.output import AVSModel
from avseg_core.models.registry import build_model
from tests.avsbench_fixtures import make_ms3
from tests.segment_fixtures import ToneModel, write_video

TINY = ModelConfig(
    backbone="mobilenetv3_small_050",
    audio_encoder="yamnet",
    image_size=(64, 64),
    embed_dim=32,
    encoder_layers=1,
    decoder_layers=1,
    query_generator_layers=1,
    ffn_dim=32,
    num_queries=4,
    mask_mlp_dim=32,
)


@pytest.mark.parametrize("changes", [{}, {"architecture": "tpavi", "clip_length": 2}])
def test_logits_are_float32_again_and_close_to_the_exact_ones(changes: dict[str, Any]) -> None:
    torch.manual_seed(0)
    model = cast(AVSModel, build_model(ModelConfig(**{**vars(TINY), **changes})).eval())
    frames, logmel = torch.randn(2, 3, 64, 64), torch.randn(2, 1, 96, 64)
    with torch.inference_mode():
        exact = model(frames, logmel).logits
        fast.autocast_methods(model, "cpu", torch.bfloat16)
        visual = model.encode_visual(frames)
        answers = [model(frames, logmel).logits, model.segment(visual, logmel).logits]
    assert any(part.dtype == torch.bfloat16 for part in visual)
    for logits in answers:
        assert logits.dtype == torch.float32
        assert 0 < float((logits - exact).abs().max()) < 0.1 * float(exact.abs().max())


def test_on_cuda_it_is_the_half_precision_of_the_card(monkeypatch: pytest.MonkeyPatch) -> None:
    used: list[Any] = []
    monkeypatch.setattr(fast, "autocast_methods", lambda model, device, dtype: used.append((device, dtype)))
    for supported in (True, False):
        monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda supported=supported: supported)
        fast.use_half_precision(cast(AVSModel, build_model(TINY)), torch.device("cuda"))
    assert used == [("cuda", torch.bfloat16), ("cuda", torch.float16)]


def test_bench_refuses_it_elsewhere() -> None:
    contestant = Contestant.parse("lite,fast=true", "cpu")
    with pytest.raises(InputError, match="--fast: is half precision on a CUDA device, and this is cpu; leave it out"):
        contestant.load(torch.device("cpu"))


def test_segment_and_evaluate_refuse_it_in_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    video = write_video(tmp_path / "clip.mp4", ("low",))
    data = make_ms3(tmp_path, {"test": 1}, size=64)
    for words in (["segment", str(video)], ["evaluate", "--data", str(data), "--model", "avsegformer-lite"]):
        assert cli.main([*words, "--out", str(tmp_path / "out"), "--device", "cpu", "--fast"]) == 2
        error = capsys.readouterr().err.strip().splitlines()[-1]
        assert "--fast: is half precision on a CUDA device, and this is cpu" in error


def test_fast_masks_never_continue_a_store_of_exact_ones(tmp_path: Path) -> None:
    video = write_video(tmp_path / "clip.mp4", ("low",))
    exact, quick = (
        plan_run(Segmenter(ToneModel(), InferenceConfig(device="cpu", fast=chosen)), video)[0]
        for chosen in (False, True)
    )
    assert "fast" not in exact.settings
    assert quick.settings["fast"] is True
    assert not quick.same_run(exact)
