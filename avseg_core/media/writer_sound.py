"""The sound of one file, on its way into another: copied where MP4 holds the codec, else encoded to AAC."""

from __future__ import annotations

import os
from fractions import Fraction
from typing import Protocol

import numpy as np
from av.audio.frame import AudioFrame
from av.audio.stream import AudioStream
from av.container import OutputContainer
from av.packet import Packet

from avseg_core.media.audio import AudioReader
from avseg_core.media.index import SoundRows, media_index
from avseg_core.media.rows import RowCursor
from avseg_core.media.sound_layout import SoundLayout, sound_layout

_COPYABLE = frozenset({"aac", "ac3", "alac", "eac3", "flac", "mp3", "opus"})
_AAC_RATES = frozenset({8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000, 64000, 88200, 96000})
_AAC_BITS_PER_CHANNEL = 96_000
_RUN_IN_SECONDS = 0.25
"""Packets kept before t = 0 for the decoder's sake."""
_CHUNK_SECONDS = 1.0


class SoundFeed(Protocol):
    """A sound track that is put into a file bit by bit, in step with the pictures."""

    rate: int

    def attach(self, container: OutputContainer) -> None:
        """Adds the track to `container`."""

    def feed(self, container: OutputContainer, until: float) -> None:
        """Writes the sound up to `until` seconds; infinity writes all that is left."""

    def close(self) -> None:
        """Lets go of the source."""


def sound_feed(path: str | os.PathLike[str], track: int | None) -> SoundFeed | None:
    """The sound of `path`, or None if it has none.

    Raises:
        InputError: `path` cannot be read.
    """
    index = media_index(path)
    if not index.sounds:
        return None
    sound = index.sounds[track or 0]
    layout = sound_layout(os.fspath(path), sound, index.start)
    return CopiedSound(path, sound, layout) if sound.codec in _COPYABLE else EncodedSound(path, track, layout)


class CopiedSound:
    """The packets of the source, untouched, at their exact sample positions."""

    def __init__(self, path: str | os.PathLike[str], sound: SoundRows, layout: SoundLayout) -> None:
        self.rate = layout.rate
        self._layout = layout
        self._cursor = RowCursor(path, AudioStream, sound.stream_index, sound.rows)
        end = layout.position + layout.kept
        run_in = (layout.position < 0) & (end > -_RUN_IN_SECONDS * layout.rate)
        self._wanted = (layout.kept > 0) & np.where(sound.rows.discard, run_in, end > -_RUN_IN_SECONDS * layout.rate)

    def attach(self, container: OutputContainer) -> None:
        self._stream = container.add_stream_from_template(self._cursor.stream, opaque=True)
        self._stream.time_base = Fraction(1, self.rate)
        self._ahead: tuple[int, Packet[AudioStream]] | None = self._cursor.read()

    def feed(self, container: OutputContainer, until: float) -> None:
        while self._ahead is not None and self._layout.position[self._ahead[0]] < until * self.rate:
            row, packet = self._ahead
            if self._wanted[row]:
                packet.pts = packet.dts = int(self._layout.position[row])
                packet.duration = int(self._layout.kept[row])
                packet.time_base = Fraction(1, self.rate)
                packet.stream = self._stream
                container.mux(packet)
            self._ahead = self._cursor.read()

    def close(self) -> None:
        self._cursor.close()


class EncodedSound:
    """The decoded sound, mono or stereo, as AAC."""

    def __init__(self, path: str | os.PathLike[str], track: int | None, layout: SoundLayout) -> None:
        info = media_index(path).info
        channels = min(info.audio[track or 0].channels, 2)
        self.rate = layout.rate if layout.rate in _AAC_RATES else 48000
        self._channels = channels
        self._reader = AudioReader(path, self.rate, channels, track)
        self._count = max(0, -int(-(layout.position[-1] + layout.kept[-1]) * self.rate // layout.rate))
        self._done = 0

    def attach(self, container: OutputContainer) -> None:
        layout = "mono" if self._channels == 1 else "stereo"
        bits = _AAC_BITS_PER_CHANNEL * self._channels
        self._stream = container.add_stream("aac", rate=self.rate, layout=layout, bit_rate=bits)

    def feed(self, container: OutputContainer, until: float) -> None:
        if self._done >= self._count:
            return
        while self._done < min(self._count, until * self.rate):
            count = min(round(_CHUNK_SECONDS * self.rate), self._count - self._done)
            for packet in self._stream.encode(self._frame(self._done, count)):
                container.mux(packet)
            self._done += count
        if self._done >= self._count:
            container.mux(self._stream.encode(None))

    def close(self) -> None:
        self._reader.close()

    def _frame(self, first: int, count: int) -> AudioFrame:
        samples = self._reader.read_samples(first, count).reshape(count, self._channels)
        frame = AudioFrame.from_ndarray(
            np.ascontiguousarray(samples.T), format="fltp", layout="mono" if self._channels == 1 else "stereo"
        )
        frame.sample_rate, frame.pts, frame.time_base = self.rate, first, Fraction(1, self.rate)
        return frame
