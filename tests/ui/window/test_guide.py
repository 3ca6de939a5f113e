"""The guide: every page is there and reachable, what it says of the model is true, and the window is driven by keys."""

import re
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QSettings, Qt
from PySide6.QtWidgets import QApplication, QDockWidget, QLabel, QLineEdit, QWidget
from pytestqt.qtbot import QtBot

from tests.ui.finding import child
from visualizer.engine.head_scores import head_scores
from visualizer.engine.interventions import Intervention
from visualizer.formats import OpenedModel, open_model
from visualizer.resources import resource
from visualizer.session.analysis.behaviour import behaviour
from visualizer.session.words.axis_labels import axis_labels
from visualizer.session.words.typed_numbers import parse_number
from visualizer.ui.look.theme import DARK, LIGHT, apply_theme
from visualizer.ui.window.guide import GuideWindow, guide_actions, open_guide
from visualizer.ui.window.guide_pages import INDEX, PAGES, PROPERTY, page_for, page_path
from visualizer.ui.window.main_window import MainWindow

FILES = sorted(resource("guide").glob("*.md"))
PROMPT = "aabaa"
LINK = re.compile(r"\]\(([^)]+)\)")
CELL = re.compile(r"^([a-z_.]+)(?:\[([^\]]+)\])? (=|←) ([−-]?[\d.]+)$")
TEXT = re.compile(r"^([ab]+) :: ([ab]+)$")


@dataclass
class Claims:
    """What one paragraph says of the article's model: edits (←) hold for all that follows in it."""

    opened: OpenedModel = field(default_factory=lambda: open_model("aab"))
    interventions: list[Intervention] = field(default_factory=list)
    parameters: dict[str, np.ndarray] = field(default_factory=dict)
    checked: int = 0

    def parameter(self, name: str) -> str | None:
        """The parameter of a short name, such as c_attn.w."""
        names = self.opened.model.parameters
        return next((full for full in names if full in (name, f"blocks.0.attn.{name}")), None)

    def activation(self, name: str) -> str:
        """The activation of a short name, such as pattern."""
        graph = self.opened.model.graph
        return next(full for full in graph.names if full in (name, f"blocks.0.{name}", f"blocks.0.attn.{name}"))

    def place(self, words: str, sizes: list[tuple[str, int]]) -> tuple[int, ...]:
        """Indices from `4, a`: numbers, tokens and names of dimensions; the only head may be left out."""
        given = [word.strip() for word in words.split(",")]
        if len(given) < len(sizes):
            given.insert([axis for axis, _ in sizes].index("head"), "0")
        dimensions = self.opened.dimension_names or ()
        return tuple(self.index(word, axis, dimensions) for word, (axis, _) in zip(given, sizes, strict=True))

    def index(self, word: str, axis: str, dimensions: tuple[str, ...]) -> int:
        if word.isdigit():
            return int(word)
        return "ab".index(word) if axis == "d_vocab" else dimensions.index(word)

    def check(self, claim: str) -> None:
        """Make an edit, or compare what is claimed with what the model does."""
        text, cell = TEXT.match(claim), CELL.match(claim)
        model = self.opened.model.replace(self.parameters)
        if text is not None:
            steps = model.generate(text[1], len(text[2]), interventions=tuple(self.interventions))
            assert model.text([step.token for step in steps]) == text[2], claim
            self.checked += 1
        elif cell is not None:
            name, words, sign, said = cell.groups()
            number = parse_number(said.replace("−", "-"))
            full = self.parameter(name)
            if full is not None:
                self.check_weight(full, words, sign, number, claim)
            else:
                self.check_activation(self.activation(name), words, sign, number, said, claim)

    def check_weight(self, full: str, words: str, sign: str, number: float, claim: str) -> None:
        rows, columns = axis_labels(self.opened, full)
        array = np.array(self.parameters.get(full, self.opened.model.parameters[full]))
        given = [word.strip() for word in words.split(",")]
        place = (columns.index(given[-1]),) if len(given) == 1 else (rows.index(given[0]), columns.index(given[1]))
        if sign == "←":
            array[place] = number
            self.parameters[full] = array
        else:
            assert array[place] == number, claim
            self.checked += 1

    def check_activation(self, full: str, words: str | None, sign: str, number: float, said: str, claim: str) -> None:
        model = self.opened.model.replace(self.parameters)
        trace = model.forward(PROMPT, interventions=self.interventions)
        sizes = list(zip(trace.axes(full), trace[full].shape, strict=True))
        place = self.place(words, sizes) if words else ()
        if sign == "←":
            where = tuple((axis, index) for (axis, _), index in zip(sizes, place, strict=False))
            self.interventions.append(Intervention(full, "set", where, number))
        else:
            digits = len(said.partition(".")[2])
            assert float(trace[full][place]) == pytest.approx(number, abs=0.5 * 10**-digits), claim
            self.checked += 1


