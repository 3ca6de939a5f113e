"""A training run as reports, its record, the kept run, and the document that follows it."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from visualizer.engine.adam import AdamSettings
from visualizer.engine.training import Trainer, TrainingSettings
from visualizer.errors import ConfigError, FormatError, TrainingError
from visualizer.formats import open_model
from visualizer.session.document.edits import SetCells, SetPrompt
from visualizer.session.session import Session
from visualizer.session.training.estimate import estimate_seconds
from visualizer.session.training.files import KeptRun
from visualizer.session.training.landing import TrainingLanding
from visualizer.session.training.plan import Shape, TrainingPlan, TrainingText
from visualizer.session.training.record import TrainingRecord
from visualizer.session.training.report import Report, TrainingSnapshot
from visualizer.session.training.run import TrainingJob

TEXT = TrainingText("pairs", "abcd" * 60)
SHAPE = Shape(n_layers=1, n_heads=2, d_model=8, d_mlp=8, context=8)
SETTINGS = TrainingSettings(steps=24, batch=4, evaluate_every=8, evaluation_windows=4, optimizer=AdamSettings(warmup=2))
PLAN = TrainingPlan(TEXT, SHAPE, settings=SETTINGS)


def reports(job: TrainingJob) -> tuple[TrainingRecord, list[Report]]:
    """Everything that a job tells."""
    record, told = TrainingRecord(), []
    for report in job.reports():
        record.add(report)
        told.append(report)
    return record, told


def test_a_run_tells_every_step_every_evaluation_and_the_very_parameters_of_the_trainer() -> None:
    record, told = reports(TrainingJob(PLAN))
    assert told[-1].phase == "done"
    assert told[-1].step == 24
    assert record.curves()[:, 0].tolist() == list(range(1, 25))
    assert [evaluation.step for evaluation in record.evaluations] == [8, 16, 24]
    tokenizer_ids = np.array([ord(c) - ord("a") for c in TEXT.text])
    plain = Trainer(SHAPE.config(4), tokenizer_ids, SETTINGS)
    losses = [progress.loss for progress in plain.steps()]
    assert record.curves()[:, 1].tolist() == losses
    assert record.newest is not None
    for name, array in plain.parameters().items():
        np.testing.assert_array_equal(record.newest.parameters[name], array)


def test_snapshots_go_from_before_the_first_step_to_after_the_last_in_even_strides() -> None:
    plan = replace(PLAN, settings=replace(SETTINGS, steps=450))
    record, _ = reports(TrainingJob(plan))
    steps = [snapshot.step for snapshot in record.snapshots]
    assert steps == [*range(0, 450, 3), 450]
    assert record.opened is not None
    first = record.snapshots[0].parameters["wte"]
    np.testing.assert_array_equal(first, record.opened.model.parameters["wte"])
    assert not first.flags.writeable


def test_long_curves_are_averaged_without_moving_the_steps() -> None:
    plan = replace(PLAN, settings=replace(SETTINGS, steps=1100, evaluate_every=2000))
    record, _ = reports(TrainingJob(plan))
    curves = record.curves()
    assert curves.shape == (366, 4)
    assert curves[:3, 0].tolist() == [3, 6, 9]


def test_a_sample_goes_on_from_the_beginning_of_the_text() -> None:
    record, _ = reports(TrainingJob(PLAN))
    assert record.samples[-1].prompt == "abcdabcd"
    assert record.samples[-1].step == 24
    assert len(record.samples[-1].text) == 80
    assert set(record.samples[-1].text) <= set("abcd")


def test_stopping_ends_after_the_step_under_way() -> None:
    job = TrainingJob(replace(PLAN, settings=replace(SETTINGS, steps=100_000)))
    record = TrainingRecord()
    for report in job.reports():
        record.add(report)
        if report.step >= 1:
            stopped_at = report.step
            job.stop()
    assert record.last is not None
    assert record.last.phase == "stopped"
    assert record.last.step == stopped_at


def test_a_pause_is_told_and_stopping_ends_it() -> None:
    job = TrainingJob(PLAN)
    told = []
    job.pause()
    for report in job.reports():
        told.append(report)
        if report.phase == "paused":
            job.stop()
    assert [report.phase for report in told[-2:]] == ["paused", "stopped"]
    assert told[-1].step == 1


def test_reports_that_nobody_would_read_are_put_off_and_lose_nothing() -> None:
    record, told = reports(TrainingJob(PLAN, ready=lambda: False))
    assert [report.phase for report in told] == ["preparing", "running", "done"]
    assert len(record.curves()) == 24


@pytest.mark.parametrize(
    ("plan", "said"),
    [
        (replace(PLAN, text=TrainingText("nothing", "")), "nothing is empty"),
        (replace(PLAN, text=TrainingText("short", "abc")), "at least 18 are needed"),
        (replace(PLAN, shape=replace(SHAPE, n_heads=3)), "not a multiple of n_heads 3"),
        (replace(PLAN, shape=replace(SHAPE, tokenizer="bpe", vocab_size=100)), "256"),
        (replace(PLAN, present=open_model("aab")), "no token for 'c'"),
        (replace(PLAN, shape=replace(SHAPE, context=100_000)), "GB of memory"),
    ],
)
def test_what_cannot_be_trained_fails_with_one_sentence(plan: TrainingPlan, said: str) -> None:
    _, told = reports(TrainingJob(plan))
    assert told[-1].phase == "failed"
    assert said in told[-1].said
    assert "\n" not in told[-1].said


def test_an_exploding_run_keeps_the_last_good_parameters() -> None:
    settings = replace(SETTINGS, optimizer=AdamSettings(lr=1e4, warmup=0, grad_clip=0))
    record, told = reports(TrainingJob(replace(PLAN, settings=settings)))
    assert told[-1].phase == "failed"
    assert "lower lr" in told[-1].said
    assert record.newest is not None
    assert all(np.isfinite(array).all() for array in record.newest.parameters.values())


def test_training_on_begins_with_the_present_weights_and_keeps_their_precision() -> None:
    opened = open_model("aab", "float64")
    plan = TrainingPlan(TrainingText("aab", "aab" * 20), present=opened, settings=SETTINGS)
    record, _ = reports(TrainingJob(plan))
    assert record.opened is opened
    assert record.snapshots[0].parameters["wte"].dtype == np.float64
    np.testing.assert_array_equal(record.snapshots[0].parameters["wte"], opened.model.parameters["wte"])


def test_byte_pairs_are_learned_in_pieces_that_can_be_stopped() -> None:
    plan = replace(PLAN, shape=replace(SHAPE, tokenizer="bpe", vocab_size=258))
    record, told = reports(TrainingJob(plan))
    assert any("byte pairs" in report.said for report in told)
    assert record.opened is not None
    assert record.opened.model.config.d_vocab == 258
    job = TrainingJob(plan)
    job.stop()
    assert [report.phase for report in job.reports()][-1] == "stopped"


def test_a_killed_run_goes_on_to_the_very_same_numbers(tmp_path: Path) -> None:
    whole, _ = reports(TrainingJob(PLAN))
    kept = KeptRun(tmp_path / "runs")
    assert kept.about() is None
    job = TrainingJob(PLAN, kept)
    for report in job.reports():
        if report.phase == "paused":
            break
        job.pause()
    again = KeptRun(tmp_path / "runs")
    about = again.about()
    assert about is not None
    assert (about.name, about.step, about.steps) == ("pairs", 1, 24)
    record, told = reports(TrainingJob(None, again))
    assert told[-1].phase == "done"
    assert record.newest is not None
    assert whole.newest is not None
    for name, array in whole.newest.parameters.items():
        np.testing.assert_array_equal(record.newest.parameters[name], array)


def test_a_kept_run_that_is_broken_or_gone_is_refused(tmp_path: Path) -> None:
    kept = KeptRun(tmp_path)
    _, told = reports(TrainingJob(None, kept))
    assert told[-1].phase == "failed"
    reports(TrainingJob(PLAN, kept))
    (tmp_path / "training.txt").write_text("another text" * 30, encoding="utf-8")
    _, told = reports(TrainingJob(None, KeptRun(tmp_path)))
    assert told[-1].phase == "failed"
    assert "was made on another text" in told[-1].said
    assert "no token for 'n' at position 1" in told[-1].said
    (tmp_path / "training.checkpoint").write_bytes(b"PK nothing")
    with pytest.raises(FormatError):
        KeptRun(tmp_path).load()
    kept.forget()
    assert KeptRun(tmp_path).about() is None
    assert list(tmp_path.iterdir()) == []


def test_the_number_of_parameters_and_the_time_are_told_before_anything_is_trained() -> None:
    model = reports(TrainingJob(PLAN))[0].opened
    assert model is not None
    assert PLAN.parameter_count() == model.model.parameters.count()
    assert 0 < estimate_seconds(PLAN) < 60
    large = replace(PLAN, shape=Shape(n_layers=12, n_heads=12, d_model=768, d_mlp=3072, context=128))
    assert estimate_seconds(large) > 10
    with pytest.raises(ConfigError):
        replace(PLAN, shape=replace(SHAPE, n_layers=0)).parameter_count()
    with pytest.raises(TrainingError):
        TrainingJob(None)


@pytest.fixture
def session() -> Session:
    """The article's model."""
    return Session(open_model("aab"))


