"""From sound packets to float32 samples in one or two channels."""

from __future__ import annotations

import functools
import io
import math

import av
import numpy as np
from av.audio.codeccontext import AudioCodecContext
from av.audio.frame import AudioFrame
from av.audio.stream import AudioStream
from av.codec.context import Flags2
from av.packet import Packet

from avseg_core.media.resample import Samples


class SampleDecoder:
    """Decodes packet by packet, starting without a past; nothing is trimmed, that is the layout's business.

    Args:
        stream: the track whose packets will come; its own decoder is left alone.
        channels: 1 for the mean of all channels, 2 for stereo.
        rate: sample rate of the track; stretches at another rate are converted to it.
    """

    def __init__(self, stream: AudioStream, channels: int, rate: int) -> None:
        self._context = _new_decoder(stream)
        self._context.flags2 |= Flags2.skip_manual
        self._channels = channels
        self._rate = rate

    def frames(self, packet: Packet[AudioStream] | None) -> list[AudioFrame]:
        """The frames that come out for `packet` (None: for the end); none if it is damaged."""
        try:
            return self._context.decode(packet)
        except (av.FFmpegError, MemoryError):
            return []

    def __call__(self, packet: Packet[AudioStream] | None) -> Samples:
        """The samples that come out for `packet` (None: for the end), float32 [n, channels]."""
        parts = [self._mix(frame) for frame in self.frames(packet)]
        return np.concatenate(parts) if parts else np.zeros((0, self._channels), np.float32)

    def _mix(self, frame: AudioFrame) -> Samples:
        mixed = _to_float(frame)
        if self._channels == 1:
            mixed = mixed.mean(axis=1, keepdims=True, dtype=np.float32)
        elif mixed.shape[1] == 1:
            mixed = np.repeat(mixed, 2, axis=1)
        elif mixed.shape[1] > 2:
            mixed = mixed @ _stereo_matrix(tuple(channel.name for channel in frame.layout.channels))
        if frame.sample_rate != self._rate:
            from scipy import signal

            mixed = signal.resample_poly(mixed, self._rate, frame.sample_rate, axis=0).astype(np.float32)
        return mixed


@functools.cache
def _stereo_matrix(channels: tuple[str, ...]) -> Samples:
    """[C, 2] weights of the channels (FFmpeg's names) in left and right, scaled so that nothing can exceed full scale.

    The side's own front at 0 dB, its surrounds and the centre at -3 dB, no low-frequency channel (Rec. ITU-R BS.775).
    """
    minus_3db = math.sqrt(0.5)
    weights = np.array([[_side_weight(name, side, minus_3db) for side in "LR"] for name in channels], np.float32)
    return weights / max(float(weights.sum(axis=0).max()), 1.0)


def _side_weight(channel: str, side: str, shared: float) -> float:
    if channel.startswith("LFE"):
        return 0.0
    if channel == "F" + side:
        return 1.0
    return shared if channel.endswith(side) or channel[-1:] not in "LR" else 0.0


def _new_decoder(stream: AudioStream) -> AudioCodecContext:
    """A decoder set up like that of `stream` but without its state.

    Flushing is not enough: the noise generators of AAC and WMA run on across it. An output that is never written is the
    one place where PyAV copies all parameters of a stream, also those it does not show.
    """
    return av.open(io.BytesIO(), "w", format="null").add_stream_from_template(stream, opaque=True).codec_context


def _to_float(frame: AudioFrame) -> Samples:
    """float32 [n, C] in [-1, 1] from any sample format."""
    raw = frame.to_ndarray()
    samples = raw.T if frame.format.is_planar else raw.reshape(-1, frame.layout.nb_channels)
    if samples.dtype.kind == "f":
        return np.ascontiguousarray(samples, np.float32)
    half_range = 2.0 ** (8 * samples.dtype.itemsize - 1)
    offset = half_range if samples.dtype.kind == "u" else 0.0
    return ((samples - offset) / half_range).astype(np.float32)
