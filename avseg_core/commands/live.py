"""`live`: camera and microphone in, what sounds out, without a window; for kiosks, recordings and tests."""

from __future__ import annotations

import argparse
import json
import math
import queue
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from avseg_core.commands.options import number, positive
from avseg_core.commands.terminal import stoppable
from avseg_core.errors import AVSegError, Cancelled, InputError
from avseg_core.inference.live_config import MOST_OFFSET, LiveConfig, LiveResult
from avseg_core.media.capture import CameraOptions, DeviceInfo, DeviceState, DeviceStatus
from avseg_core.media.capture_sources import (
    camera,
    default_sound,
    list_sounds,
    list_sources,
    microphone,
)
from avseg_core.media.capture_stream import PlayClock
from avseg_core.media.container import open_input, video_stream

if TYPE_CHECKING:
    from avseg_core.inference.live import LiveSession
    from avseg_core.inference.live_recording import RecordedRun

_PARTS = ("picture", "sound", "masks")
COUNT_SECONDS = 5.0
"""How often the counters are told."""
Event = dict[str, Any]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `live`."""
    config, picture = LiveConfig(), CameraOptions()
    parser.add_argument("--list", action="store_true", help="list the cameras and microphones and end")
    parser.add_argument(
        "--source", default="0", help="camera (number or name), file, address, screen[:X,Y,WxH] or test (default: 0)"
    )
    parser.add_argument(
        "--mic", help="microphone (name), file, address, source (the sound of --source), default, test or none"
    )
    parser.add_argument("--loop", action="store_true", help="play a file again and again")
    parser.add_argument("--size", type=_size, default=(picture.width, picture.height), metavar="WxH", help="640x480")
    parser.add_argument("--fps", type=positive, default=picture.fps, help="pictures per second (default: %(default)g)")
    parser.add_argument("--mirror", action="store_true", help="exchange left and right, in the recording too")
    parser.add_argument("--model", default=config.model, help="name or file of the model (default: %(default)s)")
    parser.add_argument("--device", default=config.device, choices=("auto", "cpu", "cuda", "mps"))
    parser.add_argument("--window", default=config.window, choices=("ending", "centred"), help="where the sound lies")
    parser.add_argument(
        "--av-offset", type=_offset, default=0.0, metavar="S", help="seconds by which the sound comes after the picture"
    )
    parser.add_argument("--smoothing", type=number, default=config.smoothing, metavar="S", help="0 for none")
    parser.add_argument("--record", type=Path, metavar="DIR", help="record into this folder")
    parser.add_argument(
        "--parts", nargs="+", choices=_PARTS, default=_PARTS, help="what is recorded (default: all; masks need picture)"
    )
    parser.add_argument(
        "--virtual-camera", action="store_true", help="show the picture with its masks to other programs as a camera"
    )
    parser.add_argument("--seconds", type=positive, default=math.inf, help="end after so long (default: until Ctrl-C)")


def run(args: argparse.Namespace) -> int:
    """Runs until the time is over, a file has ended or the user stops it.

    Raises:
        InputError: an option fits no device, file or model.
        AVSegError: no picture ever came, the recording could not be started or has failed, or the model has stopped.
        Cancelled: the user stopped it; recordings are finished properly.
    """
    if args.list:
        _print_devices(as_json=args.json)
        return 0
    _check_file(args.source)
    command = _Command(args)
    with stoppable() as stopped:
        ended_by_user = command.run(stopped)
    if ended_by_user:
        raise Cancelled("Stopped on request; recordings are complete.")
    return 0


def _check_file(source: str) -> None:
    """A device may come back, but a file that is no video would be tried again for ever."""
    if source in ("test", "screen") or source.isdigit() or not Path(source).is_file():
        return
    with open_input(source) as container:
        if video_stream(container) is None:
            raise InputError(f"{source}: has no picture; give a video file (--mic takes one with sound only).")


class _Command:
    """One run of the command: what the session's threads report is printed by the main thread alone."""

    def __init__(self, args: argparse.Namespace) -> None:
        self.args = args
        self.started = time.monotonic()
        self.events: queue.SimpleQueue[Event] = queue.SimpleQueue()
        self.trouble: dict[str, str] = {}
        self.picture = CameraOptions(width=args.size[0], height=args.size[1], fps=args.fps)
        self.session = self._make_session()

    def run(self, stopped: Callable[[], bool]) -> bool:
        """Runs to the end; True if the user ended it."""
        self.session.start()
        recorded: RecordedRun | None = None
        try:
            self._load_model()
            if self.args.record is not None:
                self._start_recording()
            if self.args.virtual_camera:
                self._show_to_others()
            self.started = time.monotonic()
            self._report_until_end(stopped)
        finally:
            recorded = self.session.stop()
            self._drain()
        self._finish(recorded)
        return stopped()

    def _make_session(self) -> LiveSession:
        from avseg_core.inference.live import LiveSession, SessionListener

        args, play = self.args, PlayClock()
        sound = args.mic or default_sound(args.source)
        config = LiveConfig(
            model=args.model,
            device=args.device,
            window=args.window,
            av_offset=args.av_offset,
            smoothing=args.smoothing,
            mirror=args.mirror,
        )
        listener = SessionListener(
            on_status=self._on_status,
            on_result=lambda result: self.events.put(self._describe(result)),
            on_trouble=lambda message: self.events.put({"event": "trouble", "message": message}),
        )
        return LiveSession(
            camera(args.source, self.picture, play, loop=args.loop),
            microphone(sound, args.source, play, loop=args.loop),
            config,
            listener,
        )

    def _load_model(self) -> None:
        from avseg_core.inference.live_model import LiveModel

        model = LiveModel.load(self.session.config)
        self.session.segment_with(model)
        self._print({"event": "start", "model": model.name, "device": model.device_reason})

    def _start_recording(self) -> None:
        from avseg_core.inference.live_recording import RecordOptions

        parts = self.args.parts
        options = RecordOptions(
            folder=self.args.record, video="picture" in parts, sound="sound" in parts, masks="masks" in parts
        )
        self._print({"event": "recording", "path": str(self.session.record(options).path)})

    def _show_to_others(self) -> None:
        from avseg_core.results.look import OverlayStyle

        virtual = self.session.show_to_others(OverlayStyle(threshold=self.session.config.threshold), self.picture)
        self._print({"event": "virtual camera", "device": virtual.device})

    def _report_until_end(self, stopped: Callable[[], bool]) -> None:
        end, count_at = self.started + self.args.seconds, self.started + COUNT_SECONDS
        while not stopped() and time.monotonic() < end:
            if self.session.camera.status.state is DeviceState.ENDED:
                return
            with suppress(queue.Empty):
                self._print(self.events.get(timeout=0.1))
            if time.monotonic() >= count_at:
                count_at += COUNT_SECONDS
                self._print({"event": "counters", **self._counters()})

    def _drain(self) -> None:
        while not self.events.empty():
            self._print(self.events.get())

    def _finish(self, recorded: RecordedRun | None) -> None:
        """The summary, and the failure if there was one."""
        if recorded is not None:
            self._print(_describe_recording(recorded))
        latency = self.session.latency
        seconds = time.monotonic() - self.started
        results = self.session.counters.results
        summary = {
            "event": "summary",
            "seconds": round(seconds, 2),
            "updates_per_second": round(results / seconds, 2),
            "latency_ms": {f"p{share}": _ms(latency.percentile(share)) for share in (50, 95, 99)},
            "drift_ppm": round(self.session.microphone.time.drift_ppm, 1),
            **self._counters(),
        }
        self._print(summary)
        failure = self._failure(recorded)
        if failure:
            raise AVSegError(failure)

    def _failure(self, recorded: RecordedRun | None) -> str:
        """What was asked for and has not been done; empty if all has."""
        if not self.session.camera.frames:
            return self.trouble.get("camera") or "No picture has come; choose another --source."
        if recorded is not None and recorded.media.problem:
            return recorded.media.problem
        if recorded is not None and recorded.media.path is None:
            return "Nothing came that could be recorded; choose another --source or --mic."
        problem = self.session.model_problem
        return f"{problem}; no masks have come since." if problem else ""

    def _counters(self) -> Event:
        counters = vars(self.session.counters)
        return {**counters, "fps": self.session.camera.fps, "level_dbfs": round(self.session.microphone.level.rms, 1)}

    def _on_status(self, status: DeviceStatus) -> None:
        if status.state is DeviceState.LOST:
            self.trouble[status.kind] = status.message
        event: Event = {"event": "state", "kind": status.kind, "name": status.name, "state": str(status.state)}
        if status.message:
            event["message"] = status.message
        if status.warnings:
            event["warnings"] = status.warnings
        self.events.put({**event, "time": self._since(time.monotonic())})

    def _describe(self, result: LiveResult) -> Event:
        sounding = result.probability > 255 * self.session.config.threshold
        rows, columns = np.nonzero(sounding)
        height, width = sounding.shape
        centre = (
            [round((columns.mean() + 0.5) / width, 3), round((rows.mean() + 0.5) / height, 3)] if len(rows) else None
        )
        return {
            "event": "result",
            "index": result.index,
            "time": self._since(result.done),
            "frame_time": self._since(result.frame_time),
            "sound": [self._since(result.sound_start), self._since(result.sound_stop)],
            "area": round(float(sounding.mean()), 4),
            "centre": centre,
            "tags": [[name, round(score, 3)] for name, score in result.tags],
            "loudness_dbfs": round(result.loudness, 1),
            "reused": result.reused,
            "latency_ms": {part: _ms(value) for part, value in vars(result.latency).items()},
        }

    def _since(self, moment: float) -> float:
        return round(moment - self.started, 3)

    def _print(self, event: Event) -> None:
        text = json.dumps(event) if self.args.json else _plain(event)
        if text:
            print(text, flush=True)


