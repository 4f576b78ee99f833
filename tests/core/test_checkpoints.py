"""Models by name and file: what is written comes back, and nothing else is opened."""

from __future__ import annotations

import json
import struct
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any, cast
from unittest import mock

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from avseg_core.config import ModelConfig, to_dict
from avseg_core.errors import AVSegError, InputError
from avseg_core.models import library
from avseg_core.models.backbones import BACKBONES
from avseg_core.models.checkpoints import load_model, save_model, to_released
from avseg_core.models.files import read_state
from avseg_core.models.library import available_models, find_model, read_config, sha256
from avseg_core.models.registry import build_model
from avseg_core.models.weights import load_audio_weights, load_backbone_weights
from avseg_core.presets import preset, preset_names

CONFIG = ModelConfig(
    backbone="mobilenetv3_small_050",
    audio_encoder="yamnet",
    image_size=(64, 64),
    embed_dim=32,
    num_heads=4,
    encoder_layers=1,
    decoder_layers=1,
    ffn_dim=32,
    num_queries=4,
    query_generator="repeat",
    mask_mlp_dim=8,
)


@pytest.fixture(scope="module")
def model() -> nn.Module:
    torch.manual_seed(0)
    return build_model(CONFIG).eval()


@pytest.fixture
def models(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The user's model folder, empty; shipped models are out of sight."""
    folder = tmp_path / "models"
    monkeypatch.setenv("AVSEG_MODELS", str(folder))
    monkeypatch.setattr(library, "files", lambda package: tmp_path / "no resources")
    return folder


def logits(model: Any) -> Tensor:
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        return cast(
            Tensor,
            model(
                torch.randn(1, 3, 64, 64, generator=generator), torch.randn(1, 1, 96, 64, generator=generator)
            ).logits,
        )


def test_saved_model_comes_back_by_name_file_and_folder(model: nn.Module, models: Path) -> None:
    save_model(model, models / "mine" / "model.safetensors", {"note": "hello"})
    save_model(model, models / "other.safetensors")
    assert available_models() == ["mine", "other"]
    for name in ("mine", "other", models / "mine", models / "other.safetensors"):
        loaded = load_model(name)
        assert loaded.config == CONFIG
        assert not cast(nn.Module, loaded).training
        assert torch.equal(logits(loaded), logits(model))
    assert library.read_metadata(models / "mine" / "model.safetensors")["note"] == "hello"


def test_loaded_model_can_be_trained_but_for_its_audio_encoder(model: nn.Module, models: Path) -> None:
    save_model(model, models / "mine.safetensors")
    loaded = cast(nn.Module, load_model("mine"))
    trained = {name.split(".")[0] for name, p in loaded.named_parameters() if p.requires_grad}
    assert trained == {name for name, _ in loaded.named_children() if name != "audio_encoder"}
    assert not any(tensor.is_meta for tensor in [*loaded.parameters(), *loaded.buffers()])


def test_half_precision_is_half_the_size_and_float32_again(model: nn.Module, models: Path) -> None:
    save_model(model, models / "full.safetensors")
    save_model(model, models / "half.safetensors", dtype=torch.float16)
    sizes = [(models / f"{name}.safetensors").stat().st_size for name in ("half", "full")]
    assert sizes[0] < 0.6 * sizes[1]
    loaded = cast(nn.Module, load_model("half"))
    assert {p.dtype for p in loaded.parameters()} == {torch.float32}
    torch.testing.assert_close(logits(loaded), logits(model), rtol=0.05, atol=0.05)


def test_unknown_name_lists_the_known_ones(model: nn.Module, models: Path) -> None:
    with pytest.raises(InputError, match="none is installed"):
        load_model("avsegformer-huge")
    save_model(model, models / "mine.safetensors")
    with pytest.raises(InputError, match="avsegformer-huge: no such model; available: mine"):
        load_model("avsegformer-huge")


def test_manifest_guards_the_weights(model: nn.Module, models: Path) -> None:
    path = models / "mine" / "model.safetensors"
    save_model(model, path)
    manifest = path.with_name("manifest.json")
    manifest.write_text(json.dumps({"sha256": sha256(path)}))
    assert load_model("mine").config == CONFIG
    manifest.write_text(json.dumps({"sha256": "0" * 64}))
    with pytest.raises(InputError, match=r"model\.safetensors: damaged, its SHA-256"):
        load_model("mine")
    manifest.write_text("{")
    with pytest.raises(InputError, match=r"manifest\.json: cannot be read"):
        load_model("mine")


@pytest.mark.parametrize(
    ("setting", "value", "said"),
    [
        ("encoder_layers", 3000, "encoder_layers must be at least 0 and at most 32, not 3000"),
        ("decoder_layers", 10**30, "decoder_layers must be at least 1 and at most 32"),
        ("query_generator_layers", -1, "query_generator_layers must be at least 0"),
        ("embed_dim", 2**20, "embed_dim must be at least 32 and at most 2048"),
        ("ffn_dim", 2**40, "ffn_dim must be at least 1 and at most 16384"),
        ("mask_mlp_dim", 2**40, "mask_mlp_dim must be"),
        ("num_heads", 2**20, "num_heads must be"),
        ("num_points", 2**20, "num_points must be"),
        ("num_queries", 2**40, "num_queries must be"),
        ("num_classes", 2**40, "num_classes must be"),
        ("clip_length", 2**40, "clip_length must be"),
        ("image_size", [32, 32 * 10**6], "multiples of 32, up to 2048"),
        ("dropout", 7.0, "dropout must be at least 0 and at most 1"),
        ("drop_path", float("nan"), "drop_path must be"),
        ("dropout", 10**400, "dropout: the number is too large"),
    ],
)
def test_a_tiny_file_cannot_ask_for_a_giant_model(setting: str, value: object, said: str, tmp_path: Path) -> None:
    path = tmp_path / "giant.safetensors"
    configuration = json.dumps({**to_dict(CONFIG), setting: value})
    header = json.dumps({"__metadata__": {"avseg_config": configuration}}).encode()
    path.write_bytes(struct.pack("<Q", len(header)) + header)
    with (
        mock.patch("avseg_core.models.checkpoints.build_model") as build,
        pytest.raises(InputError, match=rf"giant\.safetensors: .*{said}"),
    ):
        load_model(path)
    build.assert_not_called()


def test_published_settings_are_far_from_the_limits() -> None:
    for name in preset_names():
        model = preset(name).model
        model.check()
        height, width = model.image_size
        larger = {"encoder_layers": 4 * model.encoder_layers, "num_queries": 4 * model.num_queries}
        larger |= {"embed_dim": 4 * model.embed_dim, "ffn_dim": 4 * model.ffn_dim, "num_classes": 4 * model.num_classes}
        replace(model, image_size=(4 * height, 4 * width), **larger).check()


def damage_header(path: Path) -> None:
    path.write_bytes(b"\xff" * 100)


def damage_tail(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-1000])


