"""Colours, contrast and numbers as text."""

import itertools
import math
import warnings
from dataclasses import fields

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from PySide6.QtGui import QColor
from PySide6.QtWidgets import QApplication, QLineEdit, QProgressBar, QVBoxLayout, QWidget
from pytestqt.qtbot import QtBot

from visualizer.session.words.numbers import full, short, typed
from visualizer.session.words.typed_numbers import parse_number
from visualizer.ui.look import colors
from visualizer.ui.look.colors import (
    DIVERGING,
    SEQUENTIAL,
    Scale,
    lookup_table,
    map_colors,
    paint_rgba,
    symmetric_limit,
)
from visualizer.ui.look.theme import (
    DARK,
    LIGHT,
    MINIMUM_CONTRAST,
    Theme,
    apply_theme,
    contrast_ratio,
    current_theme,
    icon,
    theme_for,
    theme_notifier,
    token_color,
    token_hue,
)

themes = pytest.mark.parametrize("theme", [LIGHT, DARK], ids=lambda theme: theme.name)


@themes
def test_text_is_readable_on_every_ground(theme: Theme) -> None:
    pairs = [
        (ink, ground)
        for ink in (theme.text, theme.muted_text, theme.changed, theme.accent)
        for ground in (theme.background, theme.panel)
    ]
    pairs += [(theme.accent_text, theme.accent), (theme.masked_text, theme.masked), (theme.text, theme.rule)]
    for ink, ground in pairs:
        assert contrast_ratio(ink, ground) >= MINIMUM_CONTRAST, (ink, ground)


@themes
def test_token_colors_are_readable_and_keep_their_hue(theme: Theme) -> None:
    for token_id in range(200):
        color = token_color(token_id, theme)
        for ground in (theme.background, theme.panel):
            assert contrast_ratio(color, ground) >= MINIMUM_CONTRAST
        drawn = QColor(color).hslHueF() * 360
        assert abs(drawn - token_hue(token_id)) < 3


@themes
@pytest.mark.parametrize("kind", ["sequential", "diverging"])
def test_ink_is_readable_on_every_cell(theme: Theme, kind: str) -> None:
    table = lookup_table(kind, theme)
    for rgba, dark in zip(table.rgba.tolist(), table.dark_ink, strict=True):
        ground = "#{:02x}{:02x}{:02x}".format(*rgba[:3])
        assert contrast_ratio("#000000" if dark else "#ffffff", ground) >= MINIMUM_CONTRAST


def test_contrast_is_that_of_the_definition() -> None:
    assert contrast_ratio("#000000", "#ffffff") == pytest.approx(21.0)
    assert contrast_ratio("#777777", "#ffffff") == pytest.approx(4.48, abs=0.005)


@themes
@pytest.mark.parametrize("kind", ["sequential", "diverging"])
def test_special_colors_are_in_no_map(theme: Theme, kind: str) -> None:
    rgb = lookup_table(kind, theme).rgba[:, :3].astype(int)
    loud = rgb[colors.NOT_A_NUMBER :]
    for color in loud:
        assert np.linalg.norm(rgb[: colors.STEPS] - color, axis=1).min() > 60
    assert all(np.linalg.norm(a - b) > 100 for a, b in itertools.combinations(loud, 2))


@themes
def test_special_values_get_their_own_colors_at_the_right_cells(theme: Theme) -> None:
    values = np.array([[0.0, np.nan, 0.5], [np.inf, -np.inf, np.nan]], dtype=np.float32)
    masked = np.array([[False, False, False], [False, False, True]])
    for scale in (SEQUENTIAL, DIVERGING):
        picture = paint_rgba(values, masked, scale, theme)
        assert picture.shape == (2, 3, 4)
        assert picture.dtype == np.uint8
        assert _hex(picture[0, 1]) == theme.not_a_number
        assert _hex(picture[1, 0]) == theme.positive_infinity
        assert _hex(picture[1, 1]) == theme.negative_infinity
        assert _hex(picture[1, 2]) == theme.masked


