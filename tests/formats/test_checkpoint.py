"""Checkpoints: a run goes on from its file to the very same numbers, and a damaged or foreign file is refused."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from visualizer.engine.adam import AdamSettings
from visualizer.engine.config import ModelConfig
from visualizer.engine.training import Trainer, TrainingSettings
from visualizer.errors import FormatError, InputError, TrainingError
from visualizer.formats.checkpoint import (
    ARRAYS,
    checkpoint_path,
    fingerprint,
    load_checkpoint,
    read_recipe,
    save_checkpoint,
)
from visualizer.tokenizers import CharacterTokenizer, Tokenizer

TEXT = "aab\n" * 60
TOKENIZER = CharacterTokenizer("\nab")
SETTINGS = TrainingSettings(
    steps=9, batch=3, seed=5, validation_fraction=0.2, evaluate_every=4, evaluation_windows=7, begin_after=0,
    optimizer=AdamSettings(lr=0.01, betas=(0.8, 0.95), eps=1e-7, weight_decay=0.1, grad_clip=0.5, warmup=2, min_lr=0.3),
)  # fmt: skip


def ids_of(tokenizer: Tokenizer, text: str = TEXT) -> NDArray[np.intp]:
    return np.array(tokenizer.encode(text), dtype=np.intp)


def trainer(dtype: str = "float32") -> Trainer:
    config = ModelConfig(
        n_layers=1, d_model=4, n_heads=2, n_ctx=5, d_vocab=3, act_fn="gelu", d_mlp=6, tie_embeddings=False, dtype=dtype
    )
    return Trainer(config, ids_of(TOKENIZER), SETTINGS)


def saved(path: Path, steps: int = 3, dtype: str = "float32") -> Trainer:
    begun = trainer(dtype)
    made = begun.steps()
    for _ in range(steps):
        next(made)
    made.close()  # type: ignore[attr-defined]
    save_checkpoint(path, begun, TOKENIZER, fingerprint(begun_ids()), "visualizer train text.txt")
    return begun


def begun_ids() -> NDArray[np.intp]:
    return ids_of(TOKENIZER)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("steps", [0, 3, 6, 9])
def test_a_run_goes_on_from_its_file_to_the_very_same_numbers(tmp_path: Path, steps: int, dtype: str) -> None:
    path = tmp_path / "run.checkpoint"
    saved(path, steps, dtype)
    again, tokenizer, digest = load_checkpoint(path, ids_of)
    assert again.step == steps
    assert again.settings == SETTINGS
    assert again.config == trainer(dtype).config
    assert tokenizer.to_dict() == TOKENIZER.to_dict()
    assert digest == fingerprint(begun_ids())
    expected = trainer(dtype)
    for run in (again, expected):
        for _ in run.steps():
            pass
    for name, array in expected.state().items():
        assert again.state()[name].tobytes() == array.tobytes(), name


def test_a_run_of_a_model_without_biases_goes_on_to_the_same_numbers(tmp_path: Path) -> None:
    first = trainer()
    without = {name: array for name, array in first.parameters().items() if not name.endswith(".b")}
    whole, begun = (Trainer(first.config, begun_ids(), SETTINGS, without) for _ in range(2))
    next(begun.steps())
    save_checkpoint(tmp_path / "run", begun, TOKENIZER, fingerprint(begun_ids()))
    resumed = load_checkpoint(tmp_path / "run", ids_of)[0]
    for run in (whole, resumed):
        assert [progress.step for progress in run.steps()][-1] == SETTINGS.steps
    assert resumed.names == list(without)
    np.testing.assert_array_equal(resumed.flat, whole.flat)


def test_more_steps_than_planned_can_be_asked_for(tmp_path: Path) -> None:
    path = tmp_path / "run.checkpoint"
    saved(path, 9)
    again, _, _ = load_checkpoint(path, ids_of, steps=11)
    assert [progress.step for progress in again.steps()] == [10, 11]


def test_a_checkpoint_keeps_the_command_that_began_it_and_stands_beside_the_model(tmp_path: Path) -> None:
    path = checkpoint_path(tmp_path / "m.safetensors")
    assert path == tmp_path / "m.safetensors.checkpoint"
    saved(path)
    assert read_recipe(path) == "visualizer train text.txt"


def test_another_text_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "run.checkpoint"
    saved(path)
    with pytest.raises(TrainingError, match="was made on another text; that one is needed"):
        load_checkpoint(path, lambda tokenizer: ids_of(tokenizer, "abb\n" * 60))


def test_writing_leaves_nothing_else_behind_and_replaces_what_was_there(tmp_path: Path) -> None:
    path = tmp_path / "run.checkpoint"
    saved(path, 1)
    saved(path, 2)
    assert [file.name for file in tmp_path.iterdir()] == ["run.checkpoint"]
    assert load_checkpoint(path, ids_of)[0].step == 2


# -- what is no checkpoint


def rewritten(path: Path, change: Callable[[dict[str, bytes]], None], compression: int = zipfile.ZIP_STORED) -> Path:
    """The file with its members changed."""
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    change(members)
    bad = path.with_name("bad.checkpoint")
    with zipfile.ZipFile(bad, "w", compression) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return bad


def about(change: Callable[[dict[str, Any]], None]) -> Callable[[dict[str, bytes]], None]:
    """A change of the description."""

    def apply(members: dict[str, bytes]) -> None:
        described = json.loads(np.load(io.BytesIO(members["about.npy"])).tobytes())
        change(described)
        members["about.npy"] = npy(np.frombuffer(json.dumps(described).encode(), np.uint8))

    return apply


def npy(array: NDArray[Any]) -> bytes:
    file = io.BytesIO()
    np.save(file, array)
    return file.getvalue()


def declared(shape: str) -> bytes:
    """An array that says it is larger than the numbers that follow."""
    data = npy(np.zeros(3, np.float32))
    return data.replace(b"'shape': (3,), }" + b" " * (len(shape) - 4), b"'shape': " + shape.encode() + b", }")


@pytest.mark.parametrize("name", ["about", *ARRAYS])
def test_a_file_that_lacks_a_part_is_refused(tmp_path: Path, name: str) -> None:
    saved(tmp_path / "run.checkpoint")
    bad = rewritten(tmp_path / "run.checkpoint", lambda members: members.__delitem__(f"{name}.npy"))
    with pytest.raises(FormatError, match=r"bad\.checkpoint' is not a checkpoint of ours"):
        load_checkpoint(bad, ids_of)


CHANGES: dict[str, Callable[[dict[str, bytes]], None]] = {
    "not JSON": lambda members: members.update({"about.npy": npy(np.frombuffer(b"{", np.uint8))}),
    "a list": lambda members: members.update({"about.npy": npy(np.frombuffer(b"[]", np.uint8))}),
    "no config": about(lambda described: described.__delitem__("config")),
    "a wrong setting": about(lambda described: described["settings"].update(steps=0)),
    "a setting of another kind": about(lambda described: described["settings"].update(batch="three")),
    "an unknown setting": about(lambda described: described["settings"].update(colour="red")),
    "no settings": about(lambda described: described.update(settings=[])),
    "betas": about(lambda described: described["adam"].update(betas=3)),
    "a tokenizer of no kind": about(lambda described: described.update(tokenizer={"kind": "words"})),
    "another width": about(lambda described: described["config"].update(d_model=6)),
    "numbers of another shape": lambda members: members.update({"first.npy": npy(np.zeros(3, np.float32))}),
    "a step that is none": lambda members: members.update({"step.npy": npy(np.array([1, 2]))}),
    "losses that are none": lambda members: members.update({"losses.npy": npy(np.zeros(1))}),
    "more than there is": lambda members: members.update({"first.npy": declared("(4611686018427387904,)")}),
    "objects": lambda members: members.update({"first.npy": pickled()}),
    "no array": lambda members: members.update({"first.npy": b"first"}),
}


def pickled() -> bytes:
    file = io.BytesIO()
    np.save(file, np.array([{"a": 1}], dtype=object), allow_pickle=True)
    return file.getvalue()


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_a_file_that_says_what_cannot_be_is_refused(tmp_path: Path, change: Callable[[dict[str, bytes]], None]) -> None:
    saved(tmp_path / "run.checkpoint")
    bad = rewritten(tmp_path / "run.checkpoint", change)
    with pytest.raises(InputError):
        load_checkpoint(bad, ids_of)


def test_a_compressed_file_is_refused_for_it_could_unpack_to_anything(tmp_path: Path) -> None:
    saved(tmp_path / "run.checkpoint")
    bad = rewritten(tmp_path / "run.checkpoint", lambda members: None, zipfile.ZIP_DEFLATED)
    with pytest.raises(FormatError, match="is not a checkpoint of ours"):
        load_checkpoint(bad, ids_of)


@pytest.mark.parametrize("kept", [0, 10, 500, -1])
def test_a_file_that_is_cut_off_is_refused(tmp_path: Path, kept: int) -> None:
    path = tmp_path / "run.checkpoint"
    saved(path)
    path.write_bytes(path.read_bytes()[:kept])
    with pytest.raises(FormatError, match="is not a checkpoint of ours"):
        load_checkpoint(path, ids_of)


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FormatError, match=r"cannot read .*nothing\.checkpoint"):
        load_checkpoint(tmp_path / "nothing.checkpoint", ids_of)