def claims(page: Path) -> Claims:
    """Everything on a page, checked; the last paragraph's state with how many were found."""
    total = 0
    for paragraph in re.split(r"\n\s*\n|\n(?=[-|] ?)", page.read_text(encoding="utf-8")):
        found = Claims()
        for span in re.findall(r"`([^`]+)`", paragraph):
            found.check(span)
        total += found.checked
    found.checked = total
    return found


@pytest.mark.parametrize("page", FILES, ids=lambda page: page.stem)
def test_what_a_page_says_of_the_model_is_true(page: Path) -> None:
    claims(page)


def test_the_pages_make_many_claims_and_a_false_one_is_found(tmp_path: Path) -> None:
    assert sum(claims(page).checked for page in FILES) > 90
    wrong = tmp_path / "wrong.md"
    for text in (
        "`pattern[4, 3] = 0.4`",
        "`c_attn.w[P4, Q3] = 1023`",
        "`c_attn.w[P4, Q3] ← 0` but `aabaa :: baabaabaab`",
    ):
        wrong.write_text(text, encoding="utf-8")
        with pytest.raises(AssertionError):
            claims(wrong)


def test_the_counts_of_the_behaviour_page_and_the_scores_of_the_heads_page_are_true() -> None:
    model = open_model("aab").model
    working = behaviour(model, tuple(map(int, model.ids("aab"))))
    while True:
        try:
            next(working)
        except StopIteration as done:
            table = done.value
            break
    assert (len(table.failed), int(table.judged.sum()), int(table.failed.sum())) == (62, 13, 0)
    scores = head_scores(model.forward(PROMPT))
    assert (float(scores["previous_token"][0, 0]), float(scores["current_token"][0, 0])) == (0.5, 0.5)


