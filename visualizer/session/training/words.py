"""What the training panel says."""

from __future__ import annotations

from visualizer.session.training.record import TrainingRecord
from visualizer.session.training.report import Report

#: So many samples are shown, the newest first.
SAMPLES = 12

TOO_SHARP = "No step was made yet: such a model is repaired step by step in the Gradients panel."


def cost_words(parameters: int, seconds: float | None) -> str:
    """`36,160 parameters · about 1 min 10 s`, with `…` where the time is not known yet."""
    return f"{parameters:,} parameters · {'time: …' if seconds is None else 'about ' + duration(seconds)}"


def duration(seconds: float) -> str:
    """`8 s`, `1 min 10 s`, `2 h 5 min`."""
    whole = max(round(seconds), 1)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"


def facts_words(record: TrainingRecord) -> str:
    """Step, losses, learning rate, norm, speed and time left, of the last report."""
    report = record.last
    if report is None or report.steps == 0:
        return ""
    curves = record.curves()
    facts = [f"step {report.step:,} / {report.steps:,}"]
    if record.evaluations:
        last = record.evaluations[-1]
        facts.append(f"train {last.train:.3f} · validation {last.validation:.3f} nats")
    if len(curves):
        _, loss, lr, norm = curves[-1]
        facts.append(f"batch {loss:.3f} · lr {lr:.2g} · |gradient| {norm:.2g}")
    if report.tokens_per_second is not None:
        facts.append(f"{report.tokens_per_second:,.0f} tokens/s")
    if report.seconds_left is not None and not report.last:
        facts.append(f"{duration(report.seconds_left)} left")
    return " · ".join(facts)


def ended_words(report: Report, record: TrainingRecord) -> str:
    """How the run ended."""
    if report.phase == "failed":
        said = f"{report.said.rstrip('.')}."
        # The weights of a handmade model are so large that a wrong answer costs a thousand nats.
        return f"{said} {TOO_SHARP}" if report.newest is not None and report.step == 0 else said
    if report.newest is None:
        return "Stopped before the first step."
    word = "Trained" if report.phase == "done" else "Stopped after"
    loss = f": validation loss {record.evaluations[-1].validation:.3f} nats" if record.evaluations else ""
    return f"{word} {report.step:,} steps{loss}."


def sample_words(record: TrainingRecord) -> str:
    """The last samples, the newest first; what was generated stands behind a bar."""
    lines = [f"step {s.step:,}\n{s.prompt}│{s.text}" for s in reversed(record.samples[-SAMPLES:])]
    return "\n\n".join(lines)
