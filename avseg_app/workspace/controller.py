"""The workspace's conduct: opens videos, runs their segmentation, and says what to show. No widget in here."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from pathlib import Path

from PySide6.QtCore import QObject, QTimer, Signal

from avseg_app.playback.player import Player
from avseg_app.settings import SettingsStore
from avseg_app.workers.background import Background
from avseg_app.workers.inference_client import InferenceClient
from avseg_app.workers.protocol import FeatureMaps, JobEnded, JobStarted, ModelFailed, ModelReady, WindowsDone
from avseg_app.workspace import cache
from avseg_app.workspace.document import Document
from avseg_app.workspace.envelope import EnvelopeReader
from avseg_core.errors import AVSegError, Cancelled
from avseg_core.results.codec import Summary
from avseg_core.results.result import WindowResult

_REREAD_MS = 120
_MAPS_MS = 120
_AHEAD = 8
"""Windows that are read from the store before they are needed, while playing."""


class Controller(QObject):
    """Owns the player, the link to the inference process and the open document."""

    document_changed = Signal()
    timeline_changed = Signal()
    result_changed = Signal()
    maps_changed = Signal(object)
    """FeatureMaps of the window in view, or None"""
    job_changed = Signal()
    device_changed = Signal(object)
    """ModelReady"""
    opening = Signal(object)
    """Path that is being looked at, or None when that is over"""
    message = Signal(str, str)
    """kind (info, success, warning, error) and text"""
    worker_lost = Signal(str)
    """The inference process is gone for good: why"""

    def __init__(self, settings: SettingsStore, client: InferenceClient, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.settings = settings
        self.player = Player(self)
        self.client = client
        client.setParent(self)
        self.document: Document | None = None
        self._files = Background("files", self)
        self._sounds = Background("envelope", self)
        self._ticket = self._run = 0
        self._place = -1
        self._fetching: set[int] = set()
        self._noted = self._grown = False
        self._maps_wanted = True
        self._reread = _timer(self, _REREAD_MS, self._read_timeline)
        self._maps_timer = _timer(self, _MAPS_MS, self._ask_for_maps)
        self._connect()

    def _connect(self) -> None:
        self.player.position_changed.connect(self._on_position)
        self.player.playing_changed.connect(lambda _: self._maps_timer.start())
        self.player.failed.connect(lambda text: self.message.emit("error", text))
        self.client.model_ready.connect(self._on_model_ready)
        self.client.model_failed.connect(self._on_model_failed)
        self.client.job_started.connect(self._on_job_started)
        self.client.windows_done.connect(self._on_windows_done)
        self.client.job_ended.connect(self._on_job_ended)
        self.client.maps_ready.connect(self._on_maps)
        self.client.restarted.connect(self._on_restarted)
        self.client.gave_up.connect(self._on_gave_up)
        self.settings.changed.connect(self._on_setting)

    def start(self) -> None:
        """Gets the model ready while the user still looks around."""
        self._files.submit(lambda: cache.result_cache().trim(), lambda _: None, self._on_error)
        self.client.start(self.settings.values.model)

    def close(self) -> None:
        """Ends all threads and processes."""
        self._ticket += 1
        self.client.close()
        self._files.close()
        self._sounds.close()
        self.player.close()

    def open(self, path: Path) -> None:
        """Opens a video; the one that is open stays until it is clear that the new one can be read."""
        self._ticket += 1
        ticket, values = self._ticket, self.settings.values
        self.opening.emit(path)

        def work() -> cache.Known:
            return cache.look_up(path, values.model, values.rate, lambda: ticket != self._ticket)

        def done(known: cache.Known) -> None:
            if ticket == self._ticket:
                self.opening.emit(None)
                self._grown = False
                self.settings.add_recent(path)
                if known.note:
                    self.message.emit("warning", known.note)
                if known.recorded is not None:
                    self._show_video(Document.of_recording(known.info, known.recorded))
                    return
                self._show_video(Document(known.info, values.model, values.rate, known.store))
                if (values.model, values.rate) != (self.settings.values.model, self.settings.values.rate):
                    self.segment_anew()

        self._files.submit(work, done, lambda error: self._on_refused(ticket, error))

    def close_video(self) -> None:
        """Back to no video."""
        self._ticket += 1
        self.client.forget()
        self.player.unload()
        self.document = None
        self.opening.emit(None)
        self.document_changed.emit()

    def cancel(self) -> None:
        """Stops the segmentation; what is done stays."""
        self.client.stop()
        self._set_job(phase="stopped", seconds_left=None)

    def resume(self) -> None:
        """Goes on with what is missing."""
        self._segment()

    def restart_worker(self) -> None:
        """Tries again after the inference process was given up."""
        self.client.start(self.settings.values.model)
        self._segment()

    @property
    def result(self) -> WindowResult | None:
        """What is known of the window in view."""
        return self.document.result_at(self._place) if self.document is not None else None

    def set_maps_wanted(self, wanted: bool) -> None:
        """Feature maps cost time: they are asked for only while somebody sees them."""
        self._maps_wanted = wanted
        self._maps_timer.start()

    def _on_refused(self, ticket: int, error: AVSegError) -> None:
        if ticket == self._ticket and not isinstance(error, Cancelled):
            self.opening.emit(None)
            self._on_error(error)

    def _on_error(self, error: AVSegError) -> None:
        self.message.emit("error", str(error))

    def _show_video(self, document: Document) -> None:
        """Puts another video in place of the one that is open."""
        self._noted = False
        self._adopt(document)
        self.player.load(document.info)
        self._begin()
        self._read_sound(EnvelopeReader(document.path, document.info.duration))

    def _look_again(self, document: Document) -> None:
        """Shows what a video has become that has grown since it was examined: it is being downloaded or recorded."""
        path, model, rate, ticket = document.path, document.model, document.rate, self._ticket

        def work() -> cache.Known:
            return cache.look_up(path, model, rate, lambda: document is not self.document)

        def done(known: cache.Known) -> None:
            if document is self.document:
                position, playing = self.player.position, self.player.playing
                self._show_video(Document(known.info, model, rate, known.store, known.recorded))
                self.player.seek(position)
                if playing:
                    self.player.play()

        self._files.submit(work, done, lambda error: self._on_refused(ticket, error))

    def segment_anew(self) -> None:
        """The same video under the model and the rate that are chosen now."""
        document, values = self.document, self.settings.values
        if document is None:
            return
        self._run += 1
        run, path = self._run, document.path

        def done(store: Path) -> None:
            before = self.document
            if run == self._run and before is not None and before.path == path:
                self._adopt(Document(before.info, values.model, values.rate, store, before.recorded, before.peaks))
                self._begin()

        self._files.submit(lambda: cache.store_for(path, values.model, values.rate), done, self._on_error)

    def show_recorded(self) -> None:
        """The same video with the masks that were recorded along with it."""
        document = self.document
        if document is not None and document.recorded is not None:
            self._run += 1
            self._adopt(Document.of_recording(document.info, document.recorded, document.peaks))
            self._begin()

    def _adopt(self, document: Document) -> None:
        self.document = document
        self._place = -1
        self._fetching.clear()
        self.client.forget()
        self.document_changed.emit()

    def _begin(self) -> None:
        """Shows what is known of the document and starts on the rest."""
        self._read_timeline()
        self._segment()
        self._on_position(self.player.position)

    def _segment(self) -> None:
        """Asks for what is missing; recorded masks are all there are."""
        document = self.document
        if document is not None and not document.shows_recorded:
            self._set_job(phase="loading", done=document.done, planned=document.count, message="")
            self.client.segment(document.path, document.model, document.rate, document.store, self.player.position)

    def _set_job(self, **changes: object) -> None:
        if self.document is not None:
            self.document.job = dataclasses.replace(self.document.job, **changes)
            self.job_changed.emit()

    def _on_setting(self, name: str) -> None:
        if name == "threshold":
            self._reread.start()
        elif name in ("model", "rate") and self.document is not None:
            self.segment_anew()
        elif name == "model":
            self.client.start(self.settings.values.model)

    def _read_timeline(self) -> None:
        """Shows what the store holds; also how a new threshold reaches the areas."""
        document, threshold = self.document, self.settings.values.threshold
        if document is not None:
            path = document.store
            self._files.submit(
                lambda: cache.stored_summaries(path, threshold), lambda stored: self._on_summaries(document, stored)
            )

    def _on_summaries(self, document: Document, stored: list[Summary]) -> None:
        if document is self.document and stored:
            document.take_summaries(stored)
            self._set_job(done=document.done)
            self.timeline_changed.emit()
            self._show_result()

    def _read_sound(self, reader: EnvelopeReader) -> None:
        document = self.document
        if document is None or not document.info.audio:
            return

        def on_peaks(answer: tuple[object, bool]) -> None:
            if self.document is not None and self.document.path == document.path:
                self.document.peaks, finished = answer
                self.timeline_changed.emit()
                if not finished:
                    self._sounds.submit(reader.advance, on_peaks)

        self._sounds.submit(reader.advance, on_peaks)

    def _on_position(self, time: float) -> None:
        document = self.document
        if document is None:
            return
        place = document.place_at(time)
        if place == self._place:
            return
        self._place = place
        if document.job.phase in ("loading", "running"):
            self.client.look_at(time)
        self._show_result()
        if self.player.playing:
            self._fetch(document, range(place + 1, place + 1 + _AHEAD))

    def _show_result(self) -> None:
        """Shows the window in view, now or as soon as it is read from the store."""
        if self.document is not None:
            self._fetch(self.document, [self._place])
        self.result_changed.emit()
        self._maps_timer.start()

    def _fetch(self, document: Document, places: Iterable[int]) -> None:
        """Reads what is known of `places` and not at hand."""
        known = [place for place in places if document.is_known(place) and document.result_at(place) is None]
        wanted = [index for index in map(document.index_of, known) if index not in self._fetching]
        if not wanted:
            return
        self._fetching.update(wanted)
        path = document.store
        self._files.submit(
            lambda: cache.stored_results(path, wanted), lambda results: self._on_fetched(document, wanted, results)
        )

    def _on_fetched(self, document: Document, wanted: list[int], results: list[WindowResult]) -> None:
        if document is not self.document:
            return
        self._fetching.difference_update(wanted)
        for result in results:
            document.results.put(result)
        if any(document.place_of(result.window.index) == self._place for result in results):
            self.result_changed.emit()

    def _ask_for_maps(self) -> None:
        """While playing, only when the model has nothing else to do."""
        document = self.document
        if document is None or document.shows_recorded or not self._maps_wanted:
            return
        if self.result is None or self.result.mixer_weights is None:
            return
        if not self.player.playing or document.job.phase == "done":
            self.client.want_maps(self._place)

    def _on_maps(self, maps: FeatureMaps) -> None:
        if maps.index == self._place:
            self.maps_changed.emit(maps)

    def _on_model_ready(self, ready: ModelReady) -> None:
        if ready.model == self.settings.values.model:
            self.device_changed.emit(ready)

    def _on_model_failed(self, failed: ModelFailed) -> None:
        if failed.model == self.settings.values.model:
            self.message.emit("error", failed.message)

    def _on_job_started(self, started: JobStarted) -> None:
        document = self.document
        if document is not None:
            document.keep_only(started.done)
            document.class_names = started.class_names
            self._set_job(phase="running", done=document.done, planned=document.count)
            if document.done < len(started.done):
                self._read_timeline()
            if started.notes and not self._noted:
                self._noted = True
                self.message.emit("info", " ".join(started.notes))
            self.timeline_changed.emit()
            self._show_result()
            grown, before = started.planned != document.count, self._grown
            self._grown = grown
            if grown and not before:  # one that never stops growing is shown as it was the second time
                self._look_again(document)

    def _on_windows_done(self, answer: WindowsDone) -> None:
        document = self.document
        if document is None:
            return
        for result in answer.results:
            document.add(result, self.settings.values.threshold)
        phase = document.job.phase if document.job.phase == "stopped" else "running"
        self._set_job(phase=phase, done=document.done, seconds_left=answer.seconds_left)
        self.timeline_changed.emit()
        if any(result.window.index == self._place for result in answer.results):
            self._show_result()

    def _on_job_ended(self, ended: JobEnded) -> None:
        self._set_job(phase=ended.outcome, seconds_left=None, message=ended.message)
        if ended.outcome == "failed" and ended.message:
            self.message.emit("error", ended.message)
        self._maps_timer.start()

    def _on_restarted(self, reason: str) -> None:
        text = self.tr("The segmentation process ended unexpectedly ({0}) and was restarted; it goes on where it was.")
        self.message.emit("warning", text.format(reason))

    def _on_gave_up(self, reason: str) -> None:
        if self.document is not None and not self.document.shows_recorded:
            self._set_job(phase="failed", seconds_left=None)
        text = self.tr("The segmentation process ended unexpectedly again and again ({0}); the memory may be short.")
        self.worker_lost.emit(text.format(reason))


def _timer(owner: QObject, milliseconds: int, slot: object) -> QTimer:
    """A timer that fires once, some time after its last start."""
    timer = QTimer(owner)
    timer.setSingleShot(True)
    timer.setInterval(milliseconds)
    timer.timeout.connect(slot)
    return timer
