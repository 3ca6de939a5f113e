"""The picture of the whole pass as numbers: rows shared by all, nothing upon another, wires that arrive."""

from collections.abc import Sequence
from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.engine.models import KINDS, of_kind
from visualizer.session.analysis.landscape.layout import lay_out
from visualizer.session.analysis.landscape.shapes import Box, HeadGrid, Landscape, Sheet, Tile
from visualizer.session.analysis.stages import StageMatrix, sections_of
from visualizer.session.analysis.stations import Station, stations_of

KIND = st.sampled_from(sorted(KINDS))
SIZE = st.tuples(st.floats(240, 2600), st.floats(150, 1500))
OPENED = st.sets(st.integers(0, 1)).map(frozenset)
#: Two numbers that ought to be one and come from different sums.
SLACK = 1e-6


def stations(kind: str, every_step: bool = False, tokens: Sequence[int] = (3, 1, 4, 1, 5)) -> tuple[Station, ...]:
    """The stations of a pass of a random two-block model."""
    model = of_kind(kind)
    trace = model.forward(list(tokens))
    return stations_of(sections_of(trace, model.config), every_step)


def pictures(landscape: Landscape) -> list[Tile | HeadGrid]:
    """Everything that shows numbers."""
    return [*landscape.tiles, *landscape.heads]


def overlap(one: Box, other: Box) -> bool:
    """Whether two boxes have more than an edge in common."""
    return (
        min(one.right, other.right) - max(one.left, other.left) > SLACK
        and min(one.bottom, other.bottom) - max(one.top, other.top) > SLACK
    )


@given(KIND, st.booleans(), SIZE, OPENED, st.integers(1, 6))
def test_nothing_lies_upon_another_and_all_of_it_within_the_bounds(
    kind: str, every_step: bool, size: tuple[float, float], opened: frozenset[int], count: int
) -> None:
    landscape = lay_out(stations(kind, every_step, range(count)), Sheet(*size, count), opened)
    for one, other in combinations(pictures(landscape), 2):
        assert not overlap(one.box, other.box), (one.key, other.key)
    for place in pictures(landscape):
        assert landscape.bounds.left - SLACK <= place.box.left
        assert place.box.right <= landscape.bounds.right + SLACK
        assert landscape.rows.top - SLACK <= place.box.bottom <= landscape.bounds.bottom
        assert not overlap(place.box, landscape.prompt)
        assert not overlap(place.box, landscape.prediction)
    for first, second in combinations(landscape.frames, 2):
        assert not overlap(first.box, second.box)


@given(KIND, st.booleans(), SIZE, OPENED, st.integers(1, 6))
def test_a_token_is_the_same_row_in_every_matrix(
    kind: str, every_step: bool, size: tuple[float, float], opened: frozenset[int], count: int
) -> None:
    landscape = lay_out(stations(kind, every_step, range(count)), Sheet(*size, count), opened)
    rows = [(row.top, row.bottom) for row in map(landscape.row, range(count))]
    for tile in landscape.tiles:
        if tile.matrix.kind == "activation":
            for row, shown in enumerate(tile.matrix.row_ids or range(count)):
                cell = tile.cell(row, 0)
                assert (cell.top, cell.bottom) == pytest.approx(rows[shown])


@given(KIND, st.booleans(), SIZE, OPENED)
def test_every_wire_begins_and_ends_at_what_it_joins(
    kind: str, every_step: bool, size: tuple[float, float], opened: frozenset[int]
) -> None:
    landscape = lay_out(stations(kind, every_step), Sheet(*size, 5), opened)
    boxes = {tile.matrix.name: tile.box for tile in landscape.tiles if tile.matrix.kind == "activation"}
    boxes |= {f"blocks.{heads.block}": heads.box for heads in landscape.heads if heads.block not in opened}
    boxes |= {"prompt": landscape.prompt, "prediction": landscape.prediction}
    joins = {(x, landscape.stream_height) for x, _ in landscape.joins}
    left, right = landscape.stream
    for wire in landscape.wires:
        start, end = wire.points[0], wire.points[-1]
        if wire.kind == "reads":
            assert start[1] == landscape.stream_height
            assert left - SLACK <= start[0] <= right + SLACK, wire
        else:
            assert on_edge(boxes[wire.source], start), wire
        if wire.kind in ("feeds", "reads"):
            assert on_edge(boxes[wire.target], end), wire
        elif wire.kind == "adds":
            assert end in joins, wire
        else:
            assert end[1] == landscape.stream_height
            assert left - SLACK <= end[0] <= right + SLACK


def on_edge(box: Box, point: tuple[float, float]) -> bool:
    """Whether a point lies on the edge of a box."""
    x, y = point
    inside = box.left - SLACK <= x <= box.right + SLACK and box.top - SLACK <= y <= box.bottom + SLACK
    edge = min(abs(x - box.left), abs(x - box.right), abs(y - box.top), abs(y - box.bottom))
    return inside and edge <= SLACK


