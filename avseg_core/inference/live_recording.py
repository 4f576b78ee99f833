"""A live recording: picture and sound in one file, the masks in a mask store beside it, all on one clock."""

from __future__ import annotations

import logging
import queue
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import count
from pathlib import Path

from avseg_core.errors import AVSegError, InputError
from avseg_core.inference.live_config import LiveConfig, LiveResult
from avseg_core.media.recorder import SUFFIX as VIDEO_SUFFIX
from avseg_core.media.recorder import Recorded, Recorder
from avseg_core.media.windows import Window
from avseg_core.results.identity import file_id
from avseg_core.results.result import RunHeader, WindowResult
from avseg_core.results.store import SUFFIX as STORE_SUFFIX
from avseg_core.results.store import MaskStore
from avseg_core.results.writing import make_folder

BATCH_SECONDS = 1.0
"""Masks are written in transactions of this length; a crash loses no more."""
WAITING_MASKS = 100
"""Masks that may wait for the disk; more are left out and counted."""
_Made = tuple[LiveResult, LiveConfig]
"""A mask and what was set when it was made: settings may change while it is recorded."""
log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class RecordOptions:
    """What is recorded."""

    folder: Path
    video: bool = True
    sound: bool = True
    masks: bool = True


@dataclass(frozen=True)
class RecordedRun:
    """What has been recorded, and where."""

    media: Recorded
    masks: Path | None
    mask_count: int
    dropped_masks: int


class LiveRecording:
    """One recording from start to stop; nothing that is offered to it ever waits."""

    def __init__(
        self, options: RecordOptions, on_end: Callable[[str], None] | None = None, *, av_offset: float = 0.0
    ) -> None:
        """Starts to record; masks join as soon as there is a model (`record_masks`).

        `av_offset` is the recorder's, in seconds, and may be changed there.

        Raises:
            InputError: nothing is chosen, masks without their picture are, or the folder cannot be written.
            AVSegError: the disk is full.
        """
        if not options.video and (options.masks or not options.sound):
            raise InputError("Choose the picture, the sound or both to record; masks need the picture.")
        make_folder(options.folder)
        self.path = free_path(options.folder, VIDEO_SUFFIX)
        self.recorder = Recorder(
            self.path, video=options.video, sound=options.sound, av_offset=av_offset, on_end=on_end
        )
        self.masks: _MaskWriter | None = None
        self._wants_masks = options.masks
        self._on_trouble = on_end or (lambda message: None)

    def record_masks(self, config: LiveConfig, name: str, model_hash: str, class_names: tuple[str, ...]) -> None:
        """Records the masks that come from now on, if any are wanted; they are those of the named model."""
        if self._wants_masks and self.masks is None:
            self.masks = _MaskWriter(self, config, name, model_hash, class_names, self._on_trouble)

    def stop(self) -> RecordedRun:
        """Finishes both files; from then on the masks belong to the video for good.

        What fails (a full disk, one that was pulled out) is the `problem` of the answer.
        """
        media = self.recorder.stop()
        if self.masks is None:
            return RecordedRun(media, None, 0, 0)
        masks, problem = self.masks.stop(), self.masks.problem
        if masks is not None and media.path is not None and media.seconds:
            try:
                with MaskStore(masks, "a") as store:
                    fps = Fraction(max(media.frames, 1) / media.seconds).limit_denominator(1000)
                    store.complete_header(video_id=file_id(media.path), duration=media.seconds, fps=fps)
            except AVSegError as error:
                problem = problem or str(error)
        media = replace(media, problem=media.problem or problem)
        return RecordedRun(media, masks, self.masks.count, self.masks.dropped)

    def offer_result(self, result: LiveResult, config: LiveConfig) -> None:
        """Records a mask that was made under `config`, as long as there is a picture for it."""
        if self.masks is not None and not self.recorder.problem and not self.recorder.pictures_ended:
            self.masks.offer(result, config)


def masks_of(video: Path) -> Path | None:
    """The mask store that was recorded along with `video`; None if there is none or the video is another one.

    After a crash the store does not know its video's end yet: that is made good here.

    Raises:
        InputError: there is a store, but it is damaged or cannot be read.
    """
    path = video.with_suffix(STORE_SUFFIX)
    if not path.is_file():
        return None
    with MaskStore(path) as store:
        header, last = store.header, store.nearest(float("inf"))
        if "live" not in header.settings or last is None:
            return None
        unfinished = not header.video_id and Path(header.video).name == video.name
        end = store.get(last) if unfinished else None
    if end is not None:
        with MaskStore(path, "a") as store:
            store.complete_header(video_id=file_id(video), duration=end.frame_time, fps=header.fps)
        return path
    return path if header.video_id == file_id(video) else None


