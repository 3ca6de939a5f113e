"""A training run whose model goes into a file, with the state to go on from in a checkpoint beside it."""

from __future__ import annotations

from pathlib import Path

from visualizer.engine.model import Model
from visualizer.errors import FormatError
from visualizer.formats import OpenedModel, save_safetensors
from visualizer.formats.checkpoint import checkpoint_path, load_checkpoint, read_recipe, save_checkpoint, steps_kept
from visualizer.session.training.corpora import Corpus
from visualizer.session.training.plan import TrainingPlan, TrainingText, beginning
from visualizer.session.training.prepare import Prepared, prepared, token_ids


class FileRun:
    """One run: the trainer and everything that its files need.

    Args:
        run: the trainer, ready to make its next step, its tokenizer and the text's digest.
        text: what is trained on.
        recipe: the command that began the run.
        output: where the model goes; the checkpoint stands beside it.

    Attributes:
        trainer, tokenizer, recipe: as given.
    """

    def __init__(self, run: Prepared, text: TrainingText, recipe: str, output: Path) -> None:
        self.trainer = run.trainer
        self.tokenizer, self.recipe = run.tokenizer, recipe
        self._run, self._text, self._output = run, text, output

    @classmethod
    def begin(cls, plan: TrainingPlan, recipe: str, output: Path) -> FileRun:
        """A new run; nothing is written yet. Raises as `prepare`, and as `_refuse_to_overwrite`."""
        _refuse_to_overwrite(checkpoint_path(output), plan.settings.steps)
        return cls(prepared(plan), plan.text, recipe, output)

    @classmethod
    def resume(cls, corpus: Corpus, output: Path, steps: int | None, lr: float | None = None) -> FileRun:
        """The run whose checkpoint stands beside the output, to make so many steps in all, or as many as it was to.

        Its highest learning rate is `lr` from here on, where one is given.

        Raises:
            FormatError: there is no checkpoint, or it cannot be read.
            TrainingError: it belongs to another text.
        """
        checkpoint = checkpoint_path(output)
        if not checkpoint.exists():
            raise FormatError(f"there is no checkpoint {str(checkpoint)!r} to go on from; begin without --resume")
        trainer, tokenizer, digest = load_checkpoint(checkpoint, lambda known: token_ids(known, corpus.text), steps, lr)
        recipe = read_recipe(checkpoint)
        changed = [f" --steps {steps}" if steps is not None else "", f" --lr {lr}" if lr is not None else ""]
        if any(changed):
            recipe += f", then --resume{''.join(changed)}"
        return cls(Prepared(trainer, tokenizer, digest), TrainingText.of(corpus), recipe, output)

    def keep(self) -> None:
        """Write the checkpoint. Raises FormatError where it cannot be written."""
        run = self._run
        save_checkpoint(checkpoint_path(self._output), run.trainer, run.tokenizer, run.digest, self.recipe)

    def save(self) -> None:
        """Write the model, with what is worth knowing about it. Raises FormatError where it cannot be written."""
        trainer = self.trainer
        notes = {
            "recipe": self.recipe,
            "step": str(trainer.step),
            "train loss": loss_text(trainer.train_loss),
            "validation loss": loss_text(trainer.validation_loss),
        }
        prompt = beginning(self._text, trainer.config.n_ctx)
        opened = OpenedModel(self.model(), self._output.stem, str(self._output), prompt=prompt)
        save_safetensors(opened, self._output, notes)

    def model(self) -> Model:
        """The model as it is now."""
        return Model(self.trainer.config, self.trainer.parameters(), self.tokenizer)


def _refuse_to_overwrite(checkpoint: Path, steps: int) -> None:
    """Refuse a new run of so many steps where it would destroy what cannot be had again so soon.

    Raises:
        FormatError: a checkpoint of a run that is not at its end, or of a longer one, stands there; or another file.
    """
    if not checkpoint.exists():
        return
    try:
        done, planned = steps_kept(checkpoint)
    except FormatError as error:
        raise FormatError(f"{error}; move it away, or name another output") from error
    if done < planned or done > steps:
        raise FormatError(
            f"{str(checkpoint)!r} keeps a run at step {done} of {planned}; --resume goes on with it, and a new run "
            "needs another output, or that file moved away"
        )


def loss_text(loss: float | None) -> str:
    """A loss in nats; `-` where there is none yet."""
    return "-" if loss is None else f"{loss:.4f}"
