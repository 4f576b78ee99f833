"""Which packets a decoder can start from so that all that follows comes out as if it had started at the beginning."""

from __future__ import annotations

from collections.abc import Iterator

from av.packet import Packet
from av.stream import Stream

CODECS_WITH_HIDDEN_PICTURES = frozenset({"vp8"})
_NAL_SLICE, _NAL_IDR, _NAL_SEI = 1, 5, 6
_SEI_RECOVERY_POINT = 6
_INTRA_SLICES = frozenset({2, 4, 7, 9})
"""slice_type values I and SI (Rec. ITU-T H.264, table 7-6)."""


def is_entry_point(data: Packet[Stream] | bytes, codec: str, extradata: bytes, *, first: bool) -> bool:
    """Whether a packet marked as a key frame really needs nothing before it.

    An animated PNG marks frames that build on earlier ones; H.264 with periodic intra refresh marks frames from which a
    clean picture only builds up over the next second. `data` is the packet, its beginning is enough.
    """
    if first:
        return True
    if codec == "apng":
        return False
    if codec == "h264":
        return _is_clean_h264(bytes(data), extradata)
    return True


def hidden_picture(packet: Packet[Stream], codec: str) -> bool:
    """VP8 alternate reference frames have packets and time stamps of their own but are never shown (RFC 6386, 9.1)."""
    return codec in CODECS_WITH_HIDDEN_PICTURES and not memoryview(packet)[0] >> 4 & 1


def _is_clean_h264(data: bytes, extradata: bytes) -> bool:
    for unit in _nal_units(data, extradata):
        kind = unit[0] & 0x1F
        if kind == _NAL_IDR:
            return True
        if kind == _NAL_SEI and _recovers_later(unit[1:]):
            return False
        if kind == _NAL_SLICE:
            return _slice_type(unit[1:9]) in _INTRA_SLICES
    return True


def _nal_units(data: bytes, extradata: bytes) -> Iterator[bytes]:
    """The NAL units of an H.264 access unit, length-prefixed (MP4, MKV) or with start codes (TS, raw)."""
    if extradata[:1] == b"\x01" and len(extradata) > 4:
        width = (extradata[4] & 3) + 1
        at = 0
        while at + width < len(data):
            size = int.from_bytes(data[at : at + width])
            yield data[at + width : at + width + min(size, 256)] or b"\0"
            at += width + size
        return
    at = data.find(b"\0\0\1")
    while 0 <= at < len(data) - 3:
        yield data[at + 3 : at + 259]
        at = data.find(b"\0\0\1", at + 3)


def _recovers_later(sei: bytes) -> bool:
    """Whether an SEI unit holds a recovery point with recovery_frame_cnt > 0 (annex D.1.8)."""
    at = 0
    while at + 2 < len(sei):
        kind = size = 0
        while at < len(sei) - 1 and sei[at] == 0xFF:
            kind, at = kind + 255, at + 1
        kind, at = kind + sei[at], at + 1
        while at < len(sei) - 1 and sei[at] == 0xFF:
            size, at = size + 255, at + 1
        size, at = size + sei[at], at + 1
        if kind == _SEI_RECOVERY_POINT and at < len(sei):
            return not sei[at] & 0x80  # ue(v): a leading 1 is the value 0
        at += size
    return False


def _slice_type(header: bytes) -> int:
    """slice_type from the first bytes of a slice header: the second ue(v) in it."""
    bits = int.from_bytes(header)
    left = 8 * len(header)
    value = 0
    for _ in range(2):
        zeros = left - bits.bit_length()
        left -= 2 * zeros + 1
        if left < 0:
            return -1
        value = (bits >> left) - 1
        bits &= (1 << left) - 1
    return value