@pytest.mark.parametrize("page", FILES, ids=lambda page: page.stem)
def test_a_page_has_a_title_something_to_try_and_links_that_lead_somewhere(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    assert text.startswith("# ")
    if page.stem not in (INDEX, "keyboard", "files-and-export", "handmade-model"):
        assert "\n## Try\n" in text
    for target in LINK.findall(text):
        assert (page.parent / target).is_file(), target
    assert page.stem == INDEX or LINK.findall(text)


def test_every_page_can_be_reached_from_the_contents_and_every_part_has_one() -> None:
    names = {page.stem for page in FILES}
    linked = {Path(target).stem for target in LINK.findall(resource("guide/index.md").read_text(encoding="utf-8"))}
    assert linked | {INDEX} == names
    assert set(PAGES.values()) <= names
    assert Path(page_path("no-such-page")).stem == INDEX


@pytest.fixture
def guide(qtbot: QtBot) -> GuideWindow:
    """The guide at its contents, shown."""
    with qtbot.waitActive(window := open_guide()):
        window.activateWindow()
    qtbot.addWidget(window)
    return window


def test_a_page_is_found_from_any_widget_within_its_part(qtbot: QtBot) -> None:
    panel = QWidget()
    qtbot.addWidget(panel)
    inner = QLineEdit(panel)
    assert page_for(inner) == INDEX
    assert page_for(None) == INDEX
    panel.setObjectName("weightPanel")
    assert page_for(inner) == "parameters-and-weights"
    dock = QDockWidget(panel)
    dock.setObjectName("flowPanelDock")
    assert page_for(dock) == "flow"
    inner.setProperty(PROPERTY, "training")
    assert page_for(inner) == "training"


def test_every_panel_of_the_window_has_a_page(qtbot: QtBot, tmp_path: Path) -> None:
    window = MainWindow(open_model("aab"), QSettings(str(tmp_path / "s.ini"), QSettings.Format.IniFormat))
    qtbot.addWidget(window)
    docks = window.findChildren(QDockWidget)
    assert docks
    without = [dock.objectName() for dock in docks if dock.widget() is not None and _page_within(dock) == INDEX]
    assert without == []


def _page_within(dock: QDockWidget) -> str:
    """The page of a dock's panel, which may lie in a container."""
    panel = dock.widget()
    page = page_for(panel)
    inner = (page_for(child) for child in panel.findChildren(QWidget))
    return page if page != INDEX else next((found for found in inner if found != INDEX), INDEX)


def test_links_are_followed_by_keyboard_and_back_and_forward_return(guide: GuideWindow, qtbot: QtBot) -> None:
    assert guide.page == INDEX
    qtbot.keyClick(guide.browser, Qt.Key.Key_Tab)
    qtbot.keyClick(guide.browser, Qt.Key.Key_Return)
    assert guide.page == "handmade-model"
    assert guide.windowTitle() == "The article's model – Guide"
    guide.activateWindow()
    qtbot.keyClick(guide.browser, Qt.Key.Key_Left, Qt.KeyboardModifier.AltModifier)
    assert guide.page == INDEX
    qtbot.keyClick(guide.browser, Qt.Key.Key_Right, Qt.KeyboardModifier.AltModifier)
    assert guide.page == "handmade-model"
    qtbot.keyClick(guide.browser, Qt.Key.Key_Home, Qt.KeyboardModifier.AltModifier)
    assert guide.page == INDEX


def test_words_are_found_on_the_page_and_after_the_last_comes_the_first(guide: GuideWindow, qtbot: QtBot) -> None:
    guide.open("attention")
    guide.activateWindow()
    qtbot.keyClick(guide.browser, Qt.Key.Key_F, Qt.KeyboardModifier.ControlModifier)
    assert guide.find_edit.hasFocus()
    qtbot.keyClicks(guide.find_edit, "pattern[4, ")
    first = guide.browser.textCursor()
    assert first.selectedText().replace("\N{NO-BREAK SPACE}", " ") == "pattern[4, "
    qtbot.keyClick(guide.find_edit, Qt.Key.Key_Return)
    second = guide.browser.textCursor()
    assert second.position() > first.position()
    qtbot.keyClick(guide.find_edit, Qt.Key.Key_Return)
    assert guide.browser.textCursor().position() == first.position()
    qtbot.keyClick(guide.find_edit, Qt.Key.Key_Return, Qt.KeyboardModifier.ShiftModifier)
    assert guide.browser.textCursor().position() == second.position()
    found = child(guide, QLabel, "guideFound")
    assert found.text() == ""
    qtbot.keyClicks(guide.find_edit, "zzz")
    assert found.text() == "Not on this page"
    qtbot.keyClick(guide.find_edit, Qt.Key.Key_Escape)
    assert guide.browser.hasFocus()
    qtbot.keyClick(guide.browser, Qt.Key.Key_Escape)
    assert not guide.isVisible()


def test_there_is_one_guide_whose_page_changes(guide: GuideWindow) -> None:
    assert open_guide("heads") is guide
    assert guide.page == "heads"
    assert open_guide("no-such-page").page == INDEX


def test_another_theme_keeps_the_page(guide: GuideWindow, qtbot: QtBot) -> None:
    app = QApplication.instance()
    assert isinstance(app, QApplication)
    guide.open("keyboard")
    apply_theme(app, DARK)
    try:
        assert guide.page == "keyboard"
        assert "command palette" in guide.browser.toPlainText()
    finally:
        apply_theme(app, LIGHT)


def test_f1_opens_the_page_of_the_panel_with_the_keyboard(qtbot: QtBot) -> None:
    window = QWidget()
    window.setObjectName("mainWindow")
    panel = QWidget(window)
    panel.setObjectName("timelinePanel")
    edit = QLineEdit(panel)
    actions = guide_actions(window)
    window.addActions(actions)
    qtbot.addWidget(window)
    with qtbot.waitActive(window):
        window.show()
        window.activateWindow()
    edit.setFocus()
    qtbot.keyClick(edit, Qt.Key.Key_F1)
    guide = window.findChild(GuideWindow)
    assert guide is not None
    assert guide.page == "timeline-and-branches"
    actions[1].trigger()
    assert guide.page == INDEX
    guide.close()
