"""The sounds of one split in memory, and one second of any of them with everything that recordings do to it."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import av
import numpy as np
import torch
from catalogue import Item
from numpy.random import Generator
from scipy.io import wavfile
from sound_labels import HEARD_AS, HEARD_SCORE, SOUNDFONT_PROGRAMS

from avseg_core.audio.classes import YAMNET_CLASSES
from avseg_core.audio.front_end import window_logmel
from avseg_core.data.synthesis import SAMPLE_RATE, Sound, excerpt, mix
from avseg_core.models.audio_encoders import YAMNet

_LONGEST = 12.0
"""Seconds of one file that are kept."""
_PAUSE = 0.3
"""Of the loudest second's level: what is below is a pause."""
_PEOPLE = ("man", "woman", "person")


def read_sound(path: Path, start: float = 0.0) -> Sound:
    """Mono at 16 kHz, at most `_LONGEST` seconds from `start` (or the middle of a longer file)."""
    with av.open(str(path)) as container:
        resampler = av.AudioResampler("flt", "mono", SAMPLE_RATE)
        parts = [part.to_ndarray()[0] for frame in container.decode(audio=0) for part in resampler.resample(frame)]
        parts += [part.to_ndarray()[0] for part in resampler.resample(None)]
    sound = np.concatenate(parts) if parts else np.zeros(0, np.float32)
    longest = int(_LONGEST * SAMPLE_RATE)
    begin = min(int(start * SAMPLE_RATE), max(0, len(sound) - longest))
    return np.asarray(sound[begin : begin + longest], np.float32)


def _loudness(sound: Sound) -> float:
    """RMS."""
    return float(np.sqrt(np.mean(np.square(sound, dtype=np.float64))))


