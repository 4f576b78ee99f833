"""What is heard in the clips of a data set, named by the YAMNet inside the model that comes with the application."""

from __future__ import annotations

from contextlib import suppress
from functools import cached_property

import numpy as np
import torch
from numpy.typing import NDArray

from avseg_core.audio.front_end import FrontEnd, window_logmel
from avseg_core.data.audio import RATE
from avseg_core.data.folder import WINDOW_SECONDS, AnnotatedClip
from avseg_core.errors import AVSegError
from avseg_core.inference.segmenter import top_tags
from avseg_core.media import AudioReader
from avseg_core.models.audio_encoders import YAMNet
from avseg_core.models.checkpoints import load_model
from avseg_core.presets import finetune_preset
from avseg_core.training.survey_report import Tags

FRONT_END: FrontEnd = "yamnet"
MOST_CLIPS = 300
"""Clips of a folder that are listened to; listening to thousands would take longer than the look at the files."""
_SECONDS_PER_CLIP = 5


class Listener:
    """Loads the network when the first sound comes; without it nothing is named."""

    def __init__(self) -> None:
        self._heard = 0

    def hear(self, logmel: NDArray[np.float32]) -> Tags:
        """logmel [T,96,64] of the front end above -> what is heard in any of these seconds."""
        if self._network is None or not len(logmel):
            return ()
        with torch.inference_mode():
            scores = self._network.scores(torch.from_numpy(logmel).unsqueeze(1))  # [T,521]
        return top_tags(scores.amax(dim=0, keepdim=True))[0]

    def hear_clip(self, clip: AnnotatedClip) -> Tags:
        """What is heard around a few of the masks; nothing after `MOST_CLIPS` clips or where there is no sound."""
        self._heard += 1
        if self._heard > MOST_CLIPS:
            return ()
        chosen = np.unique(np.linspace(0, len(clip.times) - 1, min(_SECONDS_PER_CLIP, len(clip.times))).astype(int))
        with suppress(AVSegError), AudioReader(clip.video, rate=RATE) as sound:
            if sound.has_audio:
                seconds = [sound.read(clip.times[k] - WINDOW_SECONDS / 2, WINDOW_SECONDS) for k in chosen]
                return self.hear(np.concatenate([window_logmel(second, FRONT_END) for second in seconds]))
        return ()

    @cached_property
    def _network(self) -> YAMNet | None:
        with suppress(AVSegError):
            encoder = load_model(finetune_preset().init_from).audio_encoder
            return encoder if isinstance(encoder, YAMNet) else None
        return None
