"""Model files from strangers: whatever is in them, they open whole or are refused in a sentence, at once."""

from __future__ import annotations

import json
import random
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.formats.mutations import mutated_bytes, mutated_json
from tests.formats.test_safetensors import small_model
from tests.tokenizers.learning import train_bpe
from visualizer.errors import FormatError
from visualizer.formats import OpenedModel, open_model, save_safetensors
from visualizer.session.session import Session
from visualizer.tokenizers import CharacterTokenizer

SEEDS = range(8)
MUTANTS = 60  # of each seed, of each kind


def split(raw: bytes) -> tuple[dict[str, Any], bytes]:
    """Header and numbers of a file."""
    length = int.from_bytes(raw[:8], "little")
    return json.loads(raw[8 : 8 + length]), raw[8 + length :]


def joined(header: Any, body: bytes) -> bytes:
    """A file of a header, as JSON text or as a value."""
    raw = (header if isinstance(header, str) else json.dumps(header)).encode()
    return len(raw).to_bytes(8, "little") + raw + body


def described(raw: bytes, change: Callable[[Any], Any]) -> bytes:
    """The file with the model's description changed; `change` returns the new one, as text or as a value."""
    header, body = split(raw)
    new = change(json.loads(header["__metadata__"]["model"]))
    header["__metadata__"]["model"] = new if isinstance(new, str) else json.dumps(new)
    return joined(header, body)


def valid_files(folder: Path) -> list[bytes]:
    """A handmade model with all that a description can hold, and one with norms, an MLP and byte pairs."""
    files = []
    for number, opened in enumerate((open_model("aab"), small_model(train_bpe("hello hello help", 260)))):
        path = folder / f"{number}.safetensors"
        save_safetensors(opened, path)
        files.append(path.read_bytes())
    return files


def opened_or_refused(path: Path, raw: bytes) -> OpenedModel | None:
    """What a file opens as, evaluated once; None where it is refused as it should be."""
    path.write_bytes(raw)
    try:
        opened = open_model(path)
    except FormatError as error:
        said = str(error)
        if not said.isprintable() or len(said) > 600:
            raise AssertionError(f"no message for one line: {said!r}") from error
        return None
    Session(opened)  # a model that opens is one that can be worked with
    return opened


@pytest.mark.parametrize("seed", SEEDS)
def test_a_file_with_changed_bytes_opens_or_is_refused(tmp_path: Path, seed: int) -> None:
    chance = random.Random(seed)
    files = valid_files(tmp_path)
    outcomes = {
        opened_or_refused(tmp_path / "bad.safetensors", mutated_bytes(chance.choice(files), chance)) is None
        for _ in range(MUTANTS)
    }
    assert outcomes == {True, False}  # some changes hit numbers only


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("part", ["header", "description"])
def test_a_file_with_changed_values_opens_or_is_refused(tmp_path: Path, seed: int, part: str) -> None:
    chance = random.Random(seed)
    files = valid_files(tmp_path)
    refused = 0
    for _ in range(MUTANTS):
        raw = chance.choice(files)
        if part == "header":
            header, body = split(raw)
            bad = joined(json.dumps(mutated_json(header, chance)), body)
        else:
            bad = described(raw, lambda about: mutated_json(about, chance))
        refused += opened_or_refused(tmp_path / "bad.safetensors", bad) is None
    assert refused > MUTANTS / 2


def text_with(about: Any, **values: str) -> str:
    """The description as text, with fields of the configuration as they are written here."""
    for name in values:
        about["config"][name] = f"@{name}@"
    text = json.dumps(about)
    for name, value in values.items():
        text = text.replace(f'"@{name}@"', value)
    return text


def with_(**fields: Any) -> Callable[[Any], Any]:
    return lambda about: {**about, **fields}


def without(name: str) -> Callable[[Any], Any]:
    return lambda about: {key: value for key, value in about.items() if key != name}


DESCRIPTIONS: dict[str, tuple[Callable[[Any], Any], str]] = {
    "a number of 5,000 digits": (lambda about: text_with(about, n_ctx="1" * 5000), "is not JSON that can be read"),
    "a number of 400 digits": (lambda about: text_with(about, n_ctx="1" * 400), "n_ctx is of 13.. bits"),
    "not a number": (lambda about: text_with(about, eps="NaN"), "is not JSON"),
    "beyond all numbers": (lambda about: text_with(about, eps="1e999"), "eps is inf"),
    "no tokenizer": (without("tokenizer"), "no 'config' or no 'tokenizer'"),
    "an unused base that is a list": (lambda about: text_with(about, rotary_base="[]"), r"rotary_base is \[\]"),
    "blocks without end": (lambda about: text_with(about, n_layers="1025"), "up to 1024"),
    "an empty pattern": (with_(pattern=""), "pattern is empty"),
    "a pattern of half a character": (with_(pattern="\ud800"), r"pattern cannot be read: .*\\ud800"),
    "a pattern in other letters": (with_(pattern="xyz"), "pattern cannot be read"),
    "a pattern of 2,000,000 characters": (with_(pattern="aab" * 666_667), "text of 2000001 characters"),
    "a pattern that is none": (with_(pattern=[1]), r"pattern is \[1\]"),
    "a pattern and nothing to read it": (with_(tokenizer=None), "no tokenizer to read it"),
    "a prompt of 2,000,000 characters": (with_(prompt="a" * 2_000_000), "text of 2000000 characters"),
    "too few names": (with_(dimension_names=["x"]), "not 8 texts"),
    "a long name": (with_(dimension_names=["x" * 10_000] * 8), "not 8 texts"),
    "a name twice": (lambda about: json.dumps(about)[:-1] + ', "pattern": null}', "stands twice"),
    "a value of 10 MB": (lambda about: text_with(about, act_fn=json.dumps("x" * 10**7)), "act_fn is 'xxx"),
}


