"""Damaged checkpoints: a run goes on from them as it was, or they are refused in a sentence before anything is made."""

from __future__ import annotations

import io
import json
import random
import struct
import tracemalloc
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.formats.mutations import mutated_bytes, mutated_json
from tests.formats.test_checkpoint import SETTINGS, about, ids_of, npy, rewritten, saved
from visualizer.engine.adam import AdamSettings
from visualizer.engine.training import Trainer, TrainingSettings
from visualizer.errors import ExplodedError, FormatError, TrainingError
from visualizer.formats.checkpoint import ARRAYS, load_checkpoint, read_recipe, steps_kept

SEEDS = range(10)
MUTANTS = 60  # of each seed

#: Arrays that stand where others should.
STRANGE: tuple[Any, ...] = (
    np.array(np.nan), np.array(np.inf), np.array(-1), np.array(0.5), np.array(True), np.array(2**63, np.uint64),
    np.array([1]), np.array([1, 2]), np.zeros(0), np.zeros((2, 0)), np.array(["a"]), np.array([1j]),
    np.array("now", "M8"), np.zeros(3, ">f4"), np.zeros(3, [("a", "<f4")]), np.asfortranarray(np.zeros((2, 3))),
    np.zeros((1,) * 20),
)  # fmt: skip


def loaded_or_refused(path: Path) -> Trainer | None:
    """The trainer of a file, which can make a step; None where it is refused as it should be."""
    try:
        trainer = load_checkpoint(path, ids_of)[0]
        read_recipe(path)
        assert steps_kept(path) == (trainer.step, trainer.settings.steps)
    except (FormatError, TrainingError) as error:
        said = str(error)
        fitting = isinstance(error, FormatError) or "was made on another text" in said
        if not fitting or not said.isprintable() or len(said) > 600:
            raise AssertionError(f"no message for a damaged file: {said!r}") from error
        return None
    if trainer.settings.batch < 100 and trainer.settings.evaluation_windows < 1000:
        try:
            for _ in zip(range(2), trainer.steps(), strict=False):
                pass
        except ExplodedError:
            pass  # its numbers were damaged
    return trainer


def with_header(data: bytes, header: str) -> bytes:
    """An .npy file with another header, of the same length."""
    length = int.from_bytes(data[8:10], "little")
    return data[:10] + header.ljust(length - 1).encode()[: length - 1] + b"\n" + data[10 + length :]


def damaged(path: Path, chance: random.Random) -> Path:
    """A copy with something changed: bytes anywhere, bytes of one part, its description, an array, a header."""
    part = f"{chance.choice(('about', *ARRAYS))}.npy"
    match chance.randrange(6):
        case 0:
            bad = path.with_name("bad.checkpoint")
            bad.write_bytes(mutated_bytes(path.read_bytes(), chance))
            return bad
        case 1:
            return rewritten(path, lambda members: members.update({part: mutated_bytes(members[part], chance)}))
        case 2:
            strange = npy(chance.choice(STRANGE))
            return rewritten(path, lambda members: members.update({part: strange}))
        case 3:
            header = chance.choice(HEADERS)
            return rewritten(path, lambda members: members.update({part: with_header(members[part], header)}))
    return rewritten(path, mutated_about(chance))


def mutated_about(chance: random.Random) -> Callable[[dict[str, bytes]], None]:
    def apply(members: dict[str, bytes]) -> None:
        described = json.loads(np.load(io.BytesIO(members["about.npy"])).tobytes())
        text = json.dumps(mutated_json(described, chance))
        members["about.npy"] = npy(np.frombuffer(text.encode(), np.uint8))

    return apply


HEADERS = (
    "{'descr': '<f4', 'fortran_order': False, 'shape': (True,), }",
    "{'descr': '<f4', 'fortran_order': False, 'shape': (-1,), }",
    "{'descr': '<f4', 'fortran_order': False, 'shape': (1.5,), }",
    "{'descr': '<f4', 'fortran_order': 3, 'shape': (3,), }",
    "{'descr': '<f4', 'shape': (3,), }",
    "{'descr': [['a', '<f4']], 'fortran_order': False, 'shape': (3,), }",
    "{'descr': 'O', 'fortran_order': False, 'shape': (), }",
    "{'descr': '<f4', 'fortran_order': False, 'shape': (3L,), }",
    "{1: 2, 'descr': '<f4'}",
    "(" * 60,
    "{'descr': '<f4', 'fortran_order': False, 'shape': (99999999999999999999999999,), }",
    "\x00",
    "[]",
)


