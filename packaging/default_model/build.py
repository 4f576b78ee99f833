"""Makes the default model from packages to report, in one command. Every stage keeps what it made and resumes.

    python packaging/default_model/build.py --work DIR            all of it
    python packaging/default_model/build.py --work DIR --short    the same stages with little of everything
    python packaging/default_model/build.py --work DIR --only report   measure what is there again

Needs apt-get, npm, fluidsynth and, beside the application's own packages, what `requirements.txt` here lists.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import _project  # noqa: F401
import catalogue
import convert
import evaluate
import hearing
import more_material
import numpy as np
import torch
from director import Cached, SoundTable
from export import export
from features import cache_boxes, cache_maps
from fetch import PACKAGES, fetch
from folds import FOLDS, folds_of
from naming import choice, name_items, tune_names, unmet_names
from numpy.typing import NDArray
from render3d import find_model, save_views
from scenes import MIXTURE, Material, SceneMaker, SceneSet, make_scenes, open_scenes
from soundbank import SoundBank, load_bank, merged, render_notes, speech_items, typing_items
from teacher import Saliency, cut_out, mask_path
from train import TrainOptions, train

from avseg_core.config import ModelConfig
from avseg_core.models.avsegformer import AVSegFormer
from avseg_core.models.checkpoints import load_model
from avseg_core.models.label_bridge import THINGS, LabelPrior
from avseg_core.models.registry import build_model

CONFIG = ModelConfig(
    backbone="tf_efficientnet_lite2",
    audio_encoder="yamnet-tuned",
    image_size=(320, 480),
    embed_dim=64,
    num_heads=4,
    encoder_layers=2,
    decoder_layers=2,
    ffn_dim=256,
    dropout=0.0,
    drop_path=0.0,
    num_queries=16,
    query_generator="repeat",
    mask_head="light",
    mask_mlp_dim=64,
    reformer="qr",
    label_prior=True,
    label_grouping=True,
    label_queries=True,
    label_presence=True,
    label_kinship=True,
    label_detector=True,
    gate=True,
)
_TUNED = (
    "audio_encoder.tuned",
    *(f"label_prior.{name}" for name in ("sounds", "presence", "hidden", "things")),
)
"""What `naming` changes."""
_YAWS = (-65.0, -25.0, 20.0, 60.0)
_GATE_SHIFT = -0.75
"""Of the shipped run's gate: costs its validation scenes of photographed things nothing against 0, and more does."""
_NO_GOOD_MASK = ("bee",)
"""Photos whose saliency mask was seen to be wrong."""


@dataclass(frozen=True)
class Plan:
    """How much of everything."""

    train_scenes: int = 5000
    validation_scenes: int = 300
    sounds_per_label: int = 150
    naming_steps: int = 900
    hearing_steps: int = 1500
    minutes: float = 75.0
    cases: tuple[tuple[str, int], ...] = (
        ("one of several", 300),
        ("photo", 60),
        ("photo pair", 60),
        ("two at once", 100),
        ("nothing", 300),
    )
    """Test cases per group."""


SHORT = Plan(
    24, 8, 2, 4, 10, 0.3, (("one of several", 4), ("photo", 4), ("photo pair", 2), ("two at once", 2), ("nothing", 4))
)