def _loudest(sound: Sound) -> float:
    """RMS of the loudest second."""
    starts = range(0, max(1, len(sound) - SAMPLE_RATE + 1), SAMPLE_RATE // 4)
    return max(_loudness(sound[start : start + SAMPLE_RATE]) for start in starts)


@dataclass(frozen=True)
class SoundBank:
    """label -> its sounds; "noise" holds what nothing in a picture makes."""

    sounds: dict[str, list[Sound]]

    def labels_for(self, label: str) -> list[str]:
        """The labels of sounds that a thing labelled so makes."""
        names = _PEOPLE if label in _PEOPLE else (label,)
        return [name for name in names if self.sounds.get(name)]

    def one(self, rng: Generator, label: str) -> Sound:
        """A second of that label in which it is heard, not a pause of the recording."""
        choices = self.sounds[label]
        for _ in range(12):
            whole = choices[int(rng.integers(len(choices)))]
            sound = excerpt(rng, whole)
            if _loudness(sound) > max(3e-3, _PAUSE * _loudest(whole)):
                break
        return sound

    def second(self, rng: Generator, labels: Sequence[str], noise: float = 0.5) -> Sound:
        """One second [16000] of these labels together; nothing sounding gives noise or silence."""
        if not labels and rng.random() < 0.3:
            return np.zeros(SAMPLE_RATE, np.float32)
        background = self.noise(rng) if not labels or rng.random() < noise else None
        return mix(rng, [self.one(rng, label) for label in labels], background)

    def noise(self, rng: Generator) -> Sound:
        """Recorded noise, or coloured noise."""
        if self.sounds.get("noise") and rng.random() < 0.7:
            return self.one(rng, "noise")
        return coloured_noise(rng, 1)


def coloured_noise(rng: Generator, seconds: int) -> Sound:
    """Between white and a little below brown."""
    spectrum = np.fft.rfft(rng.normal(0.0, 1.0, seconds * SAMPLE_RATE))
    spectrum /= np.maximum(1.0, np.arange(len(spectrum)) / seconds) ** rng.uniform(0.0, 1.2)
    return np.asarray(np.fft.irfft(spectrum), np.float32)


def merged(banks: Sequence[SoundBank]) -> SoundBank:
    """All sounds of all banks, label by label."""
    labels = sorted({label for bank in banks for label in bank.sounds})
    return SoundBank({label: [sound for bank in banks for sound in bank.sounds.get(label, ())] for label in labels})


def load_bank(items: Sequence[Item], yamnet: YAMNet) -> SoundBank:
    """Reads the sounds; those that are silent, unreadable, or not what their label says to YAMNet are left out."""
    sounds: dict[str, list[Sound]] = {}
    for item in items:
        try:
            sound = read_sound(item.path)
        except (av.error.FFmpegError, IndexError):
            continue
        if len(sound) > 0.1 * SAMPLE_RATE and float(np.abs(sound).max()) > 1e-2 and _heard(sound, item.label, yamnet):
            sounds.setdefault(item.label, []).append(sound)
    return SoundBank(sounds)


def _heard(sound: Sound, label: str, yamnet: YAMNet) -> bool:
    """Whether YAMNet hears the label somewhere in the sound."""
    wanted = [YAMNET_CLASSES.index(name) for name in HEARD_AS.get(label, "").split("|") if name in YAMNET_CLASSES]
    if not wanted:
        return True
    filled = np.resize(sound, max(len(sound), SAMPLE_RATE))
    starts = np.linspace(0, len(filled) - SAMPLE_RATE, min(8, len(filled) // SAMPLE_RATE)).astype(int)
    seconds = np.stack([window_logmel(filled[start : start + SAMPLE_RATE], "yamnet") for start in starts])
    return float(yamnet.scores(torch.from_numpy(seconds))[:, wanted].max()) >= HEARD_SCORE


def render_notes(soundfont: Path, folder: Path, takes: int = 3) -> list[Item]:
    """Plays random phrases of every instrument of `SOUNDFONT_PROGRAMS` through fluidsynth; for training only."""
    folder.mkdir(parents=True, exist_ok=True)
    items = []
    for label, programs in SOUNDFONT_PROGRAMS.items():
        for program in programs:
            for take in range(takes):
                path = folder / f"{label}-{program}-{take}.wav"
                if not path.exists():
                    midi = path.with_suffix(".mid")
                    midi.write_bytes(_phrase(np.random.default_rng([program, take]), label, program))
                    command = ["fluidsynth", "-ni", "-q", "-r", "16000", "-F", str(path), str(soundfont), str(midi)]
                    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
                items.append(Item(path, label, f"notes:{path.stem}", "train"))
    return items


_RANGES = {
    "tuba": 34,
    "cello": 40,
    "bassoon": 40,
    "trombone": 45,
    "guitar": 48,
    "horn": 48,
    "clarinet": 55,
    "violin": 60,
    "flute": 67,
}


def _phrase(rng: Generator, label: str, program: int) -> bytes:
    """A MIDI file of about eight seconds: single notes and, where the instrument can, chords."""
    chords = label in ("piano", "guitar", "accordion", "harp", "harmonica")
    track = bytes([0, 0xC0, program])
    elapsed, low = 0, _RANGES.get(label, 52)
    while elapsed < 8 * 480 * 2:
        notes = {int(low + rng.integers(0, 24)) for _ in range(int(rng.integers(1, 4)) if chords else 1)}
        length = int(rng.choice([120, 240, 480, 960]))
        velocity = int(rng.integers(70, 120))
        track += b"".join(bytes([0, 0x90, note, velocity]) for note in notes)
        track += b"".join(
            _delta(length if order == 0 else 0) + bytes([0x80, note, 0]) for order, note in enumerate(notes)
        )
        elapsed += length
    track += bytes([0, 0xFF, 0x2F, 0])
    header = b"MThd" + (6).to_bytes(4, "big") + bytes([0, 0, 0, 1]) + (480).to_bytes(2, "big")
    return header + b"MTrk" + len(track).to_bytes(4, "big") + track


def _delta(ticks: int) -> bytes:
    return bytes([0x80 | ticks >> 7, ticks & 0x7F]) if ticks > 127 else bytes([ticks])


def speech_items(raw: Path, per_folder: int = 24) -> list[Item]:
    """Recorded syllables and words of many languages; whole languages are kept for testing."""
    items = []
    folders = sorted(
        {
            path.parent
            for name in ("klettres-data", "asterisk-core-sounds-en-wav")
            for path in (raw / name).rglob("*")
            if path.suffix in (".ogg", ".wav")
        }
    )
    for number, folder in enumerate(folders):
        split = "test" if number % 4 == 3 else "val" if number % 12 == 0 else "train"
        files = sorted(
            path for path in folder.iterdir() if path.suffix in (".ogg", ".wav") and path.stat().st_size > 5000
        )
        items += [
            Item(path, "person", f"speech:{folder.name}/{path.stem}", split)
            for path in files[:: max(1, len(files) // per_folder)]
        ]
    return items


def typing_items(raw: Path, folder: Path) -> list[Item]:
    """Keys clicked at random intervals; the keys of a third of the recordings are kept for testing."""
    folder.mkdir(parents=True, exist_ok=True)
    clicks = sorted((raw / "bucklespring-data").rglob("*.wav"))
    items = []
    for split, chosen in (("train", [c for i, c in enumerate(clicks) if i % 3]), ("test", clicks[::3])):
        for take in range(4):
            path = folder / f"typing-{split}-{take}.wav"
            if not path.exists():
                rng = np.random.default_rng([len(split), take])
                track = np.zeros(8 * SAMPLE_RATE, np.float32)
                position = 0.0
                while position < 7.5:
                    click = read_sound(chosen[int(rng.integers(len(chosen)))])
                    begin = int(position * SAMPLE_RATE)
                    end = min(len(track), begin + len(click))
                    track[begin:end] += click[: end - begin]
                    position += rng.uniform(0.08, 0.35)
                wavfile.write(path, SAMPLE_RATE, np.clip(track, -1, 1))
            items.append(Item(path, "keyboard", f"typing:{split}-{take}", split))
    return items
