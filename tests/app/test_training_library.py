"""The models page: cards, speeds, copies as ONNX, the faster runtime."""

from __future__ import annotations

from pathlib import Path

import pytest
from PySide6.QtWidgets import QTextBrowser
from pytestqt.qtbot import QtBot

from avseg_app.training import library_page
from avseg_app.training.library_page import LibraryPage
from avseg_core.training.library import Speed, keep_runtimes, keep_speed, read_card
from tests.app.made_up_runs import FakeTask


def test_the_library_knows_the_speed_and_shows_the_card(
    qtbot: QtBot, models: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AVSEG_MODELS", str(tmp_path))
    page = LibraryPage()
    qtbot.addWidget(page)
    page.show()
    page.refresh("", "avsegformer-lite")
    qtbot.waitUntil(lambda: page.card is not None)

    def lines() -> dict[str, str]:
        return dict(page._lines(page.card))

    assert lines()["Speed here"] == "not measured yet"
    keep_speed(page.card, Speed(milliseconds=125.0, device="cpu", threads=2))
    assert lines()["Speed here"] == "125 ms per frame, 8.0 frames per second (cpu, 2 threads)"
    assert "Runs on" not in lines()
    keep_runtimes(page.card, {"torch": 150.0, "onnx": 120.0})
    assert lines()["Runs on"] == "onnxruntime (120 ms per frame on onnxruntime, 150 on PyTorch)"
    keep_runtimes(page.card, {"torch": 110.0, "onnx": 120.0})
    assert lines()["Runs on"].startswith("PyTorch (")
    assert lines()["Speed here"].startswith("125 ms")
    assert page.story_button.isVisible()
    dialog = page.show_story(page.card)
    assert "avsegformer-lite" in dialog.findChild(QTextBrowser).toPlainText().lower()
    dialog.close()
    page.close_threads()


def test_a_model_is_saved_as_onnx_by_the_command(qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(library_page, "CommandTask", FakeTask)
    page = LibraryPage()
    qtbot.addWidget(page)
    said: list[tuple[str, str]] = []
    page.said.connect(lambda kind, text: said.append((kind, text)))
    card = read_card("avsegformer-lite")
    page.save_copy(card, tmp_path / "lite.onnx")
    task = page.findChild(FakeTask)
    assert task.words == ["export-model", "avsegformer-lite", "--out", str(tmp_path / "lite.onnx")]
    task.done.emit({"difference": 2e-6})
    task.failed.emit("ONNX needs the package onnx")
    assert [kind for kind, _ in said] == ["info", "success", "error"]
    assert said[1][1].endswith("differ from PyTorch's by at most 2.0e-06.")
    page.save_copy(card, tmp_path / "lite.safetensors")
    qtbot.waitUntil((tmp_path / "lite.safetensors").is_file)
    page.close_threads()


def test_the_faster_runtime_is_found_by_the_command(qtbot: QtBot, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(library_page, "CommandTask", FakeTask)
    page = LibraryPage()
    qtbot.addWidget(page)
    said: list[str] = []
    page.said.connect(lambda kind, text: said.append(text))
    page.compare_runtimes(read_card("avsegformer-lite"))
    task = page.findChild(FakeTask)
    assert task.words == ["bench", "--runtimes", "--model", "avsegformer-lite"]
    assert not page.runtime_button.isEnabled()
    task.failed.emit("ONNX needs the package onnxruntime")
    assert said == ["The speed could not be measured: ONNX needs the package onnxruntime"]
    page.close_threads()