def shows(session: Session, snapshot: TrainingSnapshot) -> bool:
    """Whether the document's weights are those of a snapshot, to the bit."""
    now = session.document.state.model.parameters
    return all(np.array_equal(now[name], array) for name, array in snapshot.parameters.items())


def followed(session: Session) -> tuple[TrainingLanding, TrainingRecord]:
    """A finished run of a new model, and what shows it."""
    record, _ = reports(TrainingJob(PLAN))
    assert record.opened is not None
    return TrainingLanding(session.document, record.opened, PLAN.title(), "abcd"), record


def test_a_whole_run_is_one_step_of_the_history(session: Session) -> None:
    before = session.document.state
    landing, record = followed(session)
    landing.begin(record.snapshots[0])
    for snapshot in record.snapshots[1:]:
        assert landing.show(snapshot)
    assert session.document.history() == (["train on pairs"], 1)
    shown = session.document.state.model.parameters["wte"]
    np.testing.assert_array_equal(shown, record.snapshots[-1].parameters["wte"])
    assert session.result is not None
    assert session.result.state.prompt_text == "abcd"
    session.document.undo()
    assert session.document.state == before
    assert not landing.show(record.snapshots[0])
    session.document.redo()
    np.testing.assert_array_equal(session.document.state.model.parameters["wte"], shown)