@pytest.mark.parametrize("seed", SEEDS)
def test_a_damaged_checkpoint_is_refused_or_goes_on(tmp_path: Path, seed: int) -> None:
    chance = random.Random(seed)
    path = tmp_path / "run.checkpoint"
    saved(path)
    refused = sum(loaded_or_refused(damaged(path, chance)) is None for _ in range(MUTANTS))
    assert MUTANTS / 2 < refused <= MUTANTS


ABOUT: dict[str, Callable[[Any], Any]] = {
    "a fractional batch": lambda d: d["settings"].update(batch=2.5),
    "a fractional seed": lambda d: d["settings"].update(seed=0.5),
    "a truth for steps": lambda d: d["settings"].update(steps=True),
    "a batch beyond memory": lambda d: d["settings"].update(batch=10**8),
    "windows beyond memory": lambda d: d["settings"].update(evaluation_windows=10**9),
    "an end of lines that is no id": lambda d: d["settings"].update(begin_after="a"),
    "one beta": lambda d: d["adam"].update(betas=[0.9]),
    "three betas": lambda d: d["adam"].update(betas=[0.9, 0.9, 0.9]),
    "a beta that is a text": lambda d: d["adam"].update(betas=["a", 0.9]),
    "a rate of 400 digits": lambda d: d["adam"].update(lr=10**400),
    "a warm-up of 400 digits": lambda d: d["adam"].update(warmup=10**400),
    "no rate": lambda d: d["adam"].pop("lr"),
    "a billion blocks": lambda d: d["config"].update(n_layers=10**9),
    "more blocks than parameters": lambda d: d["config"].update(n_layers=14),
    "a width of 20,000": lambda d: d["config"].update(d_model=20_000),
    "positions without end": lambda d: d["config"].update(n_ctx=10**9, positional_embedding_type="sinusoidal"),
    "a parameter twice": lambda d: d["parameters"].append(d["parameters"][0]),
    "a parameter that is no name": lambda d: d["parameters"].append([]),
    "a missing parameter": lambda d: d["parameters"].remove("wte"),
    "another alphabet": lambda d: d["tokenizer"]["alphabet"].append("c"),
    "no digest": lambda d: d.update(corpus=3),
    "no tokenizer": lambda d: d.pop("tokenizer"),
    "an unknown setting": lambda d: d["settings"].update({"\ud800": 1}),
}  # fmt: skip


@pytest.mark.parametrize("change", ABOUT.values(), ids=ABOUT)
def test_a_description_that_cannot_be_is_refused_before_anything_is_made(
    tmp_path: Path, change: Callable[[Any], Any]
) -> None:
    saved(tmp_path / "run.checkpoint")
    bad = rewritten(tmp_path / "run.checkpoint", about(change))
    tracemalloc.start()
    try:
        with pytest.raises(FormatError, match=r"bad\.checkpoint' is not a checkpoint of ours: "):
            load_checkpoint(bad, ids_of)
        assert tracemalloc.get_traced_memory()[1] < 2**20
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("value", [np.nan, np.inf, -1, 2.5, True], ids=str)
def test_a_step_that_is_no_count_is_refused(tmp_path: Path, value: float) -> None:
    saved(tmp_path / "run.checkpoint")
    bad = rewritten(tmp_path / "run.checkpoint", lambda members: members.update({"step.npy": npy(np.array(value))}))
    with pytest.raises(FormatError, match=r"is not a checkpoint of ours"):
        load_checkpoint(bad, ids_of)


@pytest.mark.parametrize("header", HEADERS)
@pytest.mark.parametrize("name", ["about", "first"])
def test_a_header_that_numpy_would_not_write_is_refused(tmp_path: Path, name: str, header: str) -> None:
    saved(tmp_path / "run.checkpoint")
    part = f"{name}.npy"
    bad = rewritten(
        tmp_path / "run.checkpoint", lambda members: members.update({part: with_header(members[part], header)})
    )
    with pytest.raises(FormatError, match="a part is not an array of numbers"):
        load_checkpoint(bad, ids_of)


