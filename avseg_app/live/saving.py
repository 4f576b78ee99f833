"""What the live page keeps: recordings and snapshots, and the folder that they go to."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QObject, QStandardPaths, Signal
from PySide6.QtGui import QImage, QPainter
from PySide6.QtWidgets import QFileDialog, QWidget

from avseg_app.settings import SettingsStore
from avseg_app.widgets.message_bar import MessageBar
from avseg_app.workers.frame_ring import SharedFrame
from avseg_app.workers.live_client import LiveClient
from avseg_app.workers.live_protocol import RecordingDone, RecordingStarted, StartRecording, StopRecording
from avseg_app.workspace.canvas import Canvas
from avseg_core.errors import AVSegError
from avseg_core.inference.live_recording import free_path
from avseg_core.results.writing import make_folder


class Saving(QObject):
    """At most one recording at a time."""

    opened = Signal(object)
    """The path of a recording that the user wants to see."""
    ended = Signal()
    """No recording runs any more."""
    folder_changed = Signal(object)

    def __init__(self, client: LiveClient, settings: SettingsStore, messages: MessageBar, owner: QWidget) -> None:
        super().__init__(owner)
        self._client, self._settings, self._messages, self._owner = client, settings, messages, owner
        self.recording: Path | None = None
        """The file that is being recorded."""
        self._has_picture = True
        client.recording_started.connect(self._on_started)
        client.recording_done.connect(self._on_done)
        client.restarted.connect(lambda reason: self._forget())
        client.gave_up.connect(lambda reason: self._forget())

    @property
    def folder(self) -> Path:
        """Where recordings and snapshots go."""
        chosen = self._settings.values.live_record_dir
        if chosen:
            return Path(chosen)
        movies = QStandardPaths.writableLocation(QStandardPaths.StandardLocation.MoviesLocation)
        return Path(movies or Path.home()) / "AVSeg Studio"

    def ask_folder(self) -> None:
        """Lets the user choose the folder."""
        dialog = QFileDialog(self._owner, self.tr("Folder for recordings"), str(self.folder))
        dialog.setFileMode(QFileDialog.FileMode.Directory)
        dialog.fileSelected.connect(self._set_folder)
        dialog.open()

    def toggle_recording(self) -> None:
        """Starts to record, or finishes the recording."""
        if not self._client.running:
            return
        if self.recording is not None:
            self._client.send(StopRecording())
            return
        values = self._settings.values
        self._has_picture = values.live_record_video
        self._client.send(
            StartRecording(
                self.folder,
                video=values.live_record_video,
                sound=values.live_record_sound,
                masks=values.live_record_masks and values.live_record_video,
            )
        )

    def save_snapshot(self, shared: SharedFrame, canvas: Canvas) -> None:
        """Saves a picture with its mask as `canvas` draws it, at the picture's own size."""
        height, width = shared.pixels.shape[:2]
        image = to_image(shared).copy()
        painter = QPainter(image)
        canvas.paint_mask(painter, shared.mask, width, height)
        painter.end()
        try:
            make_folder(self.folder)
        except AVSegError as error:
            self._messages.show_message("error", str(error))
            return
        path = free_path(self.folder, ".png")
        if image.save(str(path)):
            self._messages.show_message("success", self.tr("Saved {0}").format(path))
        else:
            self._messages.show_message("error", self.tr("{0} cannot be written; choose another folder.").format(path))

    def _set_folder(self, folder: str) -> None:
        self._settings.update(live_record_dir=folder)
        self.folder_changed.emit(self.folder)

    def _on_started(self, started: RecordingStarted) -> None:
        self.recording = started.path

    def _on_done(self, done: RecordingDone) -> None:
        self._forget()
        path = done.path
        if path is None:
            self._messages.show_message("warning", done.problem or self.tr("Nothing came that could be recorded."))
            return
        text = self.tr("Recorded {0:.0f} s: {1}").format(done.seconds, path)
        kind = "warning" if done.problem else "success"
        text = f"{done.problem} {text}" if done.problem else text
        if self._has_picture:
            self._messages.show_message(kind, text, self.tr("Open"), lambda: self.opened.emit(path))
        else:
            self._messages.show_message(kind, text)

    def _forget(self) -> None:
        self.recording = None
        self.ended.emit()


def to_image(shared: SharedFrame) -> QImage:
    """The picture without a copy: it lives as long as `shared.pixels`."""
    height, width = shared.pixels.shape[:2]
    return QImage(shared.pixels.data, width, height, 4 * width, QImage.Format.Format_RGB32)
