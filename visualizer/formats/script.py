"""A run as a standalone Python script that needs only NumPy and prints the same logits.

The script is written from the model's own list of operations, in its order: see `script_operations`.
"""

from __future__ import annotations

import os
import pprint
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO, Any

from numpy.typing import NDArray

from visualizer.engine.interventions import Intervention, applied, within
from visualizer.engine.model import Model, Prompt
from visualizer.engine.names import block_of
from visualizer.engine.ops.attention import Pattern
from visualizer.engine.ops.base import Operation
from visualizer.engine.sampling import top_tokens
from visualizer.engine.trace import Trace
from visualizer.errors import FormatError
from visualizer.formats.literals import array_literal
from visualizer.formats.script_interventions import intervention_lines
from visualizer.formats.script_operations import EMITTERS, Emission, variable
from visualizer.formats.script_texts import ERF, HEADER, PRINT, SOFTMAX
from visualizer.formats.writing import require_writable, write_npz, write_whole

Array = NDArray[Any]

#: With more numbers than this, the arrays go into an .npz beside the script.
MOST_INLINE = 6000
#: With more tokens than this, only those of the prompt and the most probable next ones have their text in the script.
MOST_TEXTS = 512


def write_script(
    model: Model,
    tokens: Prompt,
    path: str | os.PathLike[str],
    *,
    interventions: Sequence[Intervention] = (),
    name: str = "",
    trace: Trace | None = None,
) -> list[Path]:
    """Write a script that runs `model` over the last n_ctx of `tokens` and prints the logits of every position.

    A small model's parameters stand in the script as exact literals; those of a large one in an .npz beside it,
    of the script's name with `.npz` after it. Run with a file name, the script also saves its logits there as .npy.

    Args:
        model: what to run.
        tokens: text or ids; at least one token.
        path: where the script goes; its name ends in .py.
        interventions: what is done to activations on the way; those that are switched off, or lie beyond the tokens,
            are left out.
        name: what the script calls the model.
        trace: the pass itself, where it is at hand; else it is computed here.

    Returns:
        the files written.

    Raises:
        FormatError: there are no tokens, the name does not end in .py, or a file cannot be written.
        TokenError, InterventionError: as `Model.forward`.
    """
    target = Path(path)
    if target.suffix.lower() != ".py":
        raise FormatError(f"{str(target)!r} is not a name for a script; a name that ends in .py is needed")
    ids = model.ids(tokens)[-model.config.n_ctx :]
    if not ids.size:
        raise FormatError("there are no tokens to run: a script needs a prompt of at least one")
    interventions = within(interventions, model.graph, len(ids))
    if trace is None:
        trace = model.forward(ids, interventions=interventions)
    patches: dict[str, Array] = {}
    body = _body(model, trace, interventions, patches)
    arrays = {variable(key): array for key, array in model.parameters.items()} | patches
    inline = sum(array.size for array in arrays.values()) <= MOST_INLINE
    beside = numbers_path(target)
    parts = [
        _header(name, interventions, None if inline else beside.name),
        _imports(body, inline),
        f"dtype = np.{model.config.dtype}",
        f"CONFIG = {pprint.pformat(model.config.to_dict(), width=110, sort_dicts=False)}",
        _tokens(model, trace),
        "",
        _arrays(arrays, None if inline else beside.name),
        _helpers(body),
        *body,
        PRINT,
    ]
    source = "\n".join(parts).encode("utf-8", "backslashreplace")
    if not inline:
        require_writable(target)  # so that there is no numbers' file without its script
        write_npz(beside, iter(arrays.items()))

    def write(file: IO[bytes]) -> None:
        file.write(source)

    write_whole(target, write)
    return [target] if inline else [target, beside]


def numbers_path(path: str | os.PathLike[str]) -> Path:
    """Where the numbers of a script stand that are too many to stand in it."""
    return Path(f"{os.fspath(path)}.npz")


def may_need_numbers(model: Model, interventions: Sequence[Intervention]) -> bool:
    """Whether the script of a run may have its numbers in a file of their own."""
    patched = sum(change.array.size for change in interventions if change.array is not None)
    return model.parameters.count() + patched > MOST_INLINE