def test_a_prompt_typed_meanwhile_stays_and_is_undone_by_itself(session: Session) -> None:
    landing, record = followed(session)
    landing.begin(record.snapshots[0])
    session.document.apply(SetPrompt("dcba"))
    assert landing.show(record.snapshots[-1])
    assert session.document.state.prompt_text == "dcba"
    session.document.undo()
    assert session.document.state.prompt_text == "abcd"
    assert shows(session, record.snapshots[-1])
    session.document.redo()
    assert session.document.state.prompt_text == "dcba"
    assert session.document.history()[0] == ["train on pairs", "prompt “dcba”"]


def test_a_weight_edited_meanwhile_is_not_overwritten(session: Session) -> None:
    landing, record = followed(session)
    landing.begin(record.snapshots[0])
    session.document.apply(SetCells("wte", (0, 0), 7.0))
    assert not landing.show(record.snapshots[-1])
    assert session.document.state.model.parameters["wte"][0, 0] == 7
    landing.begin(record.snapshots[-1])
    assert shows(session, record.snapshots[-1])
    session.document.undo()
    assert session.document.state.model.parameters["wte"][0, 0] == 7


def test_weights_of_a_snapshot_become_a_step_after_that_of_the_run(session: Session) -> None:
    landing, record = followed(session)
    landing.begin(record.snapshots[0])
    landing.use(record.snapshots[1], record.snapshots[-1])
    assert shows(session, record.snapshots[1])
    session.document.undo()
    assert shows(session, record.snapshots[-1])
    session.document.undo()
    assert session.document.state.opened.name == "aab"


def test_the_losses_are_those_of_knowing_nothing_at_first() -> None:
    record, _ = reports(TrainingJob(PLAN))
    assert record.curves()[0, 1] == pytest.approx(math.log(4), abs=0.7)