def empty(path: Path) -> None:
    path.write_bytes(b"")


def forget_config(path: Path) -> None:
    save_file(load_file(path), path)


def break_config(path: Path) -> None:
    save_file(load_file(path), path, {library.CONFIG_KEY: "[1]"})


def unknown_setting(path: Path) -> None:
    save_file(load_file(path), path, {library.CONFIG_KEY: '{"colour": 3}'})


def giant_config(path: Path) -> None:
    save_file(load_file(path), path, {library.CONFIG_KEY: '{"num_queries": 1000000000}'})


def other_config(path: Path) -> None:
    save_file(load_file(path), path, {library.CONFIG_KEY: '{"num_queries": 4096}'})


def drop_a_tensor(path: Path) -> None:
    state = load_file(path)
    del state["audio_proj.bias"]
    save_file(state, path, library.read_metadata(path))


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (damage_header, "not a safetensors file"),
        (damage_tail, "damaged"),
        (empty, "not a safetensors file"),
        (forget_config, "holds no configuration; published checkpoints go through import-checkpoint"),
        (break_config, "configuration is damaged"),
        (unknown_setting, "unknown setting 'colour'"),
        (giant_config, "num_queries must be at least 1 and at most 4096"),
        (other_config, "weights and configuration do not fit"),
        (drop_a_tensor, "missing audio_proj.bias"),
    ],
)
def test_damaged_files_give_one_clear_line(model: nn.Module, models: Path, damage: Any, message: str) -> None:
    path = models / "mine.safetensors"
    save_model(model, path)
    damage(path)
    with pytest.raises(InputError, match=message) as failure:
        load_model("mine")
    assert "\n" not in str(failure.value)
    assert str(path) in str(failure.value)
    assert available_models() == ["mine"]


def test_nothing_is_left_of_a_save_that_fails(model: nn.Module, tmp_path: Path) -> None:
    blocked = tmp_path / "model.safetensors"
    blocked.mkdir()
    with pytest.raises(AVSegError, match="cannot be written"):
        save_model(model, blocked)
    assert [path.name for path in tmp_path.iterdir()] == ["model.safetensors"]
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match=r"is a file, not a folder\); choose another folder"):
        save_model(model, tmp_path / "file" / "new" / "model.safetensors")


