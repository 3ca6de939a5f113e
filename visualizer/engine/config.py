"""The shape of a transformer: a frozen, validated configuration."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, fields
from numbers import Integral
from typing import Any

from visualizer.engine.checked import LARGEST
from visualizer.errors import ConfigError, short_repr

ACTIVATIONS = ("relu", "gelu", "gelu_new", "silu")
NORMALIZATIONS = (None, "LN", "RMS")
POSITIONS = ("standard", "sinusoidal", "rotary")
DTYPES = ("float32", "float64")


@dataclass(frozen=True, kw_only=True)
class ModelConfig:
    """A decoder-only, pre-norm transformer. Field names are TransformerLens'.

    What can be derived may be left out: `d_head` and `n_heads` from each other and `d_model`,
    `n_key_value_heads` (as many as heads), `d_mlp` (4 · d_model), `rotary_dim` (d_head).
    `tie_embeddings=None` means: tied unless the parameters hold `lm_head.w`.

    Raises:
        ConfigError: a size is not a positive whole number, or the fields contradict each other.
    """

    n_layers: int
    d_model: int
    n_ctx: int
    d_vocab: int
    d_head: int = 0
    n_heads: int = 0
    n_key_value_heads: int = 0
    d_mlp: int = 0
    act_fn: str | None = None
    gated_mlp: bool = False
    normalization_type: str | None = "LN"
    eps: float = 1e-5
    attn_only: bool = False
    positional_embedding_type: str = "standard"
    rotary_base: float = 10000.0
    rotary_dim: int = 0
    rotary_adjacent_pairs: bool = False
    tie_embeddings: bool | None = None
    dtype: str = "float32"

    def __post_init__(self) -> None:
        for name in ("n_heads", "d_head", "n_key_value_heads", "d_mlp", "rotary_dim"):
            value = getattr(self, name)
            if value is not None and not isinstance(value, Integral):
                self._require_count(name)
            if value is None or value == -1:  # "not given", as None or TransformerLens' -1
                self._set(name, 0)
        for name in ("n_layers", "d_model", "n_ctx", "d_vocab"):
            self._require_count(name)
        self._derive_heads()
        for name in ("gated_mlp", "attn_only", "rotary_adjacent_pairs", "tie_embeddings"):
            self._require_truth(name)
        if self.attn_only:
            self._set("d_mlp", 0)
            self._set("gated_mlp", False)
        else:
            self._set("d_mlp", self.d_mlp or 4 * self.d_model)
            self._require_count("d_mlp")
            if self.act_fn is None:
                raise ConfigError(f"act_fn is missing: a model with an MLP needs one of {', '.join(ACTIVATIONS)}")
        if self.act_fn is not None:
            self._require_one_of("act_fn", ACTIVATIONS)
        self._require_one_of("normalization_type", NORMALIZATIONS)
        self._require_one_of("positional_embedding_type", POSITIONS)
        self._require_one_of("dtype", DTYPES)
        self._require_number("eps")
        self._require_number("rotary_base")
        if not self.eps >= 0:
            raise ConfigError(f"eps is {self.eps}; a number of at least 0 is needed")
        if self.positional_embedding_type == "rotary":
            self._set("rotary_dim", self.rotary_dim or self.d_head)
            self._require_count("rotary_dim")
            if self.rotary_dim % 2 or self.rotary_dim > self.d_head:
                raise ConfigError(
                    f"rotary_dim is {self.rotary_dim}; an even number up to d_head = {self.d_head} is needed"
                )
            if not self.rotary_base > 0:
                raise ConfigError(f"rotary_base is {self.rotary_base}; a number above 0 is needed")
        else:
            self._set("rotary_dim", 0)

    def _derive_heads(self) -> None:
        if not self.n_heads and not self.d_head:
            raise ConfigError("n_heads and d_head are both missing; one of them is needed")
        if not self.n_heads:
            self._require_count("d_head")
            self._set("n_heads", self.d_model // self.d_head)
        if not self.d_head:
            self._require_count("n_heads")
            if self.d_model % self.n_heads:
                raise ConfigError(
                    f"d_model {self.d_model} is not a multiple of n_heads {self.n_heads}; give d_head as well"
                )
            self._set("d_head", self.d_model // self.n_heads)
        self._set("n_key_value_heads", self.n_key_value_heads or self.n_heads)
        for name in ("n_heads", "d_head", "n_key_value_heads"):
            self._require_count(name)
        if self.n_heads % self.n_key_value_heads:
            raise ConfigError(f"n_heads {self.n_heads} is not a multiple of n_key_value_heads {self.n_key_value_heads}")

    def _set(self, name: str, value: object) -> None:
        object.__setattr__(self, name, value)

    def _require_count(self, name: str) -> None:
        value = getattr(self, name)
        if isinstance(value, bool) or not isinstance(value, Integral) or value < 1:
            raise ConfigError(f"{name} is {short_repr(value)}; a whole number of at least 1 is needed")
        if int(value) > LARGEST:
            raise ConfigError(f"{name} is {short_repr(value)}; a whole number of at most {LARGEST} is needed")
        self._set(name, int(value))

    def _require_truth(self, name: str) -> None:
        value = getattr(self, name)
        if not isinstance(value, bool) and not (value is None and name == "tie_embeddings"):
            raise ConfigError(f"{name} is {short_repr(value)}; True or False is needed")

    def _require_number(self, name: str) -> None:
        value = getattr(self, name)
        try:
            number = math.nan if isinstance(value, bool | str) else float(value)
        except (TypeError, ValueError, OverflowError):
            number = math.nan
        if not math.isfinite(number):
            raise ConfigError(f"{name} is {short_repr(value)}; a finite number is needed")
        self._set(name, number)

    def _require_one_of(self, name: str, choices: tuple[str | None, ...]) -> None:
        value = getattr(self, name)
        if value not in choices:
            raise ConfigError(f"{name} is {short_repr(value)}; one of {', '.join(map(str, choices))} is needed")

    @property
    def group_size(self) -> int:
        """How many query heads share one key/value head."""
        return self.n_heads // self.n_key_value_heads

    def to_dict(self) -> dict[str, Any]:
        """The fields as JSON can hold them."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> ModelConfig:
        """The configuration that `to_dict` wrote.

        Raises:
            ConfigError: a field is unknown, missing or invalid.
        """
        known = {field.name for field in fields(cls)}
        unknown = sorted(set(values) - known)
        if unknown:
            raise ConfigError(
                f"unknown configuration field {short_repr(unknown[0])}; known are {', '.join(sorted(known))}"
            )
        try:
            return cls(**values)
        except TypeError as error:
            raise ConfigError(f"configuration: {error}") from error