def test_sequential_runs_from_zero_to_one_whatever_the_matrix_holds() -> None:
    table = lookup_table("sequential", LIGHT).rgba
    picture = paint_rgba(np.array([[0.0, 0.2, 1.0, -3.0, 7.0]]), None, SEQUENTIAL, LIGHT)[0]
    expected = table[[0, (colors.STEPS - 1) // 5, colors.STEPS - 1, 0, colors.STEPS - 1]]
    np.testing.assert_array_equal(picture, expected)


@themes
def test_diverging_is_centred_on_zero(theme: Theme) -> None:
    table = lookup_table("diverging", theme).rgba
    picture = paint_rgba(np.array([[-4.0, -0.0, 4.0, 1.6]]), None, DIVERGING, theme)[0]
    middle = colors.STEPS // 2
    expected = table[[0, middle, colors.STEPS - 1, middle + 2 * middle // 5]]
    np.testing.assert_array_equal(picture, expected)
    dark_middle = QColor(_hex(table[middle])).lightnessF() < 0.3
    assert dark_middle == theme.dark


def test_masked_and_infinite_cells_do_not_stretch_the_scale() -> None:
    values = np.array([[362.0, -1e10], [-500.0, np.inf]], dtype=np.float32)
    masked = np.array([[False, True], [False, False]])
    assert symmetric_limit(values, masked) == 500.0
    assert symmetric_limit(np.full((2, 2), np.nan), None) == 0.0
    assert symmetric_limit(np.zeros((0, 3)), None) == 0.0


def test_a_given_limit_holds() -> None:
    half = paint_rgba(np.array([[1.0]]), None, Scale("diverging", limit=2.0), LIGHT)
    whole = paint_rgba(np.array([[1.0]]), None, DIVERGING, LIGHT)
    assert not np.array_equal(half, whole)


@pytest.mark.parametrize(("kind", "limit"), [("sequential", 2.0), ("diverging", -1.0), ("diverging", math.inf)])
def test_a_limit_that_makes_no_sense_is_refused(kind: str, limit: float) -> None:
    with pytest.raises(ValueError, match="limit"):
        Scale(kind, limit=limit)  # type: ignore[arg-type]


@given(
    values=hnp.arrays(
        st.sampled_from([np.float32, np.float64]),
        st.tuples(st.integers(0, 4), st.integers(0, 4)),
    ),
    scale=st.one_of(
        st.just(SEQUENTIAL),
        st.just(DIVERGING),
        st.floats(0.0, allow_infinity=False, allow_nan=False).map(lambda limit: Scale("diverging", limit)),
    ),
)
def test_any_float_is_painted_without_a_warning(values: np.ndarray, scale: Scale) -> None:
    with warnings.catch_warnings(), np.errstate(all="warn", under="ignore"):
        warnings.simplefilter("error")
        picture = paint_rgba(values, None, scale, LIGHT)
    assert picture.shape == (*values.shape, 4)
    assert (picture[..., 3] == 255).all()
    nan = np.all(picture == lookup_table(scale.kind, LIGHT).rgba[colors.NOT_A_NUMBER], axis=-1)
    np.testing.assert_array_equal(nan, np.isnan(values))


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0, "0"),
        (-0.0, "0"),
        (0.5, "0.5"),
        (1024.0, "1024"),
        (-1024.0, "−1024"),
        (362.0387, "362"),
        (-1e10, "−1e10"),
        (1.05e-5, "1.05e-5"),
        (1 / 3, "0.333"),
        (999.7, "1000"),
        (9999.7, "1e4"),
        (12345.0, "1.23e4"),
        (0.0012345, "0.00123"),
        (0.000999, "9.99e-4"),
        (100.0, "100"),
        (math.nan, "nan"),
        (math.inf, "inf"),
        (-math.inf, "−inf"),
        (5e-324, "4.94e-324"),
        (1.7e308, "1.7e308"),
    ],
)
def test_short_numbers(value: float, text: str) -> None:
    assert short(value) == text


@given(st.floats(allow_nan=False, allow_infinity=False), st.integers(1, 3))
def test_short_numbers_are_right_to_their_digits(value: float, digits: int) -> None:
    read = float(short(value, digits).replace("−", "-"))
    assert (
        read == pytest.approx(value, rel=0.51 * 10 ** (1 - digits), abs=0.0) or abs(value) < 1e-307 or math.isinf(read)
    )


@given(st.floats(width=32, allow_nan=False))
def test_full_numbers_identify_a_single(value: float) -> None:
    assert np.float32(parse_number(full(value, np.float32))) == np.float32(value)


@given(st.floats(allow_nan=False))
def test_full_numbers_identify_a_double(value: float) -> None:
    assert parse_number(full(value, np.float64)) == value


def test_full_numbers_are_no_longer_than_they_need_be() -> None:
    assert full(1 / 3, np.float32) == "0.33333334"
    assert full(1024.0, np.float32) == "1024"
    assert full(-1e10, np.float32) == "−1e10"
    assert full(-math.inf, np.float32) == "−inf"
    assert typed(-1e10, np.float32) == "-1e10"
    assert full(math.nan, np.float32) == "nan"


def test_a_theme_change_is_told_and_kept(qtbot: QtBot, qapp: QApplication) -> None:
    before = current_theme()
    try:
        with qtbot.waitSignal(theme_notifier().theme_changed) as told:
            apply_theme(qapp, DARK)
        assert told.args == [DARK]
        assert current_theme() is DARK
        assert qapp.palette().window().color().name() == DARK.background
    finally:
        apply_theme(qapp, before)
    assert theme_for("light", qapp) is LIGHT
    assert theme_for("dark", qapp) is DARK
    assert theme_for("system", qapp) in (LIGHT, DARK)
    with pytest.raises(ValueError, match="purple"):
        theme_for("purple", qapp)


def test_work_in_progress_and_the_field_in_use_leave_the_accent_to_the_selection(
    qtbot: QtBot, qapp: QApplication
) -> None:
    window = QWidget()
    qtbot.addWidget(window)
    layout = QVBoxLayout(window)
    field, bar = QLineEdit("selected", window), QProgressBar(window)
    layout.addWidget(field)
    layout.addWidget(bar)
    bar.setValue(50)
    with qtbot.waitActive(window):  # only the window in use paints what is highlighted
        window.show()
        window.activateWindow()
    apply_theme(qapp, current_theme())
    field.setFocus()
    field.selectAll()
    image = window.grab().toImage()
    painted = {image.pixelColor(x, y).name() for x in range(image.width()) for y in range(image.height())}
    assert len(painted) > 3
    assert QColor(current_theme().accent).name() not in painted


@pytest.mark.parametrize(
    "name",
    ["app", "step-back", "step-forward", "play", "pause", "generate-all", "reset", "undo", "redo"],
)
def test_icons_draw_something(qtbot: QtBot, name: str) -> None:
    image = icon(name).pixmap(24, 24).toImage()
    opaque = [image.pixelColor(x, y).alpha() > 100 for x in range(image.width()) for y in range(image.height())]
    assert sum(opaque) > 20


def test_every_theme_colour_is_written_alike() -> None:
    for theme in (LIGHT, DARK):
        for field in fields(theme):
            value = getattr(theme, field.name)
            if isinstance(value, str) and field.name != "name":
                assert QColor(value).name() == value


def _hex(rgba: np.ndarray) -> str:
    return "#{:02x}{:02x}{:02x}".format(*rgba[:3].tolist())


@pytest.mark.parametrize("name", ["viridis", "CET-CBD1", "CET-D6"])
def test_a_map_read_from_its_file_is_the_librarys(name: str) -> None:
    import pyqtgraph as pg

    theirs = pg.colormap.get(name).getLookupTable(0.0, 1.0, 251, alpha=False)
    assert np.abs(map_colors(name, 251).astype(int) - theirs).max() <= 1
