"""Masks of photographs by U2-Net, a salient-object network that is used here and not shipped."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

_SIZE = 320
_MEAN, _STD = np.array([0.485, 0.456, 0.406]), np.array([0.229, 0.224, 0.225])
LONGEST_SIDE = 640


def read_picture(path: Path, flags: int = cv2.IMREAD_COLOR) -> NDArray[np.uint8]:
    """uint8 RGB [H,W,3] (or RGBA with IMREAD_UNCHANGED where the file has alpha), at most 640 pixels long."""
    picture = cv2.imread(str(path), flags)
    if picture is None:
        raise ValueError(f"{path}: not a picture")
    if picture.dtype != np.uint8:
        picture = (picture // 257).astype(np.uint8)
    if picture.ndim == 2:
        picture = cv2.cvtColor(picture, cv2.COLOR_GRAY2BGR)
    scale = LONGEST_SIDE / max(picture.shape[:2])
    if scale < 1.0:
        picture = cv2.resize(picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    order = [2, 1, 0, 3] if picture.shape[2] == 4 else [2, 1, 0]
    return np.ascontiguousarray(picture[..., order])


class Saliency:
    """U2-Net from its ONNX file."""

    def __init__(self, model: Path, threads: int = 2) -> None:
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        self.session = onnxruntime.InferenceSession(str(model), options, providers=["CPUExecutionProvider"])

    def __call__(self, image: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """RGB [H,W,3] -> saliency [H,W], 255 for the salient thing."""
        small = cv2.resize(image, (_SIZE, _SIZE), interpolation=cv2.INTER_AREA).astype(np.float32)
        blob = ((small / max(float(small.max()), 1.0) - _MEAN) / _STD).transpose(2, 0, 1)[None].astype(np.float32)
        output = self.session.run(None, {self.session.get_inputs()[0].name: blob})[0][0, 0]
        output = (output - output.min()) / max(float(output.max() - output.min()), 1e-6)
        wide = cv2.resize(output, (image.shape[1], image.shape[0]), interpolation=cv2.INTER_LINEAR)
        return np.asarray(np.clip(255 * wide, 0, 255), np.uint8)


def mask_path(picture: Path, folder: Path) -> Path:
    return folder / f"{picture.parent.name}-{picture.stem}.png"


def cut_out(pictures: Iterable[Path], model: Path, folder: Path) -> None:
    """Writes the saliency of every picture that has none yet to `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    missing = [picture for picture in pictures if not mask_path(picture, folder).exists()]
    if not missing:
        return
    network = Saliency(model)
    for picture in missing:
        cv2.imwrite(str(mask_path(picture, folder)), network(read_picture(picture)))
