"""`visualizer train` loses nothing: what stands there, what was learned, and what was asked for."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from visualizer.cli import main
from visualizer.errors import FormatError
from visualizer.formats import open_model
from visualizer.formats.checkpoint import checkpoint_path, steps_kept
from visualizer.formats.safetensors import read_header
from visualizer.session.training.file_run import FileRun

ROOT = Path(__file__).resolve().parent.parent
TINY = ["--n-layers", "1", "--n-heads", "1", "--d-model", "8", "--context", "8", "--batch", "4", "--warmup", "5"]
TEXT = "the cat sat on the mat.\n" * 20
MODEL, CHECKPOINT = "model.safetensors", "model.safetensors.checkpoint"
TRAIN = ["train", "text.txt", *TINY]
posix = pytest.mark.skipif(os.name != "posix", reason="signals, links and permissions as on Unix")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "text.txt").write_text(TEXT, "utf-8")
    return tmp_path


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}


def refused(capsys: pytest.CaptureFixture[str]) -> str:
    """The one line with which a command was refused."""
    told = capsys.readouterr()
    assert told.out == ""
    assert told.err.startswith("visualizer: ")
    assert told.err.count("\n") == 1
    return told.err


# -- what stands there


def test_a_longer_run_is_not_overwritten_by_a_new_one(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*TRAIN, "--steps", "6"]) == 0
    before = contents(folder)
    capsys.readouterr()
    assert main([*TRAIN, "--steps", "3", "--seed", "1"]) == 2
    assert f"{CHECKPOINT!r} keeps a run at step 6 of 6; --resume goes on with it" in refused(capsys)
    assert contents(folder) == before
    assert main([*TRAIN, "--steps", "6", "--seed", "1"]) == 0  # as long: its model takes the place of the other, too


def test_a_run_that_was_stopped_is_not_overwritten_by_the_same_command(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with stopping_after(monkeypatch, 4):
        assert main([*TRAIN, "--steps", "50"]) == 130
    before = contents(folder)
    capsys.readouterr()
    assert main([*TRAIN, "--steps", "50"]) == 2
    assert "keeps a run at step 4 of 50" in refused(capsys)
    assert contents(folder) == before
    assert main([*TRAIN, "--steps", "50", "--resume"]) == 0
    assert steps_kept(Path(CHECKPOINT)) == (50, 50)


@contextmanager
def stopping_after(monkeypatch: pytest.MonkeyPatch, steps: int) -> Iterator[None]:
    """A run that gets Ctrl+C after so many steps."""
    from visualizer.engine.training import Trainer

    make = Trainer._step

    def step(self: Trainer, *arguments: object) -> object:
        if self.step + 1 == steps:
            signal.raise_signal(signal.SIGINT)
        return make(self, *arguments)  # type: ignore[arg-type]

    with monkeypatch.context() as patch:
        patch.setattr(Trainer, "_step", step)
        yield


def test_what_is_no_checkpoint_of_ours_is_not_overwritten(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Path(CHECKPOINT).write_bytes(b"somebody's")
    assert main([*TRAIN, "--steps", "3"]) == 2
    assert "move it away, or name another output" in refused(capsys)
    assert Path(CHECKPOINT).read_bytes() == b"somebody's"


@pytest.mark.parametrize("how", ["name", "link", "hard link", "checkpoint"])
def test_the_corpus_is_not_overwritten(folder: Path, capsys: pytest.CaptureFixture[str], how: str) -> None:
    corpus = Path(CHECKPOINT if how == "checkpoint" else "c.safetensors")
    corpus.write_text(TEXT, "utf-8")
    output = Path("c.safetensors" if how == "name" else MODEL)
    if how == "link":
        output.symlink_to("c.safetensors")
    elif how == "hard link":
        output.hardlink_to(corpus)
    assert main(["train", str(corpus), "-o", str(output), *TINY, "--steps", "2"]) == 2
    assert "is the corpus, which would be overwritten; name another output" in refused(capsys)
    assert corpus.read_text("utf-8") == TEXT


# -- what could not be written


def never(*_: object) -> None:
    raise AssertionError("it was trained before the place was looked at")


@pytest.mark.parametrize(
    ("place", "said"),
    [
        ("folder.safetensors", "it is a folder"),
        ("m" * 300 + ".safetensors", "name too long"),
        pytest.param("readonly.safetensors", "it is read-only", marks=posix),
        ("beside.safetensors", "'beside.safetensors.checkpoint': it is a folder"),
        pytest.param(
            "/proc/m.safetensors",
            "cannot write '/proc/m.safetensors'",
            marks=pytest.mark.skipif(not Path("/proc/self").exists(), reason="a folder that takes no file is needed"),
        ),
    ],
    ids=["folder", "too long", "read-only", "checkpoint", "folder that takes none"],
)
@pytest.mark.parametrize("resume", [[], ["--resume"]], ids=["new", "resumed"])
def test_a_place_that_cannot_be_written_to_is_refused_before_training(
    folder: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    place: str,
    said: str,
    resume: list[str],
) -> None:
    Path("folder.safetensors").mkdir()
    Path("beside.safetensors.checkpoint").mkdir()
    Path("readonly.safetensors").write_bytes(b"theirs")
    Path("readonly.safetensors").chmod(0o444)
    before = contents(folder)
    monkeypatch.setattr(FileRun, "begin", never)
    monkeypatch.setattr(FileRun, "resume", never)
    assert main([*TRAIN, "-o", place, *resume]) == 2
    assert said in refused(capsys)
    assert contents(folder) == before


@pytest.mark.parametrize("letter", ["m", "é"])
def test_a_name_of_255_bytes_does_for_model_and_checkpoint(folder: Path, letter: str) -> None:
    name = (letter * 243).encode()[:243].decode("utf-8", "ignore") + ".safetensors"
    assert main([*TRAIN, "-o", name, "--steps", "2"]) == 0
    assert main([*TRAIN, "-o", name, "--steps", "4", "--resume"]) == 0
    assert read_header(name).metadata["step"] == "4"
    assert steps_kept(checkpoint_path(name)) == (4, 4)
    assert checkpoint_path(name) != checkpoint_path(f"n{name[1:]}")


def no_room(self: FileRun) -> None:
    raise FormatError(f"cannot write 'it': {os.strerror(errno.ENOSPC)}")


def test_a_disk_too_full_for_checkpoints_ends_no_run_and_keeps_no_model_from_being_saved(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(FileRun, "keep", no_room)
    assert main([*TRAIN, "--steps", "30", "--checkpoint-every", "0.000001"]) == 0
    told = capsys.readouterr()
    assert "there is no checkpoint of step 30: cannot write 'it': No space left on device" in told.err
    assert told.out.startswith("loss ")
    assert read_header(MODEL).metadata["step"] == "30"


def test_a_run_that_is_stopped_and_cannot_be_kept_leaves_its_model(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(FileRun, "keep", no_room)
    with stopping_after(monkeypatch, 4):
        assert main([*TRAIN, "--steps", "50"]) == 130
    assert "stopped at step 4; the model is in 'model.safetensors'" in capsys.readouterr().err
    assert read_header(MODEL).metadata["step"] == "4"


# -- whoever listened has gone


def command(folder: Path, *options: str) -> list[str]:
    return [sys.executable, "-m", "visualizer", "train", str(folder / "text.txt"), *TINY, *options]


@posix
def test_a_reader_that_goes_away_takes_no_model_with_it(folder: Path) -> None:
    run = command(folder, "-o", str(folder / MODEL), "--steps", "150")
    with subprocess.Popen(run, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, bufsize=0) as process:
        assert process.stdout is not None
        assert b"parameters" in process.stdout.read(200)
        process.stdout.close()  # as `2>&1 | head -1` does
        assert process.wait(120) == 0
    assert read_header(folder / MODEL).metadata["step"] == "150"
    assert set(contents(folder)) == {"text.txt", MODEL, CHECKPOINT}


@posix
@pytest.mark.parametrize("streams", ["2>&-", ">&-", ">&- 2>&-", ">/dev/full 2>/dev/full"])
def test_closed_streams_take_no_model_along(folder: Path, streams: str) -> None:
    run = " ".join(command(folder, "-o", str(folder / MODEL), "--steps", "5"))
    ended = subprocess.run(["sh", "-c", f"{run} {streams}"], cwd=ROOT, capture_output=True, check=False)
    assert ended.returncode == (1 if "full" in streams else 0)
    assert b"Traceback" not in ended.stderr
    assert read_header(folder / MODEL).metadata["step"] == "5"


@posix
@pytest.mark.parametrize("twice", [False, True], ids=["once", "twice"])
def test_a_terminal_that_closes_leaves_a_checkpoint(folder: Path, twice: bool) -> None:
    run = command(folder, "-o", str(folder / MODEL), "--steps", "1000000")
    with subprocess.Popen(run, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stderr is not None
        for line in process.stderr:
            if line.startswith(b"step "):
                break
        process.stderr.close()
        for _ in range(1 + twice):
            process.send_signal(signal.SIGHUP)
        assert process.wait(60) == 130
    assert steps_kept(folder / CHECKPOINT)[0] > 0


@posix
def test_under_nohup_a_closing_terminal_ends_nothing(folder: Path) -> None:
    run = ["sh", "-c", 'trap "" HUP; exec "$@"', "sh", *command(folder, "-o", str(folder / MODEL), "--steps", "300")]
    with subprocess.Popen(run, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stderr is not None
        process.stderr.readline()
        process.send_signal(signal.SIGHUP)
        process.stderr.read()
        assert process.wait(120) == 0
    assert (folder / MODEL).exists()


# -- what was asked for


OTHERS = [
    (["--seed", "7"], "--seed 7 does not go with --resume: the run began with 0"),
    (["--tokenizer", "bpe"], "--tokenizer bpe does not go with --resume: the run began with char"),
    (["--d-model", "16"], "--d-model 16 does not go with --resume: the run began with 8"),
    (["--d-model", "32"], "--d-model 32 does not go with --resume: the run began with 8"),  # the usual value
    (["--n-heads", "2"], "the run began with 1"),
    (["--n-layers", "4"], "the run began with 1"),
    (["--d-mlp", "0"], "the run began with 16"),
    (["--context", "64"], "the run began with 8"),
    (["--positions", "sinusoidal"], "the run began with learned"),
    (["--batch", "32"], "the run began with 4"),
    (["--warmup", "6"], "the run began with 5"),
    (["--weight-decay", "0.1"], "the run began with 0"),
    (["--clip", "0"], "the run began with 1"),
    (["--lines"], "--lines does not go with --resume: the run began with not given"),
]


@pytest.mark.parametrize(
    ("options", "said"), OTHERS, ids=lambda value: "".join(value) if isinstance(value, list) else ""
)
@pytest.mark.parametrize("more", [[], ["--steps", "9", "--lr", "1"]], ids=["no steps left", "more steps"])
def test_an_option_that_the_run_did_not_begin_with_is_refused(
    folder: Path, capsys: pytest.CaptureFixture[str], options: list[str], said: str, more: list[str]
) -> None:
    assert main([*TRAIN, "--steps", "3"]) == 0
    before = contents(folder)
    capsys.readouterr()
    assert main(["train", "text.txt", "--resume", *options, *more]) == 2
    assert said in refused(capsys)
    assert contents(folder) == before


def test_the_same_options_again_go_on(folder: Path) -> None:
    options = ["--seed", "3", "--d-mlp", "0", "--positions", "sinusoidal", "--lines", "--clip", "0.5"]
    assert main([*TRAIN, *options, "--steps", "3"]) == 0
    assert main([*TRAIN, *options, "--steps", "5", "--resume"]) == 0
    assert read_header(MODEL).metadata["step"] == "5"


def test_byte_pairs_go_on_with_the_number_that_was_asked_for(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The text has fewer pairs than were asked for."""
    bpe = [*TRAIN, "--tokenizer", "bpe"]
    assert main([*bpe, "--vocab-size", "600", "--steps", "3"]) == 0
    assert open_model(MODEL).model.config.d_vocab < 600
    assert main([*bpe, "--vocab-size", "600", "--steps", "4", "--resume"]) == 0
    capsys.readouterr()
    assert main([*bpe, "--vocab-size", "601", "--resume"]) == 2
    assert "--vocab-size 601 does not go with --resume: the run began with 600" in refused(capsys)
    assert main([*bpe, "--resume", "--tokenizer", "char"]) == 2
    assert "--tokenizer char does not go with --resume: the run began with bpe" in refused(capsys)


def test_another_rate_holds_from_there_on(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*TRAIN, "--steps", "20"]) == 0
    assert main([*TRAIN, "--steps", "40", "--lr", "0.01", "--resume"]) == 0
    assert "lr 0.001 " in capsys.readouterr().err  # at the end it is a tenth
    notes = read_header(MODEL).metadata
    assert notes["recipe"].endswith(", then --resume --steps 40 --lr 0.01")
    assert main(["train", "text.txt", "--resume", "--lr", "0"]) == 2


def test_fewer_steps_than_are_done_are_refused(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*TRAIN, "--steps", "6"]) == 0
    capsys.readouterr()
    assert main(["train", "text.txt", "--resume", "--steps", "5"]) == 2
    assert "--steps is 5, but 6 steps are done" in refused(capsys)
