"""The document follows a training run: all its snapshots are one step of the history."""

from __future__ import annotations

from visualizer.formats import OpenedModel
from visualizer.session.document.document import Document
from visualizer.session.document.edits import OpenModel, SetParameters
from visualizer.session.training.report import TrainingSnapshot


class TrainingLanding:
    """Shows snapshots of one run in a document, in the place of one undoable step.

    The step is made by `begin`; from then on each snapshot takes the place of the one before, whatever else is
    done meanwhile that leaves the weights alone. Where the user changes a weight, opens another model or undoes the
    step, the run is not shown any more until it is begun again.

    Args:
        document: where it is shown.
        opened: the model that the run began with.
        title: what undo calls it.
        prompt: for a model that is opened anew.
    """

    def __init__(self, document: Document, opened: OpenedModel, title: str, prompt: str | None = None) -> None:
        self._document, self.opened, self.title, self._prompt = document, opened, title, prompt
        self._gesture: object = None

    @property
    def active(self) -> bool:
        """Whether the document shows the run: its step is done, and nothing since touched the weights."""
        return self._document.state.opened is self.opened and self._document.can_amend(self._gesture)

    def begin(self, snapshot: TrainingSnapshot, initiator: object = None) -> None:
        """Make the step: the weights of the run's model, or the model itself where another one is open."""
        self._gesture = object()
        if self._document.state.opened is not self.opened:
            self._document.apply(OpenModel(self.opened, self._prompt, self._gesture), initiator)
            self._document.amend(self._edit(snapshot, self.title), initiator)
        else:
            self._document.apply(self._edit(snapshot, self.title), initiator)

    def show(self, snapshot: TrainingSnapshot, initiator: object = None) -> bool:
        """Put the snapshot in the place of the one before; False where the document has gone another way."""
        if not self.active:
            return False
        return self._document.amend(self._edit(snapshot, self.title), initiator) is not None

    def use(self, snapshot: TrainingSnapshot, newest: TrainingSnapshot, initiator: object = None) -> None:
        """Make the snapshot's weights a step of their own, after that of the whole run."""
        if not self.show(newest, initiator):
            self.begin(newest, initiator)
        self._gesture = None
        name = f"weights after step {snapshot.step} of: {self.title}"
        self._document.apply(SetParameters(tuple(snapshot.parameters.items()), name), initiator)

    def _edit(self, snapshot: TrainingSnapshot, name: str) -> SetParameters:
        return SetParameters(tuple(snapshot.parameters.items()), name, self._gesture)
