"""The stations of the picture: what is folded, what is not, and what is read by whom."""

import pytest

from tests.engine.models import KINDS, of_kind
from visualizer.session.analysis.stages import sections_of
from visualizer.session.analysis.stations import Station, keys_of, stations_of


def stations(kind: str, every_step: bool = False, score_stage: str = "scores") -> dict[str, Station]:
    """By their names, in their order."""
    model = of_kind(kind)
    sections = sections_of(model.forward([3, 1, 4]), model.config)
    return {station.name: station for station in stations_of(sections, every_step, score_stage)}


@pytest.mark.parametrize("kind", KINDS)
def test_every_step_is_every_operation_with_all_that_it_makes(kind: str) -> None:
    graph = of_kind(kind).graph
    found = stations(kind, every_step=True)
    assert list(found) == [op.name for op in graph.operations]
    assert [result.name for station in found.values() for result in station.results] == list(graph.names)
    assert [station.reads for station in found.values()] == [op.reads for op in graph.operations]


@pytest.mark.parametrize("kind", KINDS)
def test_no_parameter_is_lost_where_steps_are_folded(kind: str) -> None:
    model = of_kind(kind)
    used = {matrix.name for station in stations(kind).values() for matrix in station.parameters}
    assert used == set(model.parameters)


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_read_is_a_station_too(kind: str) -> None:
    found = stations(kind)
    made = {result.name for station in found.values() for result in station.results}
    made |= {station.name for station in found.values() if station.stream}
    assert all(read in made for station in found.values() for read in station.reads)


def test_small_steps_are_folded_into_what_comes_of_them() -> None:
    found = stations("gpt-2")
    assert found["blocks.0.attn.scores"].reads == ("blocks.0.attn.q", "blocks.0.attn.k")
    assert found["blocks.0.attn_out"].reads == ("blocks.0.attn.z",)
    begin = found["blocks.0.resid_pre"]
    assert [matrix.name for matrix in begin.parameters] == ["wte", "wpe"]
    assert (begin.reads, begin.begins, begin.block) == ((), True, None)
    assert [result.name for result in found["blocks.0.ln1.normalized"].results] == ["blocks.0.ln1.normalized"]


def test_the_form_of_the_scores_that_is_chosen_is_the_one_that_is_seen() -> None:
    found = stations("llama", score_stage="qk")
    assert "blocks.0.attn.scores" not in found
    assert found["blocks.0.attn.qk"].reads == ("blocks.0.attn.rot_q", "blocks.0.attn.rot_k")
    assert found["blocks.0.attn.pattern"].reads == ("blocks.0.attn.qk",)


def test_sums_add_to_the_stream_and_show_their_numbers_only_on_demand() -> None:
    middle = stations("gpt-2")["blocks.0.resid_mid"]
    assert (middle.stream, middle.adds, middle.results) == (True, ("blocks.0.attn_out",), ())
    assert stations("gpt-2", every_step=True)["blocks.0.resid_mid"].results


def test_a_model_without_norm_and_mlp_has_fewer_stations() -> None:
    names = [name.removeprefix("blocks.0.") for name, s in stations("attention only").items() if s.block == 0]
    assert names == ["attn.q", "attn.scores", "attn.pattern", "attn.z", "attn_out", "resid_mid", "resid_post"]


def test_keys_and_values_are_what_a_pattern_reads_by_its_columns() -> None:
    keys = keys_of(of_kind("llama").graph)
    block = {name.removeprefix("blocks.0.attn.") for name, by in keys.items() if by == "blocks.0.attn.pattern"}
    assert block == {"k", "rot_k", "v"}
    assert "blocks.1.attn.q" not in keys