def _describe_recording(recorded: RecordedRun) -> Event:
    media = recorded.media
    return {
        "event": "recorded",
        "path": str(media.path) if media.path else None,
        "masks": str(recorded.masks) if recorded.masks else None,
        "seconds": round(media.seconds, 2),
        "frames": media.frames,
        "mask_count": recorded.mask_count,
        "dropped": {"frames": media.dropped_frames, "sound": media.dropped_blocks, "masks": recorded.dropped_masks},
        "problem": media.problem,
    }


def _plain(event: Event) -> str:
    """The line for a person; empty for what only programs want."""
    kind = event["event"]
    if kind == "state":
        return f"{event['kind']} {event['state']}: {event.get('message') or event['name']}"
    if kind == "result":
        what = ", ".join(f"{name} {score:.0%}" for name, score in event["tags"][:2]) or f"{event['loudness_dbfs']} dBFS"
        return f"{event['time']:8.2f} s  {event['area']:6.1%} of the picture sounds  {what}"
    if kind == "summary":
        latency = event["latency_ms"]
        return (
            f"{event['results']} masks in {event['seconds']} s ({event['updates_per_second']} per second); latency "
            f"{latency['p50']} ms (half), {latency['p95']} ms (95 %); {event['overflows']} overflows."
        )
    if kind == "recorded":
        return f"Recorded {event['seconds']} s: {event['path']}" if event["path"] else "Nothing was recorded."
    if kind == "virtual camera":
        return f"Other programs see the picture as the camera {event['device']}"
    if kind == "start":
        return f"Model {event['model']}; {event['device']}"
    return str(event.get("message", ""))