class _MaskWriter:
    """Appends results to a mask store in a thread of its own."""

    def __init__(
        self,
        recording: LiveRecording,
        config: LiveConfig,
        name: str,
        model_hash: str,
        class_names: tuple[str, ...],
        on_trouble: Callable[[str], None],
    ) -> None:
        self.count = self.dropped = 0
        self.problem = ""
        self._on_trouble = on_trouble
        self._recording, self._config = recording, config
        self._model = (name, model_hash, class_names)
        self._queue: queue.Queue[_Made | None] = queue.Queue(WAITING_MASKS)
        self._store: MaskStore | None = None
        self._path = recording.path.with_suffix(STORE_SUFFIX)
        self._thread = threading.Thread(target=self._run, name="mask writer", daemon=True)
        self._thread.start()

    def offer(self, result: LiveResult, config: LiveConfig) -> None:
        try:
            self._queue.put_nowait((result, config))
        except queue.Full:
            self.dropped += 1

    def stop(self) -> Path | None:
        """Writes what still waits; the path of the store, or None if there were no masks or it has gone."""
        self._queue.put(None)
        self._thread.join()
        return self._path if self.count and self._path.is_file() else None

    def _run(self) -> None:
        going = True
        try:
            while going:
                going, batch = self._batch()
                self._write(batch)
        except Exception as error:  # whatever it is, `stop` must come to an end
            self.problem = f"Masks are no longer recorded: {error}"
            log.info("%s", self.problem)
            self._on_trouble(self.problem)
            while going and self._queue.get() is not None:  # what still comes is lost, the picture goes on
                self.dropped += 1
        finally:
            if self._store is not None:
                self._store.close()

    def _batch(self) -> tuple[bool, list[_Made]]:
        """Results of about a second, and whether there will be more."""
        batch: list[_Made] = []
        until = time.monotonic() + BATCH_SECONDS
        while (left := until - time.monotonic()) > 0:
            try:
                made = self._queue.get(timeout=left)
            except queue.Empty:
                continue
            if made is None:
                return False, batch
            batch.append(made)
        return True, batch

    def _write(self, batch: list[_Made]) -> None:
        origin = self._recording.recorder.origin
        if origin is None:
            return
        kept = [(result, config) for result, config in batch if result.frame_time >= origin]
        if kept:
            self._store = self._store or MaskStore.create(self._path, self._header())
            self._store.add(*(_row(self.count + k, *made, origin) for k, made in enumerate(kept)))
            self.count += len(kept)

    def _header(self) -> RunHeader:
        name, model_hash, class_names = self._model
        width, height = self._recording.recorder.size
        return RunHeader(
            video=str(self._recording.path.resolve()),
            video_id="",
            duration=0.0,
            width=width,
            height=height,
            fps=Fraction(30),
            model=name,
            model_hash=model_hash,
            settings={"live": self._config.window, "av_offset": self._config.av_offset},
            planned=0,
            class_names=class_names,
            notes=("Recorded live.",),
        )


def _row(index: int, result: LiveResult, config: LiveConfig, origin: float) -> WindowResult:
    """On the file's clock; a mask that only heard anew belongs to the moment that it heard."""
    late = origin + config.av_offset
    start, stop = result.sound_start - late, result.sound_stop - late
    reach = (stop - start) / 2 if config.window == "centred" else 0.0
    moment = stop - reach if result.reused else result.frame_time - origin
    return WindowResult(
        window=Window(index, start, stop, moment),
        frame_time=moment,
        probability=result.probability,
        labels=result.labels,
        mixer_weights=result.mixer_weights,
        tags=result.tags,
        loudness=result.loudness,
    )


def free_path(folder: Path, suffix: str) -> Path:
    """A name by date and time that is not taken."""
    stem = time.strftime("live_%Y-%m-%d_%H-%M-%S")
    names = (stem if number == 1 else f"{stem}_{number}" for number in count(1))
    return next(path for name in names if not (path := folder / (name + suffix)).exists())
