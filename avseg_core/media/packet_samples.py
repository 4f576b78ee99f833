"""How many samples a sound packet holds, told from its bytes."""

from __future__ import annotations

import re
from collections.abc import Callable

import av
from av.audio.codeccontext import AudioCodecContext
from av.audio.stream import AudioStream
from av.packet import Packet
from av.stream import Stream

_OPUS_SILK_HYBRID = (10, 20, 40, 60, 10, 20, 40, 60, 10, 20, 40, 60, 10, 20, 10, 20)
"""Milliseconds per frame of Opus configurations 0-15 (RFC 6716, table 2)."""
_OPUS_CELT = (2.5, 5, 10, 20)


def sample_counter(stream: AudioStream) -> Callable[[Packet[Stream]], int]:
    """A function from packet to the number of samples in it; it gives 0 where the bytes of this codec do not tell."""
    context = stream.codec_context
    codec = context.codec.canonical_name
    if codec == "opus":
        return _opus_samples
    if codec == "vorbis":
        return _parsed_samples(context)
    if width := pcm_bytes(stream):
        return lambda packet: packet.size // width
    return lambda packet: 0


def pcm_bytes(stream: Stream) -> int:
    """Bytes that one sample of all channels takes in uncompressed sound, 0 in anything else."""
    if not isinstance(stream, AudioStream):
        return 0
    codec, channels = stream.codec_context.codec.canonical_name, stream.codec_context.channels
    if codec in ("pcm_alaw", "pcm_mulaw"):
        return channels
    found = re.fullmatch(r"pcm_[suf](8|16|24|32|64)(?:le|be)?(?:_planar)?", codec)
    return int(found[1]) // 8 * channels if found else 0


def _opus_samples(packet: Packet[Stream]) -> int:
    """Samples at 48 kHz from the table-of-contents byte (RFC 6716, 3.1)."""
    head = memoryview(packet)[:2]
    config, code = head[0] >> 3, head[0] & 3
    milliseconds = _OPUS_SILK_HYBRID[config] if config < 16 else _OPUS_CELT[config & 3]
    frames = 1 if code == 0 else 2 if code < 3 else head[1] & 63 if len(head) > 1 else 0
    return int(48 * milliseconds) * frames


def _parsed_samples(context: AudioCodecContext) -> Callable[[Packet[Stream]], int]:
    """Vorbis packets change length; FFmpeg's parser reads it from the stream's set-up header."""
    parser = av.CodecContext.create(context.codec.name, "r")
    parser.extradata = context.extradata

    def count(packet: Packet[Stream]) -> int:
        return sum(part.duration or 0 for part in parser.parse(bytes(packet)))

    return count
