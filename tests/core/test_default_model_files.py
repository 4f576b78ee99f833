"""What the default model is made from is read as it is in the packages: a TensorFlow.js model, a game's sound set."""

from __future__ import annotations

import json
import struct
import sys
import wave
from pathlib import Path

import numpy as np
import pytest

BUILD = Path(__file__).parents[2] / "packaging" / "default_model"


def test_convolutions_and_biases_are_read_in_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "path", [str(BUILD), *sys.path])
    from tfjs_weights import read_convolutions

    kernels = [np.arange(2 * 3 * 3 * 4, dtype=np.float16).reshape(2, 3, 3, 4) + step for step in range(2)]
    biases = [np.array([1.5, -2.0, 0.25, step], np.float32) for step in range(2)]
    arrays = {"k1": kernels[1], "shape": np.array([7, 8], np.int32), "b1": biases[1], "k0": kernels[0], "b0": biases[0]}
    data = b"".join(array.tobytes() for array in arrays.values())
    (tmp_path / "part1").write_bytes(data[:50])
    (tmp_path / "part2").write_bytes(data[50:])
    weights: list[dict[str, object]] = []
    for name, array in arrays.items():
        half = array.dtype == np.float16
        kind = "float32" if half else array.dtype.name
        weights.append({"name": name, "shape": list(array.shape), "dtype": kind})
        if half:
            weights[-1]["quantization"] = {"dtype": "float16"}
    nodes = [
        {"op": "Conv2D", "name": "net/convolution_1", "input": ["x", "k1"]},
        {"op": "Add", "name": "add_1", "input": ["net/convolution_1", "b1"]},
        {"op": "Conv2D", "name": "net/convolution", "input": ["y", "k0"]},
        {"op": "Add", "name": "add", "input": ["net/convolution", "b0"]},
    ]
    manifest = [{"paths": ["part1", "part2"], "weights": weights}]
    (tmp_path / "net.json").write_text(json.dumps({"modelTopology": {"node": nodes}, "weightsManifest": manifest}))
    read = read_convolutions(tmp_path / "net.json")
    assert len(read) == 2
    for (kernel, bias), wanted, added in zip(read, kernels, biases, strict=True):
        np.testing.assert_array_equal(kernel.numpy(), wanted.astype(np.float32).transpose(3, 2, 0, 1))
        np.testing.assert_array_equal(bias.numpy(), added)


def _recording(path: Path, samples: list[int]) -> bytes:
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(11025)
        file.writeframes(struct.pack(f"<{len(samples)}h", *samples))
    return path.read_bytes()


def test_the_recordings_of_a_sound_set_come_out_whole_and_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "path", [str(BUILD), *sys.path])
    from fetch import unpack_cat

    said = ['"Horse". By nobody. License: none.\0', '"Ship, horn (far)". Original "RIFF.wav"\0']
    recordings = [_recording(tmp_path / "source.wav", samples) for samples in ([1, -2, 3], [500] * 7)]
    body, table, start = b"", b"", 16
    for text, recording in zip(said, recordings, strict=True):
        entry = bytes([len(text)]) + text.encode("latin-1") + recording
        table += struct.pack("<II", (start + len(body)) | 0x80000000, len(recording))
        body += entry
    archive = tmp_path / "set.cat"
    archive.write_bytes(table + body)
    unpack_cat(archive)
    for name, recording in zip(("00-Horse", "01-Ship-horn-far"), recordings, strict=True):
        assert (tmp_path / f"{name}.wav").read_bytes() == recording
