"""Presentation order found by decoding, for files whose time stamps cannot be trusted."""

from __future__ import annotations

import os

import av
import numpy as np
import numpy.typing as npt
from av.packet import Packet
from av.video.codeccontext import VideoCodecContext
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from avseg_core.media.container import only, open_input, packets

_ROW_BASE = 1 << 40
"""Added to the row a packet carries as its time stamp; what a decoder makes up itself is far smaller."""


def decode_row(
    decoder: VideoCodecContext, row: int, packet: Packet[VideoStream] | None
) -> list[tuple[int, VideoFrame]]:
    """Feeds a packet (None: the end) to `decoder` and gives the pictures that come out with the rows they stem from.

    The packet's time stamp is replaced by its row: decoders hand time stamps through to the picture they belong to, so
    this works with repeated, missing and wrong stamps. A packet that cannot be decoded gives no picture.
    """
    if packet is not None:
        packet.pts, packet.dts = _ROW_BASE + row, None
    try:
        frames = decoder.decode(packet)
    except (av.FFmpegError, MemoryError):
        return []
    return [(frame.pts - _ROW_BASE, frame) for frame in frames if frame.pts is not None and frame.pts >= _ROW_BASE]


def output_order(path: str | os.PathLike[str], stream_index: int, count: int) -> npt.NDArray[np.int64]:
    """[frames] the rows of a stream's pictures in the order in which the decoder gives them out."""
    order: list[int] = []
    with open_input(path) as container:
        stream = next(s for s in container.streams.video if s.index == stream_index)
        stream.thread_type = "AUTO"
        only(container, stream)
        for row, packet in enumerate(packets(container, [stream], [])):
            if row >= count:
                break
            order.extend(found for found, _ in decode_row(stream.codec_context, row, packet))
        order.extend(found for found, _ in decode_row(stream.codec_context, count, None))
    return np.array(order, np.int64)