@given(KIND, st.booleans(), OPENED)
def test_what_is_read_stands_before_what_is_made_of_it(kind: str, every_step: bool, opened: frozenset[int]) -> None:
    found = stations(kind, every_step)
    landscape = lay_out(found, Sheet(1200, 600, 5), opened)
    places = {tile.matrix.name: tile.box.left for tile in landscape.tiles if tile.matrix.kind == "activation"}
    for station in found:
        for read in station.reads:
            for result in station.results:
                if read in places and result.name in places:
                    assert places[read] < places[result.name]
    for tile in landscape.tiles:
        if tile.matrix.kind == "parameter":  # weights stand before what they make, above the arrow to it
            made = next(t for t in landscape.tiles if t.station == tile.station and t.matrix.kind == "activation")
            assert tile.box.right < made.box.left
            assert tile.box.bottom < landscape.rows.middle[1]


@pytest.mark.parametrize("kind", KINDS)
def test_everything_that_is_read_has_a_wire(kind: str) -> None:
    found = stations(kind, every_step=True)
    landscape = lay_out(found, Sheet(1200, 600, 5), frozenset({0, 1}))
    joined = {(wire.source, wire.target) for wire in landscape.wires}
    for station in found:
        for read in station.reads:
            if not station.stream or read in station.adds:
                assert (read, station.name) in joined
    assert ("prompt", "embed") in joined
    assert ("probs", "prediction") in joined


@given(st.integers(1, 12), st.integers(1, 12), SIZE)
def test_a_closed_block_is_one_column_with_all_of_its_heads(heads: int, blocks: int, size: tuple[float, float]) -> None:
    model = of_kind("attention only", n_layers=blocks, n_heads=heads, d_head=2, d_model=4)
    found = stations_of(sections_of(model.forward([3, 1, 4]), model.config))
    landscape = lay_out(found, Sheet(*size, 3), frozenset({0}))
    assert [frame.opened for frame in landscape.frames] == [block == 0 for block in range(blocks)]
    assert not any(tile.block not in (None, 0) for tile in landscape.tiles)
    for strip in landscape.heads:
        assert strip.count == heads
        for head in range(heads):
            assert strip.head_at(*strip.head(head).middle) == head
    opened = [strip for strip in landscape.heads if strip.block == 0]
    assert len(opened) == (heads > 1)  # beside the pattern, where there is a choice


def test_a_parallel_residual_reads_what_attention_has_not_been_added_to() -> None:
    found = parallel()
    landscape = lay_out(found, Sheet(900, 500, 3), frozenset({0}))
    reads = {wire.target: wire.points[0][0] for wire in landscape.wires if wire.kind == "reads"}
    joins = {name: x for x, name in landscape.joins}
    assert reads["blocks.0.mlp.pre"] < joins["blocks.0.resid_mid"]
    places = {tile.matrix.name: tile.box.left for tile in landscape.tiles}
    assert joins["blocks.0.resid_mid"] < places["blocks.0.mlp.pre"]
    added = {wire.source: wire.points[-1][0] for wire in landscape.wires if wire.kind == "adds"}
    assert added["blocks.0.attn_out"] == joins["blocks.0.resid_mid"]


def test_both_sublayers_may_be_added_at_once() -> None:
    stations = [
        station("embed", None, ()),
        Station("blocks.0.resid_pre", None, ("embed",), (), (), True, ("embed",)),
        station("blocks.0.attn_out", 0, ("blocks.0.resid_pre",)),
        station("blocks.0.mlp_out", 0, ("blocks.0.resid_pre",)),
        both := Station(
            "blocks.0.resid_post", 0, ("blocks.0.resid_pre", "blocks.0.attn_out", "blocks.0.mlp_out"), (), (), True,
            ("blocks.0.attn_out", "blocks.0.mlp_out"),
        ),
        station("logits", None, ("blocks.0.resid_post",)),
    ]  # fmt: skip
    landscape = lay_out(stations, Sheet(900, 500, 3), frozenset({0}))
    ends = {wire.source: wire.points[-1] for wire in landscape.wires if wire.kind == "adds"}
    assert set(ends) == set(both.adds)
    assert len(set(ends.values())) == 1


def station(name: str, block: int | None, reads: tuple[str, ...]) -> Station:
    """A station with one matrix of three rows."""
    matrix = StageMatrix("activation", name, name, "", ("position", "d_model"), (3, 4))
    return Station(name, block, reads, (), (matrix,))


def parallel() -> list[Station]:
    """A block whose MLP reads the stream from before the attention."""
    mid, post = "blocks.0.resid_mid", "blocks.0.resid_post"
    return [
        station("embed", None, ()),
        Station("blocks.0.resid_pre", None, ("embed",), (), (), True, ("embed",)),
        station("blocks.0.attn_out", 0, ("blocks.0.resid_pre",)),
        Station(mid, 0, ("blocks.0.resid_pre", "blocks.0.attn_out"), (), (), True, ("blocks.0.attn_out",)),
        station("blocks.0.mlp.pre", 0, ("blocks.0.resid_pre",)),
        station("blocks.0.mlp_out", 0, ("blocks.0.mlp.pre",)),
        Station(post, 0, (mid, "blocks.0.mlp_out"), (), (), True, ("blocks.0.mlp_out",)),
        station("logits", None, (post,)),
    ]


def test_a_prompt_of_no_tokens_has_no_picture() -> None:
    assert lay_out(stations("gpt-2"), Sheet(900, 500, 0), frozenset({0})) == Landscape()
