"""`bench`: what can be compared, what is printed, and that the figures are of what they say."""

import json
import multiprocessing
import subprocess
import sys
from functools import partial
from pathlib import Path

import pytest
import torch

from avseg_core import cli
from avseg_core.commands.bench import as_markdown
from avseg_core.errors import InputError
from avseg_core.inference import speed, speed_clip
from avseg_core.inference.speed import PARTS, Contestant, Figures
from avseg_core.media import AudioReader, VideoReader

TINY = "lite,image_size=[64,64],embed_dim=32,encoder_layers=1,decoder_layers=1,num_heads=2"


def test_what_can_be_compared() -> None:
    preset = Contestant.parse("v1-s4-pvt,image_size=[64,96],threads=3,batch_size=2")
    assert (preset.model.backbone, preset.model.image_size, preset.model.reformer) == ("pvt_v2_b5", (64, 96), "qr")
    assert (preset.run.threads, preset.run.batch_size, preset.run.device) == (3, 2, "auto")
    assert preset.weights is None
    assert Contestant.parse("tpavi-avss-r50", device="cpu").model.num_classes == 71
    assert Contestant.parse("lite").model.audio_encoder == "yamnet"


@pytest.mark.parametrize("spec", ["no-such-model", "lite,colour=red", "lite,image_size=[5,5]", "lite,threads"])
def test_what_cannot_be_compared(spec: str) -> None:
    with pytest.raises(InputError) as caught:
        Contestant.parse(spec)
    assert "\n" not in str(caught.value)


def test_a_clip_of_any_length(tmp_path: Path) -> None:
    clip = speed_clip.make_clip(tmp_path / "clip.mp4", 25, 160, 90)
    with VideoReader(clip) as video, AudioReader(clip) as audio:
        assert len(video) == 900
        assert video.constant_rate == 30
        assert video.warnings == ()
        assert audio.read(24.0, 1.0).std() == pytest.approx(0.3 / 2**0.5, rel=0.1)
        assert (video.frame_by_index(0).image != video.frame_by_index(150).image).mean() > 0.5
    assert list(tmp_path.iterdir()) == [clip]


def test_the_command_prints_every_part(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(speed_clip, "make_clip", partial(speed_clip.make_clip, width=160, height=90))
    assert cli.main(["bench", "--model", TINY, "--rounds", "1", "--json"]) == 0
    (found,) = json.loads(capsys.readouterr().out)["models"]
    assert list(found["milliseconds"]) == list(PARTS)
    assert all(0 < value < 10_000 for value in found["milliseconds"].values())
    assert found["real_time_factor"] > 0
    assert 100 < found["peak_megabytes"]["30"] < 5000


def test_whole_clips_are_timed_whatever_the_batch(tmp_path: Path) -> None:
    clip = speed_clip.make_clip(tmp_path / "clip.mp4", 4, 160, 90)
    settings = "backbone=mobilenetv3_small_050,audio_encoder=yamnet,image_size=[64,64],embed_dim=32,clip_length=2"
    (found,) = speed.compare([Contestant.parse(f"tpavi-s4-r50,{settings},batch_size=3", "cpu")], clip, rounds=1)
    assert found.milliseconds["segment"] > 0


def test_two_settings_take_turns(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    turns: list[int] = []
    monkeypatch.setattr(torch, "set_num_threads", turns.append)
    clip = speed_clip.make_clip(tmp_path / "clip.mp4", 10, 160, 90)
    pair = [Contestant.parse(f"{TINY},threads=1"), Contestant.parse(f"{TINY},threads=2,num_queries=8")]
    first, second = speed.compare(pair, clip, rounds=2)
    assert turns == [1, 2] * 3  # the first time to warm up
    assert (first.threads, second.threads) == (1, 2)
    assert first.parameters > second.parameters
    assert set(first.milliseconds) == set(second.milliseconds) == set(PARTS)


def test_a_run_that_fails_says_why(tmp_path: Path) -> None:
    receiver, sender = multiprocessing.Pipe(duplex=False)
    speed._run_alone(Contestant.parse(TINY), tmp_path / "missing.mp4", sender)
    answer = receiver.recv()
    assert isinstance(answer, InputError)
    assert "missing.mp4: no such file" in str(answer)


def test_memory_is_of_this_process() -> None:
    script = (
        "from avseg_core.inference.memory import peak_memory\n"
        "before = peak_memory()\n"
        "block = bytearray(300_000_000)\n"
        "block[::4096] = b'x' * len(block[::4096])\n"
        "print(peak_memory() - before)"
    )  # a process of its own: the peak of this one may be far above by now
    answer = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert 250 < float(answer.stdout) < 400


def test_the_table_compares_with_the_first() -> None:
    milliseconds = dict.fromkeys(PARTS, 10.0)
    one = Figures("a", "cpu", 1, 2_000_000, milliseconds, 6.0, {30: 900.0})
    two = Figures("b", "cpu", 1, 1_000_000, {**milliseconds, "segment": 5.0}, 9.0, {30: 900.0})
    lines = as_markdown([one, two]).splitlines()
    assert lines[0] == "| 1 mask per second | a (cpu, 1 threads) | b (cpu, 1 threads) |"
    assert "| segment, ms per mask | 10.0 | 5.0 (x0.50) |" in lines
    assert "| sum of the parts, ms per mask | 60.0 | 55.0 (x0.92) |" in lines
    assert "| real-time factor of segment, 1280x720 | 6.00 | 9.00 (x1.50) |" in lines
    assert "| peak memory for 30 s of video, MB | 900 | 900 (x1.00) |" in lines
    assert "| parameters, millions | 2.00 | 1.00 (x0.50) |" in lines
