"""Kept runs: each has a folder of its own, none is destroyed unasked, and one that is under way is nobody else's."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from pathlib import Path

import pytest

from visualizer.engine.adam import AdamSettings
from visualizer.engine.training import TrainingSettings
from visualizer.errors import FormatError
from visualizer.session.training.files import KeptRun
from visualizer.session.training.kept_runs import MOST_FINISHED, KeptRuns
from visualizer.session.training.plan import Shape, TrainingPlan, TrainingText
from visualizer.session.training.report import Report
from visualizer.session.training.run import TrainingJob

ROOT = Path(__file__).resolve().parents[3]
SHAPE = Shape(n_layers=1, n_heads=1, d_model=4, d_mlp=0, context=4)
SETTINGS = TrainingSettings(steps=4, batch=2, evaluation_windows=2, optimizer=AdamSettings(warmup=1))


def plan(letters: str) -> TrainingPlan:
    return TrainingPlan(TrainingText(letters, letters * 20), SHAPE, settings=SETTINGS)


def trained(runs: KeptRuns, letters: str) -> KeptRun:
    """A run to its end."""
    kept = runs.new()
    list(TrainingJob(plan(letters), kept).reports())
    return kept


def stopped(runs: KeptRuns, letters: str) -> KeptRun:
    """A run that was stopped before its end."""
    kept = runs.new()
    job = TrainingJob(plan(letters), kept)
    for report in job.reports():
        if report.phase == "running":
            job.pause()
        elif report.phase == "paused":
            job.stop()
    about = kept.about()
    assert about is not None
    assert about.step < about.steps
    return kept


def names(runs: KeptRuns) -> list[str]:
    return [about.name for _, about in runs.waiting()]


def aged(run: KeptRun, seconds: int) -> None:
    """As if it had been kept so long ago."""
    about = run.folder / "training.json"
    then = about.stat().st_mtime - seconds
    os.utime(about, (then, then))


def test_every_run_has_a_folder_of_its_own_and_the_newest_comes_first(tmp_path: Path) -> None:
    runs = KeptRuns(tmp_path / "home")
    assert runs.waiting() == []
    assert not (tmp_path / "home").exists(), "nothing is made before there is something to keep"
    for age, letters in ((20, "ab"), (10, "cd"), (0, "ef")):
        aged(trained(runs, letters), age)
    assert names(runs) == ["ef", "cd", "ab"]
    for (run, _), letters in zip(runs.waiting(), ("ef", "cd", "ab"), strict=True):
        assert (run.folder / "training.txt").read_text("utf-8") == letters * 20
        assert run.load()[1].encode(letters) == [0, 1]
        run.release()


def test_a_run_that_is_forgotten_leaves_nothing_and_others_stay(tmp_path: Path) -> None:
    runs = KeptRuns(tmp_path)
    first, second = trained(runs, "ab"), trained(runs, "cd")
    runs.forget(first)
    assert list(tmp_path.iterdir()) == [second.folder]
    assert names(runs) == ["cd"]


def test_a_run_that_an_older_version_kept_is_found_and_can_be_forgotten(tmp_path: Path) -> None:
    old = KeptRun(tmp_path)
    list(TrainingJob(plan("ab"), old).reports())
    (tmp_path / "training.lock").unlink()
    runs = KeptRuns(tmp_path)
    trained(runs, "cd")
    assert sorted(names(runs)) == ["ab", "cd"]
    runs.forget(next(run for run, about in runs.waiting() if about.name == "ab"))
    assert names(runs) == ["cd"]


def test_of_finished_runs_the_newest_are_kept_and_others_until_they_are_forgotten(tmp_path: Path) -> None:
    runs = KeptRuns(tmp_path)
    for age in range(MOST_FINISHED + 2):
        aged(trained(runs, f"{age}x"), 10 * age)
    aged(stopped(runs, "ab"), 1000)
    runs.new()
    assert names(runs) == [*(f"{age}x" for age in range(MOST_FINISHED)), "ab"]


HOLDING = """
import sys, pathlib
from visualizer.session.training.files import KeptRun
run = KeptRun(pathlib.Path(sys.argv[1]))
run.load()
print("held", flush=True)
sys.stdin.read()
"""


def test_a_run_that_another_process_is_at_is_left_alone_until_that_ends(tmp_path: Path) -> None:
    runs = KeptRuns(tmp_path)
    kept = trained(runs, "ab")
    held = [sys.executable, "-c", HOLDING, str(kept.folder)]
    with subprocess.Popen(held, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"held\n"
        assert runs.waiting() == []
        for act in (kept.forget, kept.load, lambda: runs.forget(kept)):
            with pytest.raises(FormatError, match="another window is training the run in"):
                act()
        told = list(TrainingJob(plan("cd"), KeptRun(kept.folder)).reports())
        assert told[-1].phase == "done"
        assert "the run is not kept on disk: another window is training" in told[-1].said
        runs.new()
        process.kill()
    assert names(runs) == ["ab"]
    assert (kept.folder / "training.txt").read_text("utf-8") == "ab" * 20


def test_a_run_that_ended_can_be_gone_on_with_at_once(tmp_path: Path) -> None:
    runs = KeptRuns(tmp_path)
    job = TrainingJob(plan("ab"), runs.new())
    for report in job.reports():
        assert names(runs) == (["ab"] if report.last else [])


def test_what_a_killed_window_began_to_keep_is_cleared_away(tmp_path: Path) -> None:
    runs = KeptRuns(tmp_path)
    half = runs.new()
    half.begin(plan("ab").text, "")
    half.hold()
    half._write("training.txt", "ab")
    runs.new()
    assert half.folder.exists(), "it is being kept"
    half.release()
    runs.new()
    assert not half.folder.exists()


def test_a_disk_that_was_full_for_a_while_costs_no_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    kept = KeptRuns(tmp_path).new()
    save, failures = KeptRun.save, [1]

    def sometimes(self: KeptRun, *arguments: object) -> None:
        if failures:
            failures.pop()
            raise FormatError(f"cannot write it: {os.strerror(errno.ENOSPC)}")
        save(self, *arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(KeptRun, "save", sometimes)
    job = TrainingJob(plan("ab"), kept)
    told: list[Report] = []
    for report in job.reports():
        told.append(report)
        if report.phase == "running" and report.step == 0:
            job.pause()
        elif report.phase == "paused":
            job.resume()
    paused = next(report for report in told if report.phase == "paused")
    assert "the run is not kept on disk: cannot write it: No space left" in paused.said
    assert told[-1].said == ""
    about = kept.about()
    assert about is not None
    assert about.step == 4


# -- what is damaged


DAMAGED = [
    *(
        "",
        "{",
        "[]",
        "{}",
        "[" * 9999,
        '{"name": 3, "step": 1, "steps": 4}',
        '{"name": "a", "step": 1e999, "steps": 4}',
    ),
    *('{"name": "a", "step": NaN, "steps": 4}', '{"name": "a", "step": 1, "steps": 0}', '{"name": "a", "step": true}'),
    *('{"name": "a", "step": -1, "steps": 4}', '{"name": "a", "step": 1.5, "steps": 4}', '{"name": "' + "a" * 10**6),
    '{"name": "a", "step": ' + "1" * 5000 + ', "steps": 4}',
]


@pytest.mark.parametrize("text", DAMAGED, ids=lambda text: text[:40])
@pytest.mark.parametrize("place", ["of its own", "of old"])
def test_a_damaged_run_is_set_aside_with_a_word_and_the_others_are_offered(
    tmp_path: Path, text: str, place: str
) -> None:
    runs = KeptRuns(tmp_path)
    stopped(runs, "ab")
    bad = KeptRun(tmp_path) if place == "of old" else runs.new()
    list(TrainingJob(plan("cd"), bad).reports())
    bad.release()
    (bad.folder / "training.json").write_text(text, encoding="utf-8")
    names_before = {path.name for path in bad.folder.iterdir()}
    again = KeptRuns(tmp_path)
    assert names(again) == ["ab"]
    said = again.set_aside()
    assert said.startswith("A kept run cannot be read and was set aside there under names that end in .damaged: ")
    assert said.isprintable()
    assert again.set_aside() == ""
    assert {path.name.removesuffix(".damaged") for path in bad.folder.iterdir()} == names_before
    assert (bad.folder / "training.json.damaged").read_text(encoding="utf-8") == text
    assert names(again) == ["ab"]


def test_a_damaged_run_is_not_tidied_away(tmp_path: Path) -> None:
    bad = trained(KeptRuns(tmp_path), "ab")
    bad.release()
    (bad.folder / "training.json").write_text("{}", encoding="utf-8")
    KeptRuns(tmp_path).new()
    assert (bad.folder / "training.checkpoint.damaged").is_file()


def test_a_run_that_is_under_way_is_never_set_aside(tmp_path: Path) -> None:
    bad = trained(KeptRuns(tmp_path), "ab")
    (bad.folder / "training.json").write_text("{}", encoding="utf-8")
    bad.hold()
    assert KeptRuns(tmp_path).set_aside() == ""
    bad.release()
    assert "was set aside" in KeptRuns(tmp_path).set_aside()


def test_a_damaged_run_that_cannot_be_moved_is_told_of(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bad = trained(KeptRuns(tmp_path), "ab")
    bad.release()
    (bad.folder / "training.json").write_text("{}", encoding="utf-8")

    def refuse(*_arguments: object) -> None:
        raise OSError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(Path, "replace", refuse)
    assert KeptRuns(tmp_path).set_aside().startswith("A kept run cannot be read: ")
