"""Models come back from a file as they were, and a damaged file is refused with a sentence."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.tokenizers.learning import train_bpe
from visualizer.engine.config import ModelConfig
from visualizer.engine.model import Model
from visualizer.engine.parameters import parameter_shapes
from visualizer.errors import FormatError, InputError
from visualizer.formats import OpenedModel, open_model, save_safetensors
from visualizer.tokenizers import BpeTokenizer, CharacterTokenizer


def small_model(tokenizer: CharacterTokenizer | BpeTokenizer | None, dtype: str = "float32") -> OpenedModel:
    size = 7 if tokenizer is None else tokenizer.vocabulary_size
    config = ModelConfig(n_layers=2, d_model=6, n_ctx=4, n_heads=2, d_vocab=size, act_fn="gelu", dtype=dtype)
    random = np.random.default_rng(0)
    shapes = {n: s for n, s in parameter_shapes(config).items() if n != "blocks.0.attn.c_attn.b"}
    return OpenedModel(
        Model(config, {n: random.normal(size=s) for n, s in shapes.items()}, tokenizer), "small", "small"
    )


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(
    "tokenizer",
    [None, CharacterTokenizer("aé😀\ud800"), train_bpe("hello hello help", 260)],
    ids=["none", "char", "bpe"],
)
def test_a_saved_model_comes_back_to_the_bit(
    tmp_path: Path, tokenizer: CharacterTokenizer | BpeTokenizer | None, dtype: str
) -> None:
    opened = small_model(tokenizer, dtype)
    path = tmp_path / "m.safetensors"
    save_safetensors(opened, path, {"recipe": "by hand"})
    back = open_model(path).model
    assert back.config == opened.model.config
    assert list(back.parameters) == list(opened.model.parameters)
    assert all(np.array_equal(back.parameters[name], opened.model.parameters[name]) for name in back.parameters)
    if tokenizer is not None:
        assert back.tokenizer is not None
        assert back.tokenizer.to_dict() == tokenizer.to_dict()


def test_a_preset_keeps_its_pattern_and_the_names_of_its_dimensions(tmp_path: Path) -> None:
    path = tmp_path / "mine.safetensors"
    save_safetensors(open_model("aab"), path)
    back = open_model(path)
    assert (back.name, back.pattern, back.dimension_names) == ("mine", "aab", open_model("aab").dimension_names)
    assert back.model.text(step.token for step in back.model.generate("aab", 10)) == "aabaabaaba"


def test_the_file_is_what_the_format_says(tmp_path: Path) -> None:
    path = tmp_path / "m.safetensors"
    save_safetensors(open_model("aab"), path)
    raw = path.read_bytes()
    length = int.from_bytes(raw[:8], "little")
    header = json.loads(raw[8 : 8 + length])
    start, stop = header["wte"]["data_offsets"]
    wte = np.frombuffer(raw[8 + length :][start:stop], "<f4").reshape(header["wte"]["shape"])
    assert np.array_equal(wte, open_model("aab").model.parameters["wte"])


def rewritten(path: Path, change: Any) -> Path:
    """The file with its header changed by `change(header)`."""
    raw = path.read_bytes()
    length = int.from_bytes(raw[:8], "little")
    header = json.loads(raw[8 : 8 + length])
    text = change(header)
    new = (text if isinstance(text, str) else json.dumps(header)).encode()
    bad = path.with_name("bad.safetensors")
    bad.write_bytes(len(new).to_bytes(8, "little") + new + raw[8 + length :])
    return bad


def put(*keys: str, value: Any) -> Any:
    def change(header: dict[str, Any]) -> None:
        for key in keys[:-1]:
            header = header[key]
        header[keys[-1]] = value

    return change


@pytest.mark.parametrize(
    "change",
    [
        put("wte", "shape", value=[2**40, 2**40]),
        put("wte", "shape", value=[-2, -8]),
        put("wte", "shape", value=[2.0, 8.0]),
        put("wte", "shape", value=[True, 16]),
        put("wte", "data_offsets", value=[0, 2**62]),
        put("wte", "data_offsets", value=[8, 0]),
        put("wte", "data_offsets", value=[4, 68]),
        put("wte", "dtype", value="F8_E4M3"),
        put("wte", value=3),
        put("wte", "extra", value=1),
        put("__metadata__", value={"format": "attention-visualizer", "version": "1"}),
        put("__metadata__", value={}),
        put("__metadata__", value=[]),
        put("__metadata__", "version", value="99"),
        put("__metadata__", "model", value='{"config": {"n_layers": 1}, "tokenizer": null}'),
        put("__metadata__", "model", value="[" * 100_000),
        lambda _header: '{"wte": 1, "wte": 2}',
        lambda _header: "[]",
        lambda _header: "[" * 200_000,
        lambda header: header.pop("wte") and None,
        lambda header: header.update(unknown=header.pop("wte")),
    ],
)
def test_a_file_that_contradicts_itself_is_refused_in_one_line(tmp_path: Path, change: Any) -> None:
    path = tmp_path / "m.safetensors"
    save_safetensors(open_model("aab"), path)
    with pytest.raises(InputError) as refusal:
        open_model(rewritten(path, change))
    assert "\n" not in str(refusal.value)


def of_config(**fields: Any) -> Any:
    def change(header: dict[str, Any]) -> None:
        about = json.loads(header["__metadata__"]["model"])
        about["config"] |= fields
        header["__metadata__"]["model"] = json.dumps(about)

    return change


@pytest.mark.parametrize(
    "fields",
    [
        {"n_layers": 10**12},
        {"n_layers": 10**400},
        {"d_model": 10**400},
        {"n_layers": None},
        {"eps": "small"},
        {"attn_only": "no"},
        {"act_fn": ["relu"]},
        {"dtype": "float16"},
        {"n_key_value_heads": 10**9},
    ],
    ids=str,
)
def test_a_configuration_that_does_not_fit_the_tensors_is_refused_at_once(
    tmp_path: Path, fields: dict[str, Any]
) -> None:
    path = tmp_path / "m.safetensors"
    save_safetensors(open_model("aab"), path)
    with pytest.raises(InputError) as refusal:
        open_model(rewritten(path, of_config(**fields)))
    assert "\n" not in str(refusal.value)


def test_every_truncation_is_refused(tmp_path: Path) -> None:
    path, cut = tmp_path / "m.safetensors", tmp_path / "cut.safetensors"
    save_safetensors(open_model("aab"), path)
    raw = path.read_bytes()
    for size in (0, 1, 7, 8, 9, 500, len(raw) // 2, len(raw) - 1):
        cut.write_bytes(raw[:size])
        with pytest.raises(FormatError):
            open_model(cut)


def test_an_unwritable_place_leaves_nothing_behind(tmp_path: Path) -> None:
    with pytest.raises(FormatError, match="cannot write"):
        save_safetensors(open_model("aab"), tmp_path / "no" / "m.safetensors")
    assert list(tmp_path.iterdir()) == []