def test_listing_and_configuration_do_not_need_torch(model: nn.Module, models: Path) -> None:
    save_model(model, models / "mine.safetensors")
    code = (
        "import sys; from avseg_core.models.library import *; "
        "print(available_models(), read_config(find_model('mine')).num_queries, 'torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=Path.cwd())
    assert "'mine'" in done.stdout
    assert done.stdout.split()[-2:] == ["4", "False"]


def test_user_folder_follows_the_platform(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("AVSEG_MODELS", raising=False)
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    monkeypatch.setenv("LOCALAPPDATA", str(tmp_path / "local"))
    monkeypatch.setattr(sys, "platform", "linux")
    assert library.user_models() == tmp_path / "avseg" / "models"
    monkeypatch.setattr(sys, "platform", "win32")
    assert library.user_models() == tmp_path / "local" / "avseg" / "models"


def test_find_and_read_config(model: nn.Module, models: Path) -> None:
    save_model(model, models / "mine.safetensors")
    assert find_model("mine") == models / "mine.safetensors"
    assert read_config(find_model("mine")) == CONFIG


class Bomb:
    """Pickles into a call that leaves a file behind."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (self.mark,)


def test_checkpoint_with_code_is_refused_unopened(tmp_path: Path) -> None:
    path, mark = tmp_path / "evil.pth", tmp_path / "executed"
    torch.save({"state_dict": {"a": torch.zeros(1), "b": Bomb(mark)}}, path)
    with pytest.raises(InputError, match=r"evil\.pth: holds more than tensors"):
        read_state(path)
    assert not mark.exists()


@pytest.mark.parametrize("wrapper", [None, "state_dict", "model"])
def test_usual_wrappers_and_module_prefixes_come_off(tmp_path: Path, wrapper: str | None) -> None:
    state = {"module.a": torch.ones(2), "module.b.c": torch.zeros(1)}
    torch.save(state if wrapper is None else {wrapper: state, "epoch": 3}, tmp_path / "some.pth")
    assert {key: tuple(t.shape) for key, t in read_state(tmp_path / "some.pth").items()} == {"a": (2,), "b.c": (1,)}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "not a checkpoint, or damaged"),
        (b"PK\x03\x04 nothing", "not a checkpoint, or damaged"),
        (b"hello world", "not a checkpoint, or damaged"),
        (b"<!DOCTYPE html>\n<html></html>", "not a checkpoint, or damaged"),
        (b"\x80\x02.", "not a checkpoint, or damaged"),
        (None, "no such file"),
    ],
)
def test_files_that_are_no_checkpoints(tmp_path: Path, content: bytes | None, message: str) -> None:
    path = tmp_path / "some.pth"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(InputError, match=message) as failure:
        read_state(path)
    assert "\n" not in str(failure.value)


@pytest.mark.parametrize("error", [IndexError("pop"), struct.error("short"), AssertionError()])
def test_whatever_a_damaged_checkpoint_ends_with_is_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    monkeypatch.setattr(torch, "load", mock.Mock(side_effect=error))
    with pytest.raises(InputError, match=r"some\.pth: not a checkpoint, or damaged; get it again") as failure:
        read_state(tmp_path / "some.pth")
    assert type(error).__name__ not in str(failure.value), "a word that says nothing to users"


def test_a_folder_is_not_called_damaged(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"cannot be read \(.+\); name a file"):
        read_state(tmp_path)


def test_every_cut_of_a_former_checkpoint_is_one_line(tmp_path: Path) -> None:
    path = tmp_path / "some.pth"
    torch.save({"a": torch.ones(3)}, path, _use_new_zipfile_serialization=False)
    whole = path.read_bytes()
    for length in range(len(whole)):
        path.write_bytes(whole[:length])
        with pytest.raises(InputError, match=r"some\.pth: "):
            read_state(path)


def test_a_file_that_holds_itself_or_no_numbers_is_refused(tmp_path: Path) -> None:
    endless: dict[str, Any] = {}
    endless["model"] = endless
    torch.save(endless, tmp_path / "some.pth")
    with pytest.raises(InputError, match="'model' is no tensor"):
        read_state(tmp_path / "some.pth")
    torch.save({"a": torch.ones(2, device="meta")}, tmp_path / "some.pth")
    with pytest.raises(InputError, match="holds the shapes of a model but not its numbers"):
        read_state(tmp_path / "some.pth")


@pytest.mark.parametrize("content", [{"lr": 0.1}, {}, [torch.ones(1)], torch.ones(1)])
def test_other_contents_are_no_state_dict(tmp_path: Path, content: Any) -> None:
    torch.save(content, tmp_path / "some.pth")
    with pytest.raises(InputError, match=r"no state dict|no tensor"):
        read_state(tmp_path / "some.pth")


def test_backbone_weights_from_a_file(model: nn.Module, tmp_path: Path) -> None:
    source, target = build_model(CONFIG), build_model(CONFIG)
    body = cast(Any, source.backbone).body
    torch.save({**body.state_dict(), "classifier.weight": torch.zeros(3)}, tmp_path / "imagenet.pth")
    load_backbone_weights(target, tmp_path / "imagenet.pth")
    for key, tensor in cast(Any, target.backbone).body.state_dict().items():
        assert torch.equal(tensor, body.state_dict()[key]), key
    torch.save({"conv_stem.weight": torch.zeros(3)}, tmp_path / "other.pth")
    with pytest.raises(InputError, match=r"other\.pth: no weights of mobilenetv3_small_050"):
        load_backbone_weights(target, tmp_path / "other.pth")


def test_imagenet_weights_as_efficientnet_pytorch_names_them(tmp_path: Path) -> None:
    """That package lists the same modules in the same order, with blocks counted through all stages."""
    model: Any = nn.Module()
    model.backbone = BACKBONES["tf_efficientnet_lite2"](CONFIG)
    modules = ["_conv_stem", "_bn0"]
    for block in range(21):
        inside = ["_expand_conv", "_bn0"] * (block > 0) + ["_depthwise_conv", "_bn1", "_project_conv", "_bn2"]
        modules += [f"_blocks.{block}.{name}" for name in inside]
    kinds = ("weight", "bias", "running_mean", "running_var", "num_batches_tracked")
    names = [f"{module}.{kind}" for module in modules for kind in (kinds if "_bn" in module else ("weight",))]
    ours = model.backbone.body.state_dict()
    assert len(names) == len(ours) == 378
    generator = torch.Generator().manual_seed(2)
    published = {
        name: torch.randint(1, 100, tensor.shape, generator=generator).to(tensor.dtype)
        for name, tensor in zip(names, ours.values(), strict=True)
    }
    torch.save({**published, "_conv_head.weight": torch.zeros(2), "_fc.bias": torch.zeros(2)}, tmp_path / "lite2.pth")
    load_backbone_weights(model, tmp_path / "lite2.pth")
    for tensor, name in zip(model.backbone.body.state_dict().values(), names, strict=True):
        assert torch.equal(tensor, published[name]), name
    del published["_blocks.20._bn2.bias"]
    torch.save(published, tmp_path / "partial.pth")
    with pytest.raises(InputError, match=r"partial\.pth: no weights of tf_efficientnet_lite2; blocks\.6\.0\.bn3\.bias"):
        load_backbone_weights(model, tmp_path / "partial.pth")


def test_without_a_hub_a_file_is_asked_for(model: nn.Module, monkeypatch: pytest.MonkeyPatch) -> None:
    def offline(*args: object, **kwargs: object) -> None:
        raise ConnectionError("no route to host")

    monkeypatch.setattr("timm.create_model", offline)
    with pytest.raises(InputError, match=r"cannot be fetched .* or name a file with --backbone-weights"):
        load_backbone_weights(model)


def test_audio_weights_from_a_file(model: nn.Module, tmp_path: Path) -> None:
    target, source = build_model(CONFIG), build_model(CONFIG)
    state = cast(nn.Module, source.audio_encoder).state_dict()
    torch.save({**state, "pproc.pca_means": torch.zeros(3)}, tmp_path / "audio.pth")
    load_audio_weights(target, tmp_path / "audio.pth")
    for key, tensor in cast(nn.Module, target.audio_encoder).state_dict().items():
        assert torch.equal(tensor, state[key]), key
    with pytest.raises(InputError, match=r"YAMNet weights are needed .* --audio-weights"):
        load_audio_weights(target)
    torch.save({"a": torch.zeros(3)}, tmp_path / "other.pth")
    with pytest.raises(InputError, match=r"other\.pth: no weights of YAMNet"):
        load_audio_weights(target, tmp_path / "other.pth")


def test_only_published_models_can_be_written_as_released(model: nn.Module) -> None:
    with pytest.raises(InputError, match=r"Only AVSegFormer V1, V2 and TPAVI with a published backbone"):
        to_released(model)