class Build:
    """The stages, each a method; what it needs of an earlier one it reads from `work`."""

    def __init__(self, work: Path, plan: Plan, start: Path | None = None) -> None:
        self.work, self.plan, self.start = work, plan, start
        self.raw, self.masks = work / "raw", work / "masks"
        self.suffix = "-short" if plan is SHORT else ""

    def material(self) -> None:
        """Packages, masks of the photos, views of the models, notes of the instruments."""
        rows = fetch(self.work, PACKAGES + more_material.PACKAGES)
        (self.work / "packages.json").write_text(json.dumps(rows, indent=1))
        network = next(self.raw.rglob("u2net.onnx"))
        cut_out([item.path for item in self.photos()], network, self.masks)
        for names in catalogue.MODELS.values():
            for name in names.split():
                library, path = find_model(self.raw / "sweethome3d-furniture", name)
                save_views(library, path, self.work / "models" / name.replace("/", "-"), _YAWS, 320)
        self.sounds()

    def sounds(self) -> list[catalogue.Item]:
        """All sounds; notes and typing are made on the first call."""
        soundfont = next((self.raw / "fluid-soundfont-gm").rglob("*.sf2"))
        return [
            *catalogue.sounds(self.raw),
            *render_notes(soundfont, self.work / "notes"),
            *speech_items(self.raw),
            *typing_items(self.raw, self.work / "typing"),
            *more_material.sounds(self.raw, self.work),
        ]

    def photos(self) -> list[catalogue.Item]:
        return catalogue.photos(self.raw) + more_material.photos(self.raw)

    def backgrounds(self) -> list[catalogue.Item]:
        return catalogue.backgrounds(self.raw) + more_material.backgrounds(self.raw)

    def split(self, name: str) -> Material:
        """The pictures of one split."""

        def chosen(items: list[catalogue.Item]) -> tuple[catalogue.Item, ...]:
            return tuple(item for item in items if item.split == name)

        photos = chosen(self.photos())
        masked = tuple(p for p in photos if mask_path(p.path, self.masks).exists() and p.path.stem not in _NO_GOOD_MASK)
        cutouts = chosen(
            catalogue.cutouts(self.raw) + more_material.cutouts(self.raw) + catalogue.models(self.work / "models")
        )
        return Material(cutouts, masked, chosen(self.backgrounds()), self.masks)

    def bank(self, name: str, model: AVSegFormer) -> SoundBank:
        return load_bank([item for item in self.sounds() if item.split == name], model.audio_encoder)

    def pretrained(self) -> AVSegFormer:
        """The model with the pretrained networks and the classifier, the rest random."""
        torch.manual_seed(0)
        model = build_model(CONFIG)
        assert isinstance(model, AVSegFormer)
        assert model.label_prior is not None
        lite2 = convert.lite2_state(self.raw)
        model.backbone.body.load_state_dict(convert.backbone_state(lite2))
        model.audio_encoder.load_state_dict(convert.yamnet_state(self.raw))
        assert model.detector is not None
        model.detector.load_state_dict(convert.detector_state(self.raw))
        for name, value in convert.classifier_state(lite2).items():
            target = model.label_prior.get_parameter(name)
            with torch.no_grad():
                target[: len(value)] = value
        with torch.no_grad():
            model.label_prior.things.bias[len(value) :] = 0.0
            model.label_prior.things.weight[len(value) :] = 0.0
            classifier = model.audio_encoder.classifier
            model.label_prior.sounds.weight.copy_(torch.cat([classifier.weight] * 2, dim=1) / 2)
            model.label_prior.sounds.bias.copy_(classifier.bias)
            model.audio_proj.weight.zero_()  # `Habits.drop_embedding` teaches nothing of it
        return model.eval()

    def informed(self) -> AVSegFormer:
        """`pretrained` with both classifiers tuned, as `naming` left them, and all else as `start` has it."""
        model = self.pretrained()
        assert model.label_prior is not None
        if self.start is not None:
            own, older = model.state_dict(), load_model(str(self.start)).state_dict()
            known = {name: value for name, value in older.items() if name in own and own[name].shape == value.shape}
            model.load_state_dict(known, strict=False)
        model.load_state_dict(torch.load(self.naming_file, weights_only=True), strict=False)
        return model

    def scenes(self) -> None:
        """Scenes and what the picture networks say of them."""
        model = self.pretrained()
        for name, count in (("train", self.plan.train_scenes), ("val", self.plan.validation_scenes)):
            folder = self.folder(name)
            rng = np.random.default_rng(len(name))
            kinds = [str(kind) for kind in rng.choice(list(MIXTURE), count, p=list(MIXTURE.values()))]
            maker = SceneMaker(self.split(name), CONFIG.image_size)
            make_scenes(folder, maker, kinds, seed=len(name))
            self._seen(name, model)

    def naming(self) -> None:
        """Both classifiers tuned to scenes; before and after on the validation material in `naming.json`."""
        model = self.pretrained()
        prior = model.label_prior
        assert prior is not None
        yamnet = hearing.yamnet_of(model)
        train, val = self.cached("train", model), self.cached("val", model)
        heard = {
            name: hearing.draw_seconds(self.bank(name, model), yamnet, self.plan.sounds_per_label, seed)
            for name, seed in (("train", 5), ("val", 6))
        }

        def measured() -> dict[str, Any]:
            sounds = hearing.recognised(prior, hearing.embed(yamnet, heard["val"].maps), heard["val"].labels)
            return {"things": choice(prior, val.scenes, val.maps[3]), "sounds": sounds}

        found = {"before": measured()}
        self._tune_names(prior, train)
        hearing.tune(model, heard["train"], self.plan.hearing_steps)
        found["after"] = measured()
        torch.save(_tuned(model), self.naming_file)
        self.naming_file.with_suffix(".json").write_text(json.dumps(found, indent=1))

    def _tune_names(self, prior: LabelPrior, train: Cached, left_out: NDArray[np.bool_] | None = None) -> None:
        steps = self.plan.naming_steps
        losses = tune_names(prior, train.scenes, train.maps[3], train.names, steps, left_out=left_out)
        for step, loss in enumerate(losses):
            if step % 50 == 0:
                print(f"step {step}: {loss:.3f}", flush=True)

    def unmet(self) -> None:
        """Both classifiers, tuned without a third of the things and of the sources of sound in turn: what the first say
        of the training scenes' things that they never met, and the second for `_sound_table`."""
        model = self.pretrained()
        assert model.label_prior is not None
        train, banks = self.cached("train", model), self._banks(model)
        folds, priors, tuned = folds_of(train.items), [], []
        for fold in range(FOLDS):
            other = deepcopy(model)
            assert other.label_prior is not None
            self._tune_names(other.label_prior, train, folds == fold)
            others = merged([bank for number, bank in enumerate(banks) if number != fold])
            seconds = hearing.draw_seconds(others, hearing.yamnet_of(other), self.plan.sounds_per_label, seed=7 + fold)
            hearing.tune(other, seconds, self.plan.hearing_steps)
            priors.append(other.label_prior)
            tuned.append(_tuned(other))
        unmet_names(priors, train.scenes, train.maps[3], folds, self.unmet_file)
        torch.save(tuned, self.unmet_file.with_suffix(".pt"))

    def _banks(self, model: AVSegFormer) -> list[SoundBank]:
        """The training sounds, by the fold that they belong to."""
        items = [item for item in self.sounds() if item.split == "train"]
        folds = folds_of(items)
        return [
            load_bank([item for item, own in zip(items, folds, strict=True) if own == fold], model.audio_encoder)
            for fold in range(FOLDS)
        ]

    def _sound_table(self, model: AVSegFormer) -> SoundTable:
        """The training sounds, each heard by a classifier that was not tuned to its source."""
        parts = []
        tuned_without = torch.load(self.unmet_file.with_suffix(".pt"), weights_only=True)
        for bank, tuned in zip(self._banks(model), tuned_without, strict=True):
            other = deepcopy(model)
            other.load_state_dict(tuned, strict=False)
            parts.append((bank, other))
        return SoundTable(parts, self.plan.sounds_per_label, seed=3)

    @property
    def unmet_file(self) -> Path:
        return self.folder("train") / "unmet.npy"

    @property
    def naming_file(self) -> Path:
        return self.work / f"naming{self.suffix}.pt"

    def folder(self, name: str) -> Path:
        return self.work / "scenes" / (name + self.suffix)

    def cached(self, name: str, model: AVSegFormer) -> Cached:
        """A split's scenes; `model` is a pretrained one."""
        scenes, maps, boxes = self._seen(name, model)
        names = self.folder(name) / "names.pt"
        if not names.exists():
            assert model.label_prior is not None
            used = np.setdiff1d(scenes.items, [-1])
            table = torch.full((len(scenes.things), THINGS), 1 / THINGS)
            shown = [scenes.things[number] for number in used]
            table[used] = name_items(model.backbone, model.label_prior, shown, self.masks)
            torch.save(table, names)
        return Cached(scenes, maps, boxes, scenes.things, torch.load(names, weights_only=True))

    def _seen(self, name: str, model: AVSegFormer) -> tuple[SceneSet, list[NDArray[np.float16]], NDArray[np.float16]]:
        """A split's scenes, the backbone's maps of them and the detector's boxes."""
        folder = self.folder(name)
        scenes = open_scenes(folder)
        assert model.detector is not None
        return scenes, cache_maps(folder, scenes, model.backbone), cache_boxes(folder, scenes, model.detector)

    def training(self) -> None:
        model = self.informed()
        options = replace(TrainOptions(), minutes=self.plan.minutes)
        scenes = replace(self.cached("train", model), unmet=np.load(self.unmet_file, mmap_mode="r"))
        train(model, scenes, self._sound_table(model), options, self.run, self.cached("val", model))

    @property
    def run(self) -> Path:
        return self.work / "runs" / ("default" + self.suffix)

    def trained(self) -> AVSegFormer:
        model = self.pretrained()
        model.load_state_dict(torch.load(self.run / "averaged.pt", weights_only=True))
        assert model.gate is not None
        with torch.no_grad():
            model.gate.decide.bias += _GATE_SHIFT
        return model.eval()

    def report(self) -> None:
        """Measures on the held-out material beside the floors; the table and contact sheets go to the run's folder."""
        model = self.trained()
        cases = evaluate.build_cases(
            self.split("test"), self.bank("test", model), CONFIG.image_size, dict(self.plan.cases)
        )
        saliency = Saliency(next(self.raw.rglob("u2net.onnx")), torch.get_num_threads())
        predictors = {
            **evaluate.floor_predictors(self.pretrained(), saliency, self.work / "saliency"),
            **evaluate.model_predictors(model),
        }
        result = evaluate.evaluate(cases, predictors)
        (self.run / "report.json").write_text(json.dumps(result["table"], indent=1))
        (self.run / "report.md").write_text(evaluate.report(result) + "\n")
        predict = predictors["avsegformer-lite"]
        for group in dict(self.plan.cases):
            chosen = [case for case in cases if case.group == group][:60]
            evaluate.contact_sheet(chosen, predict, self.run / f"sheet-{group.replace(' ', '-')}.jpg")
        rows = result["rows"]["avsegformer-lite"]
        worst = sorted((row["iou"], index) for index, row in enumerate(rows) if "iou" in row)[:20]
        evaluate.contact_sheet([cases[index] for _, index in worst], predict, self.run / "sheet-worst.jpg", columns=4)

    def export(self) -> None:
        """The files in resources/models/avsegformer-lite."""
        folder = Path(__file__).parents[2] / "resources" / "models" / "avsegformer-lite"
        target = folder if self.plan is not SHORT else self.run / "avsegformer-lite"
        scenes = open_scenes(self.work / "scenes" / ("train" + self.suffix))
        export(self.trained(), target, self.work, self.run, scenes.things, self.sounds(), self.start)


def _tuned(model: AVSegFormer) -> dict[str, torch.Tensor]:
    return {name: value for name, value in model.state_dict().items() if name.startswith(_TUNED)}


STAGES: dict[str, Callable[[Build], object]] = {
    "material": Build.material,
    "scenes": Build.scenes,
    "naming": Build.naming,
    "unmet": Build.unmet,
    "training": Build.training,
    "report": Build.report,
    "export": Build.export,
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--work", type=Path, required=True, help="folder for everything that is fetched and made, about 8 GB"
    )
    parser.add_argument("--short", action="store_true", help="little of everything: shows in minutes that all works")
    parser.add_argument("--only", choices=STAGES, help="one stage")
    parser.add_argument("--minutes", type=float, help="length of the training")
    parser.add_argument("--start", type=Path, help="weights of an earlier release to go on from, instead of none")
    parser.add_argument("--threads", type=int, default=2)
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    plan = SHORT if args.short else Plan() if args.minutes is None else replace(Plan(), minutes=args.minutes)
    build = Build(args.work.resolve(), plan, args.start)
    for name, stage in STAGES.items():
        if args.only in (None, name):
            print(name, flush=True)
            stage(build)


if __name__ == "__main__":
    main()
