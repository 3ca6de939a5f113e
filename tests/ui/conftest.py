"""What most tests of the window begin with."""

import pytest

from visualizer.formats import open_model
from visualizer.session.session import Session


@pytest.fixture
def session() -> Session:
    """The article's model."""
    return Session(open_model("aab"))
