"""Named, read-only parameters; replacing some gives a new set that shares the rest."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from visualizer.engine.config import ModelConfig
from visualizer.engine.names import block_of
from visualizer.errors import ParameterError

Array = NDArray[Any]


def parameter_shapes(config: ModelConfig) -> dict[str, tuple[int, ...]]:
    """Shapes of every parameter a model of this configuration can have, in the order of use.

    Stored `[in, out]`; `c_attn` holds the columns q | k | v. Biases (names ending in `.b`) are optional.
    """
    d, heads = config.d_model, config.n_heads * config.d_head
    qkv = heads + 2 * config.n_key_value_heads * config.d_head
    shapes: dict[str, tuple[int, ...]] = {"wte": (config.d_vocab, d)}
    if config.positional_embedding_type == "standard":
        shapes["wpe"] = (config.n_ctx, d)
    for i in range(config.n_layers):
        block = f"blocks.{i}."
        shapes |= _norm_shapes(config, f"{block}ln_1")
        shapes |= {f"{block}attn.c_attn.w": (d, qkv), f"{block}attn.c_attn.b": (qkv,)}
        shapes |= {f"{block}attn.c_proj.w": (heads, d), f"{block}attn.c_proj.b": (d,)}
        if not config.attn_only:
            shapes |= _norm_shapes(config, f"{block}ln_2")
            if config.gated_mlp:
                shapes[f"{block}mlp.c_gate.w"] = (d, config.d_mlp)
                shapes[f"{block}mlp.c_gate.b"] = (config.d_mlp,)
            shapes |= {f"{block}mlp.c_fc.w": (d, config.d_mlp), f"{block}mlp.c_fc.b": (config.d_mlp,)}
            shapes |= {f"{block}mlp.c_proj.w": (config.d_mlp, d), f"{block}mlp.c_proj.b": (d,)}
    shapes |= _norm_shapes(config, "ln_f")
    if not config.tie_embeddings:
        shapes["lm_head.w"] = (d, config.d_vocab)
    shapes["lm_head.b"] = (config.d_vocab,)
    return shapes


def parameter_count(config: ModelConfig) -> int:
    """How many numbers the parameters of `parameter_shapes` hold, found without listing block after block."""
    sizes = {name: math.prod(shape) for name, shape in parameter_shapes(replace(config, n_layers=1)).items()}
    block = sum(size for name, size in sizes.items() if block_of(name) is not None)
    return sum(sizes.values()) + (config.n_layers - 1) * block


def _norm_shapes(config: ModelConfig, name: str) -> dict[str, tuple[int, ...]]:
    if config.normalization_type is None:
        return {}
    return {f"{name}.g": (config.d_model,), f"{name}.b": (config.d_model,)}


def by_name(arrays: object) -> Mapping[str, ArrayLike]:
    """What was given as parameters, where it is a table. Raises ParameterError."""
    if not isinstance(arrays, Mapping):
        raise ParameterError(f"parameters are {type(arrays).__name__}; arrays by name are needed, such as {{'wte': …}}")
    return arrays


class Parameters(Mapping[str, Array]):
    """The arrays of a model by name, in the order of use. Arrays cannot be written to.

    Raises:
        ParameterError: a parameter is missing, unknown, not numeric or of the wrong shape.
    """

    def __init__(self, config: ModelConfig, arrays: Mapping[str, ArrayLike]) -> None:
        shapes = parameter_shapes(config)
        unknown = [name for name in arrays if name not in shapes]
        if unknown:
            raise ParameterError(f"parameter {unknown[0]!r} does not belong to this configuration")
        missing = [name for name in shapes if name not in arrays and not name.endswith(".b")]
        if missing:
            raise ParameterError(f"parameter {missing[0]!r} {list(shapes[missing[0]])} is missing")
        self.config = config
        self._arrays = {
            name: _checked(name, arrays[name], shape, config.dtype) for name, shape in shapes.items() if name in arrays
        }

    def __getitem__(self, name: str) -> Array:
        try:
            return self._arrays[name]
        except KeyError:
            raise ParameterError(f"no parameter {name!r}; this model has {', '.join(self._arrays)}") from None

    def __contains__(self, name: object) -> bool:
        return name in self._arrays

    def get(self, name: str, default: Any = None) -> Any:  # noqa: ANN401
        """The array, or `default` where this model has no parameter of that name."""
        return self._arrays.get(name, default)

    def __iter__(self) -> Iterator[str]:
        return iter(self._arrays)

    def __len__(self) -> int:
        return len(self._arrays)

    def as_dict(self) -> dict[str, Array]:
        """The arrays as a plain dict (the engine's inner loops read it); do not change it."""
        return self._arrays

    def count(self) -> int:
        """How many numbers the parameters hold together."""
        return sum(array.size for array in self._arrays.values())

    def replace(self, changes: Mapping[str, ArrayLike]) -> Parameters:
        """A new set with `changes` in place and every other array shared.

        Raises:
            ParameterError: a name is not there, or a shape differs.
        """
        arrays = dict(self._arrays)
        for name, value in by_name(changes).items():
            arrays[name] = _checked(name, value, self[name].shape, self.config.dtype)
        new = object.__new__(Parameters)
        new.config = self.config
        new._arrays = arrays
        return new


def _checked(name: str, value: ArrayLike, shape: tuple[int, ...], dtype: str) -> Array:
    try:
        # Numbers beyond the range of float32 become infinite, visibly; that is no reason to warn.
        with np.errstate(over="ignore"):
            given = np.asarray(value)
            if given.dtype.kind not in "fiub":
                raise TypeError(f"{given.dtype} is not a real number")
            array = np.ascontiguousarray(given, dtype=dtype)  # a fitting array stays the same object
            if array.ndim != given.ndim:  # a single number has become a list of one
                array = array.reshape(given.shape)
    except (TypeError, ValueError, OverflowError) as error:
        raise ParameterError(f"parameter {name!r} is not an array of numbers: {error}") from error
    if array.shape != shape:
        raise ParameterError(f"parameter {name!r} has shape {list(array.shape)}; {list(shape)} is needed")
    if given.flags.writeable and np.may_share_memory(array, given):
        array = array.copy()  # the caller may go on writing to its own array
    array.flags.writeable = False
    return array