def _print_devices(*, as_json: bool) -> None:
    cameras, microphones = list_sources(), list_sounds()
    if as_json:
        print(
            json.dumps({"cameras": [vars(d) for d in cameras], "microphones": [vars(d) for d in microphones]}, indent=2)
        )
        return
    for title, option, devices in (("Cameras", "--source", cameras), ("Microphones", "--mic", microphones)):
        print(f"{title}:")
        for device in devices:
            print(f"  {option} {_quoted(device)}  {device.name}{_marks(device)}")


def _quoted(device: DeviceInfo) -> str:
    return f'"{device.spec}"' if " " in device.spec else device.spec


def _marks(device: DeviceInfo) -> str:
    marks = [text for text, is_so in (("default", device.is_default), ("loopback", device.is_loopback)) if is_so]
    return f" ({', '.join(marks)})" if marks else ""


def _ms(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds * 1000, 1)


def _offset(text: str) -> float:
    value = number(text)
    if abs(value) > MOST_OFFSET:
        raise argparse.ArgumentTypeError(f"{text!r} is not between {-MOST_OFFSET:g} and {MOST_OFFSET:g}")
    return value


def _size(text: str) -> tuple[int, int]:
    parts = text.lower().split("x")
    if len(parts) != 2 or not all(part.isdigit() and 16 <= int(part) <= 8192 for part in parts):
        raise argparse.ArgumentTypeError(f"{text!r} is not a size like 640x480")
    return int(parts[0]), int(parts[1])
