"""The stations of the picture of the whole pass: its stages, with small steps folded into what comes of them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from visualizer.engine.graph import Graph
from visualizer.engine.names import local_name
from visualizer.engine.ops.attention import Pattern, WeightedValues
from visualizer.engine.ops.rotary import Rotate
from visualizer.session.analysis.stages import Section, StageMatrix

#: The forms that the scores go through; one of them has a place of its own.
SCORES = frozenset({"attn.qk", "attn.scaled", "attn.scores"})
#: Steps that stand in the picture only where every one of them is asked for.
SMALL_STEPS = frozenset({"embed", "pos_embed", "attn.result"}) | SCORES


@dataclass(frozen=True)
class Station:
    """What has a place in the picture.

    Attributes:
        name: of the operation.
        block: the block that it belongs to; None before and after them.
        reads: what it is made from: names of other stations' results. None are read by what follows from the tokens.
        parameters: what it uses, that of the steps folded into it included.
        results: the matrices to be seen; none where it only adds to the residual stream.
        stream: whether it makes the residual stream.
        adds: those of `reads` that are added to the stream, or begin it.
    """

    name: str
    block: int | None
    reads: tuple[str, ...]
    parameters: tuple[StageMatrix, ...]
    results: tuple[StageMatrix, ...]
    stream: bool = False
    adds: tuple[str, ...] = ()

    @property
    def begins(self) -> bool:
        """Whether the residual stream begins with it."""
        return self.stream and len(self.adds) == len(self.reads)


def stations_of(
    sections: Iterable[Section], every_step: bool = False, score_stage: str = "scores"
) -> tuple[Station, ...]:
    """The stations in the order of the operations.

    Args:
        sections: all stages of a pass.
        every_step: whether nothing is folded.
        score_stage: which of the scores is seen otherwise: "qk", "scaled" or "scores".
    """
    small = frozenset() if every_step else SMALL_STEPS - {f"attn.{score_stage}"}
    streams: set[str] = set()
    folded: dict[str, Station] = {}
    stations: list[Station] = []
    for section in sections:
        for stage in section.stages:
            station = Station(stage.name, section.block, stage.reads, stage.parameters, stage.results, stage.stream)
            station = _with_folded(station, folded)
            if local_name(stage.name) in small:
                folded[stage.name] = station
                continue
            if stage.stream:
                station = _in_stream(station, streams, every_step)
            elif not every_step:
                shown = tuple(r for r in station.results if r.formula or r.name == station.name)
                station = replace(station, results=shown)
            stations.append(station)
    return tuple(stations)


def _with_folded(station: Station, folded: dict[str, Station]) -> Station:
    """The station with what is folded into it: it reads what that reads, and uses what that uses."""
    reads: list[str] = []
    parameters: list[StageMatrix] = []
    for read in station.reads:
        step = folded.get(read)
        reads += [read] if step is None else step.reads
        parameters += () if step is None else step.parameters
    return replace(station, reads=tuple(dict.fromkeys(reads)), parameters=(*parameters, *station.parameters))


def _in_stream(station: Station, streams: set[str], every_step: bool) -> Station:
    """What begins the stream stands before the blocks; of the later sums the numbers are seen only on demand."""
    continues = any(read in streams for read in station.reads)
    adds = tuple(read for read in station.reads if read not in streams)
    streams.add(station.name)
    if not continues:
        return replace(station, block=None, adds=adds)
    return replace(station, adds=adds, results=station.results if every_step else ())


def keys_of(graph: Graph) -> dict[str, str]:
    """Activations whose rows are the keys that queries read from, with the name of the pattern that says how much."""
    found: dict[str, str] = {}
    for op in graph.operations:
        if isinstance(op, Pattern):
            turned = graph.producer[op.k]
            found |= dict.fromkeys((op.k, *(turned.reads if isinstance(turned, Rotate) else ())), op.name)
        elif isinstance(op, WeightedValues):
            found[op.reads[1]] = op.reads[0]
    return found
