"""The commands: what they print and write, and how they refuse: one line, exit code 2, nothing written."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pytest

import visualizer
from tests.engine.models import of_kind
from visualizer.cli import main
from visualizer.command_words import COMMANDS
from visualizer.formats import OpenedModel, save_safetensors

ROOT = Path(__file__).resolve().parent.parent
ATTN = "blocks.0.attn."


@pytest.fixture
def nowhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder to work in."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def wordless(nowhere: Path) -> str:
    """A model file without a tokenizer: two blocks, six tokens."""
    save_safetensors(OpenedModel(of_kind("llama", dtype="float32"), "llama", "llama"), "llama.safetensors")
    return "llama.safetensors"


def in_a_process(
    *words: str, stdout: int | None = subprocess.PIPE, variables: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[bytes]:
    """Run the program as a person would."""
    environment = {**os.environ, **(variables or {})}
    command = [sys.executable, "-m", "visualizer", *words]
    return subprocess.run(
        command, stdout=stdout, stderr=subprocess.PIPE, env=environment, cwd=ROOT, timeout=60, check=False
    )


def done(capsys: pytest.CaptureFixture[str], *words: str) -> str:
    """What a command that succeeds prints."""
    code = main(list(words))
    captured = capsys.readouterr()
    assert (code, captured.err) == (0, "")
    return captured.out


# -- what they print


@pytest.mark.parametrize(
    ("prompt", "generated"),
    [
        ("aab", "aabaabaaba"),
        ("ababa", "abaabaabaa"),
        ("bbbbb", "aabaabaaba"),
        ("a", "baabaabaab"),
        ("", "abaabaabaa"),
    ],
)
def test_complete_goes_on_as_the_article_says(prompt: str, generated: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert done(capsys, "complete", prompt) == f"{prompt} :: {generated}\n"
    assert done(capsys, "complete", prompt, "--dtype", "float64") == f"{prompt} :: {generated}\n"
    assert done(capsys, "complete", prompt, "-n", "3") == f"{prompt} :: {generated[:3]}\n"


def test_complete_takes_ids_and_other_models(wordless: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert done(capsys, "complete", "--ids", "0,0,1") == "aab :: aabaabaaba\n"
    assert done(capsys, "complete", "ab", "--model", "ab", "-n", "4") == "ab :: abab\n"
    model = visualizer.load(wordless)
    expected = ",".join(str(step.token) for step in model.generate([3, 1], 4))
    assert done(capsys, "complete", "--ids", "3,1", "-n", "4", "--model", wordless) == f"3,1 :: {expected}\n"


def test_the_same_seed_prints_the_same_text_and_another_seed_another(capsys: pytest.CaptureFixture[str]) -> None:
    def text(*options: str) -> str:
        return done(capsys, "complete", "aab", "-n", "40", *options)

    hot = ("--temperature", "5000", "--seed")
    assert text(*hot, "3") == text(*hot, "3") != text(*hot, "4")
    assert text(*hot, "3", "--top-k", "1") == text()


def test_evaluate_says_how_often_it_was_right(capsys: pytest.CaptureFixture[str]) -> None:
    assert done(capsys, "evaluate", "--text", "aab" * 10) == "ACCURACY 100.0% (28 / 28)\n"
    assert done(capsys, "evaluate", "--text", "aab", "--skip", "0") == "ACCURACY 66.7% (2 / 3)\n"
    assert done(capsys, "evaluate", "--ids", "0,0,1,0,0,0") == "ACCURACY 75.0% (3 / 4)\n"


def test_trace_writes_every_activation_and_the_articles_tables(
    nowhere: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert done(capsys, "trace", "aabaa", "-o", "run.npz") == ""
    trace = visualizer.handmade("aab").forward("aabaa")
    with np.load(nowhere / "run.npz") as file:
        assert set(file.files) == {"tokens", *trace}
        assert file["tokens"].tolist() == [0, 0, 1, 0, 0]
        for name in trace:
            np.testing.assert_array_equal(file[name], trace[name])
        assert file[f"{ATTN}qk"][0, 3:].tolist() == [[0, 0, 1024, 1024, 0], [0, 0, 0, 1024, 1024]]
        assert file[f"{ATTN}pattern"][0].tolist() == [
            [1, 0, 0, 0, 0],
            [0.5, 0.5, 0, 0, 0],
            [0, 0.5, 0.5, 0, 0],
            [0, 0, 0.5, 0.5, 0],
            [0, 0, 0, 0.5, 0.5],
        ]


def test_trace_prints_the_top_tokens(capsys: pytest.CaptureFixture[str]) -> None:
    assert done(capsys, "trace", "aabaa", "--last-logits") == (
        "1\t'b'\tlogit 1024\tprobability 1\n0\t'a'\tlogit 1\tprobability 0\n"
    )


def test_trace_computes_in_the_precision_asked_for(nowhere: Path, capsys: pytest.CaptureFixture[str]) -> None:
    done(capsys, "trace", "aab", "-o", "double.npz", "--dtype", "float64")
    with np.load(nowhere / "double.npz") as file:
        assert {file[name].dtype for name in file.files if name != "tokens"} == {np.dtype("float64")}


@pytest.mark.parametrize("target", ["a", "0"])
def test_gradients_takes_a_token_or_its_id(target: str, nowhere: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert done(capsys, "gradients", "aab", "--target", target, "-o", "g.npz") == ""
    model = visualizer.handmade("aab")
    loss, gradients = model.gradients("aab", target="a")
    with np.load(nowhere / "g.npz") as file:
        assert set(file.files) == {"loss", *model.parameters}
        assert float(file["loss"]) == loss
        for name, gradient in gradients.items():
            np.testing.assert_array_equal(file[name], gradient)


def test_info_says_what_a_model_is_made_of(wordless: str, capsys: pytest.CaptureFixture[str]) -> None:
    said = done(capsys, "info", "aab")
    assert "n_ctx 5" in said
    assert "tokenizer characters, 2 tokens: a b" in said
    assert "blocks.0.attn.c_attn.w  [8, 24]" in said
    assert done(capsys, "info") == said
    assert "tokenizer none: give token ids" in done(capsys, "info", wordless)


def test_save_writes_what_every_command_opens(nowhere: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert done(capsys, "save", "aaab", "-o", "mine.safetensors") == ""
    assert done(capsys, "complete", "a", "--model", "mine.safetensors") == done(
        capsys, "complete", "a", "--model", "aaab"
    )
    assert "model mine" in done(capsys, "info", "mine.safetensors")
    assert [path.name for path in nowhere.iterdir()] == ["mine.safetensors"]


@pytest.mark.parametrize("words", [[], *([command] for command in COMMANDS)], ids=str)
def test_everything_has_help(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        main([*words, "--help"])
    assert end.value.code == 0
    said = capsys.readouterr().out
    assert said.startswith(f"usage: visualizer {' '.join(words)}")
    for command in words or COMMANDS:
        assert COMMANDS[command][1:] in " ".join(said.split())


# -- how they refuse

REFUSALS: list[tuple[Sequence[str], str]] = [
    (["complete"], "PROMPT is missing; text, or --ids 0,1,2, is needed"),
    (["complete", "aab", "--ids", "0"], "both PROMPT and --ids are given"),
    (["complete", "abc"], "no token for 'c' at position 2; accepted: 'a' 'b'"),
    (["complete", "a😀"], "no token for '😀' (U+1F600 GRINNING FACE) at position 1"),
    (["complete", "a\nb"], r"no token for '\n' (U+000A) at position 1"),
    (["complete", "a\udcff"], r"no token for '\udcff' (U+DCFF) at position 1"),
    (["complete", "--ids", "0,x"], "--ids '0,x' is not a list of token ids"),
    (["complete", "--ids", "0,,1"], "--ids '0,,1' is not a list of token ids"),
    (["complete", "--ids=-1"], "token id -1 at position 0 is not in the vocabulary; ids go from 0 to 1"),
    (["complete", "--ids", "0,2"], "token id 2 at position 1 is not in the vocabulary"),
    (["complete", "--ids", "9" * 30], "a token id is not in the vocabulary; ids go from 0 to 1"),
    (["complete", "--ids", "9" * 9999], "is not a list of token ids"),
    (["complete", "aab", "-n", "-1"], "'-1' is not a whole number of at least 0"),
    (["complete", "--ids", "٣"], "--ids '٣' is not a list of token ids; such as 0,1,2 is needed"),
    (["complete", "--ids", "1_0"], "--ids '1_0' is not a list of token ids"),
    (["complete", "aab", "-n", "²"], "'²' is not a whole number of at least 0"),
    (["complete", "aab", "-n", "٣"], "'٣' is not a whole number of at least 0"),
    (["complete", "aab", "-n", "1_0"], "'1_0' is not a whole number of at least 0"),
    (["complete", "aab", "--seed", "9" * 5000], "…' is not a whole number of at least 0"),
    (["complete", "aab", "--temperature", "0,8"], "'0,8' is not a number; such as 0.8 is needed"),
    (["complete", "aab", "--temperature", "٣"], "'٣' is not a number"),
    (["complete", "aab", "--temperature", "1_0"], "'1_0' is not a number"),
    (["complete", "aab", "-n", "1.5"], "'1.5' is not a whole number of at least 0"),
    (["complete", "aab", "-n", "9" * 20], "is too many; a whole number up to 10000000 is needed"),
    (["complete", "aab", "--temperature", "-1"], "temperature is -1.0; a number of at least 0 is needed"),
    (["complete", "aab", "--temperature", "nan"], "temperature is nan"),
    (["complete", "aab", "--temperature", "inf"], "temperature is inf"),
    (["complete", "aab", "--temperature", "warm"], "'warm' is not a number"),
    (["complete", "aab", "--top-k", "0"], "top-k is 0; a whole number of at least 1 is needed"),
    (["complete", "aab", "--top-p", "0"], "top-p is 0.0; a number above 0 and up to 1 is needed"),
    (["complete", "aab", "--top-p", "1.5"], "top-p is 1.5"),
    (["complete", "aab", "--top-p", "nan"], "top-p is nan"),
    (["complete", "aab", "--seed", "-1"], "'-1' is not a whole number of at least 0"),
    (["complete", "aab", "--dtype", "float16"], "invalid choice: 'float16'"),
    (["complete", "aab", "--model", "nothing"], "'nothing' is neither a preset"),
    (["complete", "aab", "--model", "."], "is a folder"),
    (["complete", "aab", "--model", "text.safetensors"], "'text.safetensors' is not a .safetensors file"),
    (["complete", "aab", "--hurry"], "unrecognized arguments: --hurry"),
    (["complete", "aab", "--model", "llama.safetensors"], "this model has no tokenizer, so it cannot read 'aab'"),
    (["evaluate"], "--text is missing"),
    (["evaluate", "--text", ""], "the text has 0 tokens and the first 2 are skipped"),
    (["evaluate", "--text", "aab", "--skip", "3"], "the text has 3 tokens and the first 3 are skipped"),
    (["evaluate", "--text", "aac"], "no token for 'c' at position 2"),
    (["trace", "aab"], "nothing to do: -o FILE.npz or --last-logits is needed"),
    (["trace", "", "-o", "x.npz"], "PROMPT is empty, so there is nothing to trace"),
    (["trace", "aac", "-o", "x.npz"], "no token for 'c' at position 2"),
    (["trace", "aab", "-o", "."], "cannot write '.'"),
    (["trace", "aab", "-o", ""], "cannot write ''"),
    (["trace", "aab", "-o", "missing/x.npz"], "No such file or directory"),
    (["trace", "aab", "-o", "text.safetensors/x.npz"], "Not a directory"),
    (["gradients", "aab", "-o", "x.npz"], "the following arguments are required: --target"),
    (["gradients", "aab", "--target", "a"], "the following arguments are required: -o"),
    (["gradients", "", "--target", "a", "-o", "x.npz"], "the prompt is empty"),
    (["gradients", "aab", "--target", "aa", "-o", "x.npz"], "'aa' is 2 tokens; exactly one is needed"),
    (["gradients", "aab", "--target", "", "-o", "x.npz"], "'' is 0 tokens; exactly one is needed"),
    (["gradients", "aab", "--target", "7", "-o", "x.npz"], "token id 7 at position 0 is not in the vocabulary"),
    (["gradients", "aab", "--target", "-1", "-o", "x.npz"], "no token for '-' at position 0"),
    (["gradients", "aab", "--target", "²", "-o", "x.npz"], "no token for '²'"),
    (["gradients", "aab", "--target", "9" * 5000, "-o", "x.npz"], "no token for '9' at position 0"),
    (
        ["gradients", "--ids", "0", "--target", "a", "-o", "x.npz", "--model", "llama.safetensors"],
        "--target 'a' is not a token id; a whole number from 0 to 5 is needed",
    ),
    (["trace", "aab", "-o", "pipe"], "cannot write 'pipe': it is a folder, a device or nothing"),
    (["trace", "aab", "-o", f"{'x' * 300}.npz"], "File name too long"),
    (["trace", "aab", "-o", "x\0.npz"], "embedded null"),
    (["info", "nothing"], "'nothing' is neither a preset"),
    (["info", ""], "'' is neither a preset"),
    (["info", "x" * 300], "nor a file"),
    (["info", "x\0"], "nor a file"),
    (["info", "pipe"], "'pipe' is a device or a pipe"),
    (["train", "text.safetensors", "-o", "x.safetensors", "--context", "2", "--batch", "9" * 11], "GB of memory"),
    (["train", "text.safetensors", "-o", "x.safetensors", "--context", "2", "--n-layers", "9" * 11], "GB of memory"),
    (["info", "text.safetensors"], "is not a .safetensors file"),
    (["save", "aab", "-o", "x.bin"], "'x.bin' does not end in .safetensors"),
    (["save", "aab"], "the following arguments are required: -o"),
    (["save", "aab", "-o", "folder.safetensors"], "cannot write 'folder.safetensors'"),
    (["render", "-o", "x.png", "--size", "10"], "--size '10' is not a window size; width and height in pixels"),
    (["render", "-o", "x.png", "--size", "²x900"], "--size '²x900' is not a window size"),
    (["render", "-o", "x.png", "--size", "٣x900"], "--size '٣x900' is not a window size"),
    (["render", "-o", "x.png", "--size", "①x②"], "--size '①x②' is not a window size"),
    (["render", "-o", "x.png", "--size", f"{'9' * 5000}x900"], "is not a window size"),
    (["render", "-o", "x.png", "--size", "16385x900"], "width and height in pixels up to 16384"),
    (["render", "-o", "x.png", "--size", "0x-5"], "is not a window size"),
    (["render", "-o", "x.jpg"], "'x.jpg' does not end in .png, the format that is written"),
    (["render", "-o", "x.svg"], "'x.svg' does not end in .png"),
    (["render", "-o", "x"], "'x' does not end in .png"),
    (["complet", "aab"], "there is no command 'complet'; did you mean 'complete'?"),
    (["trian"], "there is no command 'trian'; did you mean 'train'?"),
    (["frobnicate", "aab"], "there is no command 'frobnicate'; the commands are complete, evaluate, trace"),
    (["--model", "ab", "complete", "a b"], "the command comes first: visualizer complete --model ab 'a b'"),
    (["--dtype=float64", "info", "aab"], "the command comes first: visualizer info --dtype=float64 aab"),
    (["render", "-o", "x.png", "--prompt", "abc"], "no token for 'c' at position 2"),
    (["nonsense"], "'nonsense' is neither a preset"),
    (["--ids", "9,9"], "token id 9 at position 0 is not in the vocabulary"),
    (["--ids", "0", "--prompt", "a"], "both --prompt and --ids are given"),
    (["--prompt", "abc"], "no token for 'c' at position 2"),
    (["aab", "--model", "ab"], "both 'aab' and --model 'ab' are given; one is needed"),
    (["info", "aab", "--ids", "9,9"], "unrecognized arguments: --ids 9,9"),
    (["info", "aab", "--model", "ab"], "both 'aab' and --model 'ab' are given; one is needed"),
    (["save", "aab", "-o", "x.safetensors", "--ids", "0,1"], "unrecognized arguments: --ids 0,1"),
    (["save", "aab", "-o", "x.safetensors", "--model", "ab"], "both 'aab' and --model 'ab' are given"),
    (["save", "llama.safetensors", "-o", "llama.safetensors"], "is the model, which would be overwritten"),
    (["trace", "--ids", "0", "--model", "llama.safetensors", "-o", "llama.safetensors"], "is the model, which would"),
    (
        ["gradients", "--ids", "0", "--target", "1", "--model", "llama.safetensors", "-o", "./llama.safetensors"],
        "'./llama.safetensors' is the model, which would be overwritten; name another file",
    ),
    (["render", "--model", "llama.safetensors", "-o", "llama.safetensors"], "is the model, which would be overwritten"),
    (["render", "-o", "missing/x.png"], "No such file or directory"),
]


@pytest.mark.parametrize(("words", "said"), REFUSALS, ids=lambda value: " ".join(value)[:60])
@pytest.mark.usefixtures("wordless")
def test_what_cannot_be_served_is_refused_in_one_line_and_nothing_is_written(
    words: list[str], said: str, nowhere: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (nowhere / "text.safetensors").write_text("not a model")
    (nowhere / "folder.safetensors").mkdir()
    os.mkfifo(nowhere / "pipe")
    before = sorted(nowhere.rglob("*"))
    assert main(words) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith("visualizer: ")
    assert captured.err.endswith("\n")
    assert captured.err.count("\n") == 1
    assert len(captured.err) < 500
    assert said in captured.err
    assert sorted(nowhere.rglob("*")) == before


@pytest.mark.parametrize(
    ("words", "prompt"),
    [(["--ids", "0,0,1"], [0, 0, 1]), (["--prompt", "ab"], "ab"), (["aab", "--ids", "1"], [1]), ([], None)],
)
@pytest.mark.parametrize("screen", [True, False])
def test_the_window_begins_with_the_prompt_that_is_given(
    words: list[str], prompt: object, screen: bool, nowhere: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from visualizer import cli, doctor
    from visualizer.ui.window import application, offscreen

    shown: list[object] = []

    def run(_opened: OpenedModel, prompt: object = None, *_: object) -> int:
        shown.append(prompt)
        return 0

    monkeypatch.setattr(doctor, "has_screen", lambda: screen)
    monkeypatch.setattr(cli, "_require_libraries", lambda for_window: None)
    monkeypatch.setattr(application, "run", run)
    monkeypatch.setattr(offscreen, "render_window", run)
    assert main(words) == 0
    assert shown == [prompt]


@pytest.mark.parametrize("words", [["trace", "aab"], ["gradients", "aab", "--target", "a"], ["render"]], ids=str)
def test_what_cannot_be_written_is_refused_before_the_work(
    words: list[str], nowhere: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def never(*_: object) -> None:
        raise AssertionError("it was computed before the place was looked at")

    (nowhere / "kept").write_text("precious")
    (nowhere / "kept").chmod(0o444)
    monkeypatch.setattr(visualizer.Model, "forward", never)
    monkeypatch.setattr(visualizer.Model, "loss_gradients", never)
    assert main([*words, "-o", "kept"]) == 2
    assert (nowhere / "kept").read_text() == "precious"


def test_a_file_that_cannot_be_written_leaves_what_was_there(nowhere: Path) -> None:
    (nowhere / "kept.npz").write_text("precious")
    assert main(["gradients", "aab", "--target", "x", "-o", "kept.npz"]) == 2
    assert (nowhere / "kept.npz").read_text() == "precious"


def test_debug_shows_where_it_came_from_and_changes_nothing_else(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["complete", "abc", "--debug"]) == 2
    said = capsys.readouterr().err
    assert said.startswith("Traceback")
    assert said.splitlines()[-1].startswith("visualizer: no token for 'c'")
    assert done(capsys, "complete", "aab", "--debug") == "aab :: aabaabaaba\n"


# -- where the output goes


@pytest.mark.skipif(os.name != "posix", reason="pipes and /dev/full")
def test_a_reader_that_has_gone_is_no_failure() -> None:
    reading, writing = os.pipe()
    os.close(reading)
    ended = in_a_process("info", "aab", stdout=writing)
    os.close(writing)
    assert (ended.returncode, ended.stderr) == (0, b"")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="/dev/full")
def test_a_full_disk_behind_the_output_is_said_in_one_line() -> None:
    with Path("/dev/full").open("wb") as full:
        ended = in_a_process("complete", "aab", stdout=full.fileno())
    assert (ended.returncode, ended.stderr) == (1, b"visualizer: No space left on device\n")


def test_a_terminal_without_unicode_gets_escapes() -> None:
    plain = {"LC_ALL": "C", "PYTHONIOENCODING": "ascii"}
    ended = in_a_process("complete", "aé", variables=plain)
    assert (ended.returncode, ended.stdout) == (2, b"")
    assert ended.stderr == (
        rb"visualizer: no token for '\xe9' (U+00E9 LATIN SMALL LETTER E WITH ACUTE) at position 1; accepted: 'a' 'b'"
        b"\n"
    )
    assert in_a_process("train", "--help", variables=plain).returncode == 0