@pytest.mark.parametrize(("change", "said"), DESCRIPTIONS.values(), ids=DESCRIPTIONS)
def test_a_description_that_cannot_be_is_refused(tmp_path: Path, change: Callable[[Any], Any], said: str) -> None:
    save_safetensors(open_model("aab"), tmp_path / "m.safetensors")
    bad = tmp_path / "bad.safetensors"
    bad.write_bytes(described((tmp_path / "m.safetensors").read_bytes(), change))
    with pytest.raises(FormatError, match=rf"bad\.safetensors': .*{said}") as refusal:
        open_model(bad)
    assert len(str(refusal.value)) <= 600


@pytest.mark.parametrize(
    "entry",
    [
        '{"dtype": [], "shape": [1], "data_offsets": [0, 4]}',
        '{"dtype": "F32", "shape": [1], "data_offsets": [0, ' + "4" * 5000 + "]}",
        '{"dtype": "F32", "shape": [' + "1" * 5000 + '], "data_offsets": [0, 4]}',
        '{"dtype": "F32", "shape": [' + "1," * 63 + '1], "data_offsets": [0, 4]}',
        '{"dtype": {}, "shape": [1], "data_offsets": [0, 4]}',
        '{"dtype": "' + "F" * 10**7 + '", "shape": [1], "data_offsets": [0, 4]}',
        "NaN",
        '"' + "x" * 10**7 + '"',
    ],
    ids=["dtype", "offset", "size", "axes", "object", "long", "nan", "text"],
)
def test_an_entry_that_cannot_be_is_refused(tmp_path: Path, entry: str) -> None:
    path = tmp_path / "bad.safetensors"
    path.write_bytes(joined(f'{{"wte": {entry}}}', b"1234"))
    with pytest.raises(FormatError) as refusal:
        open_model(path)
    assert len(str(refusal.value)) <= 600


def entries(count: int) -> str:
    return ",".join(f'"{n}":{{"dtype":"F32","shape":[0],"data_offsets":[0,0]}}' for n in range(count))


LARGE = {
    "700,000 entries": lambda: "{" + entries(700_000) + "}",
    "empty objects": lambda: '{"wte":[' + "{}," * 10_000_000 + "{}]}",
    "empty lists": lambda: '{"wte":{"dtype":' + "[]," * 10_000_000 + "[]}}",
    "notes": lambda: '{"__metadata__":{' + ",".join(f'"{n}":""' for n in range(1_000_000)) + "}}",
}


@pytest.mark.parametrize("make", LARGE.values(), ids=LARGE)
def test_a_header_of_many_parts_is_refused_before_they_are_made(tmp_path: Path, make: Callable[[], str]) -> None:
    path = tmp_path / "large.safetensors"
    text = make()
    path.write_bytes(joined(text, b""))
    tracemalloc.start()
    try:
        with pytest.raises(FormatError):
            open_model(path)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 2.5 * len(text)  # its bytes and its text


def test_a_header_that_is_too_long_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "long.safetensors"
    length = 2**26
    with path.open("wb") as file:
        file.write(length.to_bytes(8, "little"))
        file.truncate(8 + length)
    with pytest.raises(FormatError, match=f"has a header of {length} bytes; at most"):
        open_model(path)


@pytest.mark.parametrize("part", ["{},", "[],", "1,"])
def test_a_description_of_many_parts_is_refused_before_they_are_made(tmp_path: Path, part: str) -> None:
    save_safetensors(open_model("aab"), tmp_path / "m.safetensors")
    bad = tmp_path / "bad.safetensors"
    text = '{"config":[' + part * (12_000_000 // len(part)) + "0]}"
    bad.write_bytes(described((tmp_path / "m.safetensors").read_bytes(), lambda _about: text))
    tracemalloc.start()
    try:
        with pytest.raises(FormatError, match="holds more than"):
            open_model(bad)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 6 * len(text)


def test_a_model_of_many_blocks_opens_in_a_time_that_grows_with_them(tmp_path: Path) -> None:
    """The graph of 1,024 blocks took minutes when each operation was looked for among all."""
    from visualizer.engine.config import ModelConfig
    from visualizer.engine.graph import build_graph

    config = ModelConfig(n_layers=1024, d_model=1, n_ctx=2, d_vocab=2, n_heads=1, attn_only=True)
    graph = build_graph(config, frozenset({"wte", "wpe"}))
    assert [op.name for op in graph.readout] == ["ln_final.normalized", "logits"]
    assert len(graph.operations) > 10 * 1024


def test_a_file_that_becomes_shorter_while_it_is_read_is_refused(tmp_path: Path, monkeypatch: Any) -> None:
    from visualizer.formats import safetensors

    path = tmp_path / "m.safetensors"
    save_safetensors(small_model(CharacterTokenizer("abc")), path)
    header = safetensors.read_header(path)
    path.write_bytes(path.read_bytes()[:-8])
    monkeypatch.setattr(safetensors, "read_header", lambda _path: header)
    with pytest.raises(FormatError, match="changed meanwhile"):
        open_model(path)
    path.unlink()
    with pytest.raises(FormatError, match="No such file"):
        safetensors.load_safetensors(path)


def test_numbers_that_are_no_numbers_open_as_they_are(tmp_path: Path) -> None:
    opened = open_model("aab")
    wte = np.full_like(opened.model.parameters["wte"], np.nan)
    save_safetensors(OpenedModel(opened.model.replace({"wte": wte}), "n", "n", "aab"), tmp_path / "n.safetensors")
    assert np.isnan(open_model(tmp_path / "n.safetensors").model.parameters["wte"]).all()