def test_a_number_of_5000_digits_in_the_description_is_refused(tmp_path: Path) -> None:
    saved(tmp_path / "run.checkpoint")

    def change(members: dict[str, bytes]) -> None:
        text = np.load(io.BytesIO(members["about.npy"])).tobytes().replace(b'"seed": 5', b'"seed": ' + b"5" * 5000)
        members["about.npy"] = npy(np.frombuffer(text, np.uint8))

    with pytest.raises(FormatError, match="is not JSON that can be read"):
        load_checkpoint(rewritten(tmp_path / "run.checkpoint", change), ids_of)


def zip_field(raw: bytes, offset: int, size: int, value: int) -> bytes:
    """The file with one field of each entry in its list of members changed."""
    changed = bytearray(raw)
    at = raw.find(b"PK\x01\x02")
    while at >= 0:
        changed[at + offset : at + offset + size] = value.to_bytes(size, "little")
        at = raw.find(b"PK\x01\x02", at + 1)
    return bytes(changed)


ZIPS: dict[str, Callable[[bytes], bytes]] = {
    "encrypted": lambda raw: zip_field(raw, 8, 2, 1),
    "a newer version": lambda raw: zip_field(raw, 6, 2, 99),
    "an unknown compression": lambda raw: zip_field(raw, 10, 2, 97),
    "elsewhere": lambda raw: zip_field(raw, 42, 4, 2**31),
    "larger than the file": lambda raw: zip_field(raw, 24, 4, 2**31),
    "another check sum": lambda raw: zip_field(raw, 16, 4, 12345),
    "strong encryption": lambda raw: zip_field(raw, 8, 2, 0x41),
    "patched data": lambda raw: zip_field(raw, 8, 2, 0x20),
    "a comment": lambda raw: raw[:-2] + b"\x05\x00hello",
    "a long list of members": lambda raw: raw[:-10] + struct.pack("<I", 2**31) + raw[-6:],
}


@pytest.mark.parametrize("change", ZIPS.values(), ids=ZIPS)
def test_a_zip_file_of_another_kind_is_refused(tmp_path: Path, change: Callable[[bytes], bytes]) -> None:
    path = tmp_path / "run.checkpoint"
    saved(path)
    path.write_bytes(change(path.read_bytes()))
    with pytest.raises(FormatError, match=r"run\.checkpoint"):
        load_checkpoint(path, ids_of)


def test_a_part_that_stands_twice_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "run.checkpoint"
    saved(path)
    with zipfile.ZipFile(path, "a") as archive, pytest.warns(UserWarning, match="Duplicate name"):
        archive.writestr("step.npy", npy(np.array(7)))
    with pytest.raises(FormatError, match="is not a checkpoint of ours"):
        load_checkpoint(path, ids_of)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("steps", 1.5), ("batch", True), ("seed", 0.5), ("seed", "a"), ("begin_after", -1), ("begin_after", 0.5),
        ("validation_fraction", "a"), ("validation_fraction", 10**400), ("evaluate_every", 10**400),
    ],
)  # fmt: skip
def test_a_training_setting_of_another_kind_is_refused_by_name(field: str, value: object) -> None:
    with pytest.raises(TrainingError, match=rf"^{field} is "):
        TrainingSettings(**{field: value})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("lr", 10**400), ("lr", "a"), ("warmup", 0.5), ("warmup", 10**400), ("eps", None), ("min_lr", 10**400),
        ("betas", (0.9,)), ("betas", [0.9, 0.9]), ("betas", (0.9, "a")), ("betas", (0.9, 10**400)),
    ],
)  # fmt: skip
def test_an_optimizer_setting_of_another_kind_is_refused_by_name(field: str, value: object) -> None:
    with pytest.raises(TrainingError, match=rf"^{field} "):
        AdamSettings(**{field: value})  # type: ignore[arg-type]


def test_whole_numbers_of_numpy_are_settings_too() -> None:
    assert TrainingSettings(steps=np.int64(3), batch=SETTINGS.batch).steps == 3  # type: ignore[arg-type]
