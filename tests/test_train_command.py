"""`visualizer train` as one runs it: what it prints, writes, refuses, and how it goes on after it was killed."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from visualizer.cli import main
from visualizer.formats import open_model
from visualizer.formats.safetensors import read_header
from visualizer.training_options import SETTINGS_OPTIONS, SHAPE_OPTIONS

ROOT = Path(__file__).resolve().parent.parent
TINY = ["--n-layers", "1", "--n-heads", "1", "--d-model", "8", "--context", "8", "--batch", "4", "--warmup", "5"]
TEXT = "the cat sat on the mat.\n" * 20


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "text.txt").write_text(TEXT, "utf-8")
    return tmp_path


def files(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def test_a_text_becomes_a_model_that_every_command_opens(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["train", "text.txt", "-o", "m.safetensors", "--steps", "120", "--lr", "0.03", *TINY]) == 0
    told = capsys.readouterr()
    last = told.out.splitlines()[-1]
    assert re.fullmatch(r"loss \d+\.\d{4} \d+\.\d{4}", last)
    assert float(last.split()[2]) < 1.0
    assert "step 114/120" in told.err
    assert files(folder) == {"text.txt", "m.safetensors", "m.safetensors.checkpoint"}
    assert main(["complete", "the c", "--model", "m.safetensors", "-n", "5"]) == 0
    assert capsys.readouterr().out.startswith("the c :: at ")
    assert main(["info", "m.safetensors"]) == 0


def test_the_file_says_how_it_was_made_and_begins_with_a_prompt(folder: Path) -> None:
    assert main(["train", "text.txt", "-o", "m.safetensors", "--steps", "3", "--lr", "0.01", *TINY, "--lines"]) == 0
    notes = read_header("m.safetensors").metadata
    assert notes["recipe"] == (
        "visualizer train text.txt --batch 4 --context 8 --d-model 8 --lines --lr 0.01 --n-heads 1 --n-layers 1 "
        "--steps 3 --warmup 5"
    )
    assert notes["step"] == "3"
    assert open_model("m.safetensors").prompt == "the cat"
    repeated = notes["recipe"].split()[1:]
    assert main([*repeated, "-o", "again.safetensors"]) == 0
    assert Path("again.safetensors").read_bytes() == Path("m.safetensors").read_bytes()


def test_a_task_is_trained_on_by_name_and_its_accuracy_is_told(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["train", "task:aab", "--steps", "200", "--lr", "0.03", *TINY]) == 0
    accuracy, loss = capsys.readouterr().out.splitlines()
    assert accuracy == "accuracy 1.000"
    assert loss.startswith("loss ")
    assert files(folder) == {"text.txt", "model.safetensors", "model.safetensors.checkpoint"}


def test_items_too_long_for_the_context_are_told_and_the_model_is_kept(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["train", "task:sort", "--steps", "2", *TINY]) == 0
    told = capsys.readouterr()
    assert "accuracy cannot be told: the item" in told.err
    assert told.out.count("\n") == 1
    assert "model.safetensors" in files(folder)


def test_byte_pairs_are_trained_on_the_text_too(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["train", "text.txt", "--tokenizer", "bpe", "--vocab-size", "262", "--steps", "3", *TINY]) == 0
    tokenizer = open_model("model.safetensors").model.tokenizer
    assert tokenizer is not None
    assert open_model("model.safetensors").model.config.d_vocab == 262
    assert len(tokenizer.encode("the cat")) < 7
    assert tokenizer.decode(tokenizer.encode("nouveau ✓")) == "nouveau ✓"


@pytest.mark.parametrize("options", [[], ["--d-mlp", "0"], ["--positions", "sinusoidal"], ["--seed", "7"]], ids=str)
def test_the_same_command_gives_the_same_file_to_the_byte(folder: Path, options: list[str]) -> None:
    for name in ("one", "two"):
        assert main(["train", "text.txt", "-o", f"{name}.safetensors", "--steps", "8", *TINY, *options]) == 0
    assert Path("one.safetensors").read_bytes() == Path("two.safetensors").read_bytes()
    config = open_model("one.safetensors").model.config
    assert config.attn_only == ("--d-mlp" in options)
    assert (config.positional_embedding_type == "sinusoidal") == ("sinusoidal" in options)


def test_a_single_character_over_and_over_is_learned_at_once(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Path("a.txt").write_text("a" * 40, "utf-8")
    assert main(["train", "a.txt", "--steps", "2", *TINY]) == 0
    assert capsys.readouterr().out == "loss 0.0000 0.0000\n"


# -- what is refused


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("empty.txt", b"", "'empty.txt' is empty; a text to train on is needed"),
        ("bytes.txt", b"abc\xff", "'bytes.txt' is not UTF-8 text: byte 0xff at 3"),
        ("short.txt", b"abcdefghijklmnopq", "the text has 17 tokens; with a context of 8, at least 18 are needed"),
        ("gone.txt", None, "cannot read 'gone.txt': No such file"),
        ("task:gone", None, "there is no 'task:gone'; there are corpus:rhymes, task:induction"),
    ],
)
def test_a_text_that_does_not_do_is_refused_in_one_line(
    folder: Path, capsys: pytest.CaptureFixture[str], name: str, content: bytes | None, said: str
) -> None:
    if content is not None:
        Path(name).write_bytes(content)
    before = files(folder)
    assert main(["train", name, *TINY]) == 2
    assert_refused(capsys, said)
    assert files(folder) == before


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["-o", "m.bin"], "'m.bin' does not end in .safetensors"),
        (["-o", "no/m.safetensors"], "there is no folder 'no' to write to"),
        (["--resume"], "there is no checkpoint 'model.safetensors.checkpoint' to go on from; begin without --resume"),
        (["--n-heads", "3"], "d_model 8 is not a multiple of n_heads 3"),
        (["--lr", "0"], "lr is 0.0; a number above 0 is needed"),
        (["--steps", "0"], "steps is 0; a whole number of at least 1 is needed"),
        (["--steps", "many"], "argument --steps: 'many' is not a whole number of at most 18 digits"),
        (["--checkpoint-every", "0"], "--checkpoint-every is 0; seconds above 0 are needed"),
        (["--tokenizer", "bpe", "--vocab-size", "3"], "256"),
        (["--positions", "rotary"], "invalid choice: 'rotary'"),
    ],
    ids=str,
)
def test_an_option_that_does_not_do_is_refused_in_one_line(
    folder: Path, capsys: pytest.CaptureFixture[str], options: list[str], said: str
) -> None:
    assert main(["train", "text.txt", *TINY, *options]) == 2
    assert_refused(capsys, said)
    assert files(folder) == {"text.txt"}


WHOLE = [name for name, kind, _ in (*SHAPE_OPTIONS, *SETTINGS_OPTIONS) if kind is int]
NUMBERS = [*(name for name, kind, _ in SETTINGS_OPTIONS if kind is float), "checkpoint_every"]


@pytest.mark.parametrize("typed", ["9" * 400, "9" * 5000, "٣", "²", "1_0", "1.5", "nan", "-" + "9" * 18])
@pytest.mark.parametrize("name", WHOLE)
def test_what_is_no_whole_number_or_far_too_large_is_refused_in_one_line(
    folder: Path, capsys: pytest.CaptureFixture[str], name: str, typed: str
) -> None:
    option = f"--{name.replace('_', '-')}"
    extra = ["--tokenizer", "bpe"] if name == "vocab_size" else []
    assert main(["train", "text.txt", *TINY, *extra, f"{option}={typed}"]) == 2
    assert_refused(capsys, "")
    assert files(folder) == {"text.txt"}


@pytest.mark.parametrize("typed", ["nan", "-1", "٣", "1_0", "0,003", "9" * 5000])
@pytest.mark.parametrize("name", NUMBERS)
def test_what_is_no_number_is_refused_in_one_line(
    folder: Path, capsys: pytest.CaptureFixture[str], name: str, typed: str
) -> None:
    if name == "checkpoint_every" and typed == "9" * 5000:
        typed = "nan"
    assert main(["train", "text.txt", *TINY, f"--{name.replace('_', '-')}={typed}"]) == 2
    assert_refused(capsys, "")
    assert files(folder) == {"text.txt"}


@pytest.mark.parametrize("name", [name for name in WHOLE if name not in ("seed", "warmup")])
def test_the_largest_sizes_are_refused_before_anything_is_made(
    folder: Path, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    sizes = [f"--{name.replace('_', '-')}={'9' * 18}"]
    if name == "steps":
        sizes.append("--batch=0")
    extra = ["--tokenizer", "bpe"] if name == "vocab_size" else []
    assert main(["train", "text.txt", *TINY, *extra, *sizes]) == 2
    assert_refused(capsys, "")
    assert files(folder) == {"text.txt"}


def test_lines_are_refused_where_there_are_none(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Path("line.txt").write_text("abc" * 30, "utf-8")
    assert main(["train", "line.txt", "--lines", *TINY]) == 2
    assert_refused(capsys, r"no token for '\n'")


def assert_refused(capsys: pytest.CaptureFixture[str], said: str) -> None:
    told = capsys.readouterr()
    assert told.out == ""
    assert told.err.startswith("visualizer: ")
    assert said in told.err
    assert told.err.count("\n") == 1


def test_an_exploding_loss_keeps_the_last_good_parameters_and_says_so(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["train", "text.txt", "--steps", "200", "--lr", "1e6", "--clip", "0", *TINY, "--warmup", "0"]) == 1
    told = capsys.readouterr()
    assert told.out == ""
    assert re.search(r"visualizer: training stopped at step \d+: .*they are in 'model\.safetensors'\n$", told.err)
    arrays = open_model("model.safetensors").model.parameters.values()
    assert all(np.isfinite(array).all() for array in arrays)


# -- stopped and killed


def test_more_steps_go_on_from_where_a_finished_run_ended(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["train", "text.txt", "--steps", "4", *TINY]) == 0
    first = open_model("model.safetensors").model.parameters
    assert main(["train", "text.txt", "--resume"]) == 0
    assert main(["train", "text.txt", "--resume", "--steps", "6"]) == 0
    assert "step 6/6" in capsys.readouterr().err
    notes = read_header("model.safetensors").metadata
    assert notes["step"] == "6"
    assert notes["recipe"].endswith("--steps 4 --warmup 5, then --resume --steps 6")
    assert not np.array_equal(first["wte"], open_model("model.safetensors").model.parameters["wte"])


def test_another_text_cannot_go_on(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["train", "text.txt", "--steps", "2", *TINY]) == 0
    capsys.readouterr()
    Path("text.txt").write_text(TEXT.replace("mat", "cat"), "utf-8")
    assert main(["train", "text.txt", "--resume"]) == 2
    assert "was made on another text" in capsys.readouterr().err


def test_a_killed_run_goes_on_to_the_very_same_model(folder: Path) -> None:
    command = [sys.executable, "-m", "visualizer", "train", str(folder / "text.txt"), *TINY, "--steps", "1500"]
    subprocess.run([*command, "-o", str(folder / "whole.safetensors")], cwd=ROOT, check=True, capture_output=True)
    killed = [*command, "-o", str(folder / "killed.safetensors"), "--checkpoint-every", "0.05"]
    with subprocess.Popen(killed, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        checkpoint = folder / "killed.safetensors.checkpoint"
        ends = time.monotonic() + 60
        while not checkpoint.exists() and process.poll() is None and time.monotonic() < ends:
            time.sleep(0.01)
        process.kill()
    assert process.returncode == -signal.SIGKILL
    assert checkpoint.exists()
    assert not (folder / "killed.safetensors").exists()
    subprocess.run([*killed, "--resume"], cwd=ROOT, check=True, capture_output=True)
    whole, resumed = (open_model(folder / f"{name}.safetensors").model for name in ("whole", "killed"))
    for name, array in whole.parameters.items():
        assert np.array_equal(array, resumed.parameters[name]), name


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_run_that_is_asked_to_stop_keeps_its_state_and_says_how_to_go_on(
    folder: Path, number: signal.Signals
) -> None:
    command = [sys.executable, "-m", "visualizer", "train", str(folder / "text.txt"), *TINY, "--steps", "1000000"]
    output = ["-o", str(folder / "m.safetensors")]
    with subprocess.Popen([*command, *output], cwd=ROOT, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        for line in process.stderr:
            if line.startswith("step "):
                process.send_signal(number)
                break
        rest = process.stderr.read()
    assert process.returncode == 130
    assert re.search(r"stopped at step \d+; go on with --resume\n$", rest)
    assert files(folder) == {"text.txt", "m.safetensors.checkpoint"}
