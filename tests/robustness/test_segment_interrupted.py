"""`segment` in a process of its own: stopped, killed, out of disk; and continued afterwards."""

import json
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from avseg_core import cli
from avseg_core.media import VideoReader
from avseg_core.results.store import MaskStore
from tests.segment_fixtures import ToneModel, write_video

ROOT = Path(__file__).parents[2]
SECONDS = 60
SLOW = """
import sys, time
import avseg_core.inference.segmenter as segmenter
from avseg_core.cli import main
from tests.segment_fixtures import ToneModel

class Slow(ToneModel):
    def encode_visual(self, frames):
        time.sleep(float(sys.argv[1]))
        return super().encode_visual(frames)

segmenter.load_model = lambda *_: Slow()
sys.exit(main(sys.argv[2:]))
"""


@pytest.fixture(scope="module")
def video(tmp_path_factory: pytest.TempPathFactory) -> Path:
    plan = ("low", "high", None) * (SECONDS // 3)
    return write_video(tmp_path_factory.mktemp("long") / "long.mp4", plan)


def start(video: Path, out: Path, *words: str, delay: float = 0.0) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", SLOW, str(delay), "segment", str(video), "--out", str(out), *words]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def wait_for_masks(store: Path, count: int) -> None:
    """Until the running process has written so many masks; reading does not disturb it."""
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        if store.exists():
            with MaskStore(store) as opened:
                if len(opened) >= count:
                    return
        time.sleep(0.02)
    raise AssertionError("no masks were written")


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL])
def test_stopped_and_continued(
    video: Path,
    tmp_path: Path,
    how: signal.Signals,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr("avseg_core.inference.segmenter.load_model", lambda *_: ToneModel())
    store = tmp_path / "long.avseg"
    with start(video, tmp_path, delay=0.4) as process:
        wait_for_masks(store, 8)
        process.send_signal(how)
        said = process.communicate(timeout=60)[1]
    if how != signal.SIGKILL:
        assert process.returncode == 130
        assert said.splitlines()[-1] == "avseg: Stopped on request; what was finished is kept."
        assert [path.name for path in tmp_path.iterdir()] == ["long.avseg"]
    with MaskStore(store) as opened:
        kept = len(opened)
        assert 8 <= kept < SECONDS
        assert opened.indices() == list(range(kept))
    assert cli.main(["segment", str(video), "--out", str(tmp_path), "--export", "coco", "--json"]) == 0
    answer = capsys.readouterr()
    assert json.loads(answer.out)["videos"][0]["continued_from"] == kept
    assert f"continued a run that had {kept} of its masks" in answer.err
    coco = json.loads((tmp_path / "long.coco.json").read_text())
    assert len(coco["images"]) == SECONDS
    assert [item["image_id"] % 3 for item in coco["annotations"]] == [1, 2] * (SECONDS // 3)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["long.avseg", "long.coco.json"]


def test_stopped_while_exporting_leaves_no_half_file(video: Path, tmp_path: Path) -> None:
    with start(video, tmp_path, "--export", "overlay") as process:
        partial = tmp_path / "long_overlay.mp4.partial"
        deadline = time.monotonic() + 120
        while not (partial.exists() and partial.stat().st_size > 0) and time.monotonic() < deadline:
            time.sleep(0.005)
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=60)
    assert process.returncode == 130
    assert [path.name for path in tmp_path.iterdir()] == ["long.avseg"]


FULL_DISK = """
import os, shutil, subprocess, sys
import avseg_core.inference.segmenter as segmenter
from avseg_core.cli import main
from tests.segment_fixtures import ToneModel

segmenter.load_model = lambda *_: ToneModel()
sys.stderr = sys.stdout
video, disk, keep = sys.argv[1:]
subprocess.run(["mount", "-t", "tmpfs", "tmpfs", disk], check=True)
for room in ("28k", "56k", "160k", "64m"):
    subprocess.run(["mount", "-o", "remount,size=" + room, disk], check=True)
    code = main(["segment", video, "--out", disk, "--export", "overlay"])
    print("exit", code, "left", *sorted(os.listdir(disk)))
shutil.copytree(disk, keep)
"""
MAY_MOUNT = ["unshare", "-rm", "mount", "-t", "tmpfs", "tmpfs", "/mnt"]


@pytest.mark.skipif(
    shutil.which("unshare") is None or subprocess.run(MAY_MOUNT, capture_output=True).returncode != 0,
    reason="needs a disk of its own (Linux user namespaces)",
)
def test_a_full_disk(video: Path, tmp_path: Path) -> None:
    """Room for less than an empty store, for some masks, for all masks without the overlay, and for everything."""
    disk, keep = tmp_path / "disk", tmp_path / "keep"
    disk.mkdir()
    done = subprocess.run(
        ["unshare", "-rm", sys.executable, "-c", FULL_DISK, str(video), str(disk), str(keep)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=250,
    )
    lines = done.stdout.splitlines()
    ends = [number for number, line in enumerate(lines) if line.startswith("exit ")]
    assert [lines[end] for end in ends] == [
        "exit 1 left",
        "exit 1 left long.avseg",
        "exit 1 left long.avseg",
        "exit 0 left long.avseg long_overlay.mp4",
    ]
    for end in ends[:3]:
        assert lines[end - 1].startswith("avseg: ")
        assert "disk is full" in lines[end - 1] or "No space left" in lines[end - 1]
    assert sum("continued a run that had" in line for line in lines) == 2
    assert "Traceback" not in done.stdout + done.stderr
    with VideoReader(keep / "long_overlay.mp4") as overlay:
        assert len(overlay) == SECONDS * 10