def _header(name: str, interventions: Sequence[Intervention], beside: str | None) -> str:
    active = [str(change) for change in interventions if change.enabled]
    told = ["Interventions are part of the run:", *(f"    {line}" for line in active)] if active else []
    weights = ["", f"The parameters are in {beside}, which has to lie in the same folder."] if beside else []
    lines = [*weights, "", *(told or ["No interventions."])]
    text = HEADER.format(name=name or "a decoder-only transformer", more="\n".join(lines))
    # A file's name may hold what is no text in any encoding; Python refuses that in a docstring, escaped as well.
    text = text.encode("utf-8", "replace").decode("utf-8")
    return '"""' + text.replace("\\", "/").replace('"', "'") + '\n"""\n'


def _imports(body: Sequence[str], inline: bool) -> str:
    lines = ["import math"] if _uses_erf(body) else []
    lines.append("import sys")
    if not inline:
        lines.append("from pathlib import Path")
    quiet = 'np.seterr(all="ignore")  # NaN and infinity are shown, not warned about'
    return "\n".join([*lines, "", "import numpy as np", "", quiet])


def _uses_erf(body: Sequence[str]) -> bool:
    return any("erf(" in line for line in body)


def _tokens(model: Model, trace: Trace) -> str:
    ids = trace.tokens.tolist()
    lines = [f"tokens = np.array({ids})"]
    texts: dict[int, str] = {}
    if model.tokenizer is not None:
        named = range(model.config.d_vocab)
        if model.config.d_vocab > MOST_TEXTS:
            named_ids = {*ids, *top_tokens(trace.logits_at(-1), 10)}
            texts = {token: model.tokenizer.token_text(token) for token in sorted(named_ids)}
        else:
            texts = {token: model.tokenizer.token_text(token) for token in named}
    lines.append(f"TEXTS = {pprint.pformat(texts, width=110, compact=True)}")
    lines += ["T = len(tokens)", "visible = np.tri(T, dtype=bool)  # [query, key]: the keys up to each query"]
    return "\n".join(lines)


def _arrays(arrays: Mapping[str, Array], beside: str | None) -> str:
    if beside is None:
        return "\n".join(f"{name} = {array_literal(array)}  # {_shape(array.shape)}" for name, array in arrays.items())
    lines = [f"weights = np.load(Path(__file__).with_name({beside!r}))"]
    lines += [f'{name} = weights["{name}"]  # {_shape(array.shape)}' for name, array in arrays.items()]
    return "\n".join(lines)


def _shape(shape: Sequence[int]) -> str:
    return f"[{', '.join(map(str, shape))}]"


def _helpers(body: Sequence[str]) -> str:
    return (ERF if _uses_erf(body) else "") + SOFTMAX


def _body(model: Model, trace: Trace, interventions: Sequence[Intervention], patches: dict[str, Array]) -> list[str]:
    """The lines of every operation in order, each under what it computes, with the interventions after them."""
    hooks = applied(interventions)
    scores = {op.reads[0] for op in model.graph.operations if isinstance(op, Pattern)}
    operations = model.graph.schedule({"logits", "probs", *scores, *hooks})
    made = frozenset(name for op in operations for name in op.writes)
    emission = Emission(made, careful=trace.nonfinite() > 0)
    lines = []
    block = ""
    for op in operations:
        if _block(op) != block:
            block = _block(op)
            lines += ["", f"# -- {block}"]
        axes = ", ".join(op.axes(op.name))
        lines += ["", f"# {op.name} [{axes}] = {op.formula}"]
        changes = {name: _changes(model, trace, name, hooks.get(name, ()), patches) for name in op.writes}
        lines += _with_changes(EMITTERS[type(op)](op, emission), changes)
    return lines


def _with_changes(made: Sequence[str], changes: Mapping[str, list[str]]) -> list[str]:
    """The lines that make an operation's results, each result with its changes before another is made from it."""
    if len(changes) == 1:
        return [*made, *(line for lines in changes.values() for line in lines)]
    after = {variable(name): lines for name, lines in changes.items()}
    return [part for line in made for part in (line, *after.get(line.partition(" = ")[0], ()))]


def _block(op: Operation) -> str:
    block = block_of(op.name)
    if block is not None:
        return f"block {block}"
    return "embedding" if not op.reads else "from the residual stream to the next token"


def _changes(
    model: Model, trace: Trace, name: str, changes: Sequence[Intervention], patches: dict[str, Array]
) -> list[str]:
    if not changes:
        return []
    axes = model.graph.axes(name)
    shape = trace[name].shape
    lines = [f"{variable(name)} = {variable(name)}.copy()"]
    for change in changes:
        words = " ".join(str(change).split())
        lines += [f"# intervention: {words}", *intervention_lines(change, axes, shape, patches)]
    return lines
