"""Adam with decoupled weight decay, gradient clipping, and a learning rate that warms up and cools down."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from visualizer.engine.checked import require_number, require_whole
from visualizer.errors import TrainingError, short_repr

Array = NDArray[Any]


@dataclass(frozen=True)
class AdamSettings:
    """Names as in PyTorch's AdamW.

    Attributes:
        lr: the learning rate at its highest.
        betas, eps: of Kingma and Ba 2015.
        weight_decay: decoupled (Loshchilov and Hutter 2019); on matrices only, not on gains, biases or positions.
        grad_clip: the largest global norm of the gradients; 0 clips nothing.
        warmup: steps over which lr grows from 0.
        min_lr: where the cosine ends, as a part of lr; 1 keeps it constant.
    """

    lr: float = 3e-3
    betas: tuple[float, float] = (0.9, 0.99)
    eps: float = 1e-8
    weight_decay: float = 0.0
    grad_clip: float = 1.0
    warmup: int = 100
    min_lr: float = 0.1

    def __post_init__(self) -> None:
        require_number("lr", self.lr, "a number above 0", lowest=math.ulp(0.0))
        betas: object = self.betas
        if not isinstance(betas, tuple) or len(betas) != 2:
            raise TrainingError(f"betas are {short_repr(self.betas)}; two numbers from 0 up to 1 are needed")
        for beta in betas:
            require_number("betas", beta, "a number from 0 up to 1 for each", below=1.0)
        for name in ("eps", "weight_decay", "grad_clip", "min_lr"):
            require_number(name, getattr(self, name), "a number of at least 0")
        require_whole("warmup", self.warmup, 0)

    def rate(self, step: int, steps: int) -> float:
        """The learning rate of step 0, 1, … of `steps`: linear warm-up, then a half cosine down to min_lr · lr."""
        if step < self.warmup:
            return self.lr * (step + 1) / self.warmup
        part = min(1.0, (step - self.warmup) / max(1, steps - self.warmup))
        return self.lr * (self.min_lr + (1 - self.min_lr) * 0.5 * (1 + math.cos(math.pi * part)))


class Adam:
    """The moments of one flat vector of parameters [n], and its update in place.

    Attributes:
        first, second: running means of the gradient and of its square, [n].
        steps: how many updates were made.
    """

    def __init__(self, settings: AdamSettings, size: int, decayed: Array, dtype: str = "float32") -> None:
        self.settings = settings
        self.first = np.zeros(size, dtype=dtype)
        self.second = np.zeros(size, dtype=dtype)
        self.steps = 0
        self._decayed = decayed
        self._scratch = np.empty(size, dtype=dtype)

    def update(self, parameters: Array, gradient: Array, lr: float) -> None:
        """One step: parameters −= lr · m̂ / (√v̂ + eps). `gradient` [n] is not kept.

        What goes beyond all numbers shows in the next loss, which whoever trains looks at.
        """
        with np.errstate(all="ignore"):
            self._update(parameters, gradient, lr)

    def _update(self, parameters: Array, gradient: Array, lr: float) -> None:
        beta1, beta2 = self.settings.betas
        self.steps += 1
        scratch = self._scratch
        if self.settings.weight_decay:
            parameters *= 1 - lr * self.settings.weight_decay * self._decayed
        self.first *= beta1
        np.multiply(gradient, 1 - beta1, out=scratch)
        self.first += scratch
        self.second *= beta2
        np.multiply(gradient, gradient, out=scratch)
        scratch *= 1 - beta2
        self.second += scratch
        np.sqrt(self.second, out=scratch)
        scratch /= math.sqrt(1 - beta2**self.steps)
        scratch += self.settings.eps
        np.divide(self.first, scratch, out=scratch)
        scratch *= lr / (1 - beta1**self.steps)
        parameters -= scratch
