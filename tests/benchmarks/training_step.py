"""One step of training a tiny model, backward pass and Adam included, against PyTorch with the same shapes."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from typing import Any

import numpy as np

from tests.benchmarks.harness import Row, compare
from visualizer.engine.config import ModelConfig
from visualizer.engine.training import Trainer, TrainingSettings

BLOCKS, WIDTH, INNER, HEADS, VOCABULARY, CONTEXT, BATCH = 4, 32, 64, 4, 100, 64, 32
THREADS = 2
FOREVER = 1_000_000_000


def our_trainer() -> Trainer:
    """LayerNorm, ReLU, biases, learned positions, an unembedding of its own; a text of random tokens."""
    config = ModelConfig(
        n_layers=BLOCKS, d_model=WIDTH, n_heads=HEADS, d_mlp=INNER, d_vocab=VOCABULARY, n_ctx=CONTEXT,
        act_fn="relu", tie_embeddings=False,
    )  # fmt: skip
    ids = np.random.default_rng(0).integers(0, VOCABULARY, 100_000)
    return Trainer(config, ids, TrainingSettings(steps=FOREVER, batch=BATCH, evaluate_every=FOREVER))


def their_step(trainer: Trainer) -> Callable[[], object]:
    """The same model in PyTorch, as one would write it there: eager, Adam, the norm of the gradients clipped."""
    import torch
    from torch import nn
    from torch.nn import functional

    torch.set_num_threads(THREADS)

    class Block(nn.Module):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.ln_1, self.ln_2 = nn.LayerNorm(WIDTH), nn.LayerNorm(WIDTH)
            self.c_attn, self.c_proj = nn.Linear(WIDTH, 3 * WIDTH), nn.Linear(WIDTH, WIDTH)
            self.up, self.down = nn.Linear(WIDTH, INNER), nn.Linear(INNER, WIDTH)
            self.register_buffer("hidden", torch.ones(CONTEXT, CONTEXT).triu(1).bool())

        def forward(self, x: Any) -> Any:
            batch, length, _ = x.shape
            q, k, v = self.c_attn(self.ln_1(x)).split(WIDTH, dim=-1)
            q, k, v = (each.view(batch, length, HEADS, -1).transpose(1, 2) for each in (q, k, v))
            scores = q @ k.transpose(-1, -2) / (WIDTH // HEADS) ** 0.5
            pattern = scores.masked_fill(self.hidden, float("-inf")).softmax(-1)
            x = x + self.c_proj((pattern @ v).transpose(1, 2).reshape(batch, length, WIDTH))
            return x + self.down(functional.relu(self.up(self.ln_2(x))))

    class Transformer(nn.Module):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.wte, self.wpe = nn.Embedding(VOCABULARY, WIDTH), nn.Embedding(CONTEXT, WIDTH)
            self.blocks = nn.Sequential(*(Block() for _ in range(BLOCKS)))
            self.ln_f, self.lm_head = nn.LayerNorm(WIDTH), nn.Linear(WIDTH, VOCABULARY)

        def forward(self, ids: Any) -> Any:
            return self.lm_head(self.ln_f(self.blocks(self.wte(ids) + self.wpe.weight)))

    model = Transformer()
    assert sum(array.numel() for array in model.parameters()) == trainer.flat.size
    settings = trainer.settings.optimizer
    adam = torch.optim.Adam(model.parameters(), lr=settings.lr, betas=settings.betas, eps=settings.eps)
    ids = torch.from_numpy(trainer.train_ids)

    def step() -> float:
        starts = torch.randint(0, len(ids) - CONTEXT, (BATCH, 1))
        windows = ids[starts + torch.arange(CONTEXT + 1)]
        loss = functional.cross_entropy(model(windows[:, :-1]).flatten(0, 1), windows[:, 1:].flatten())
        adam.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), settings.grad_clip)
        adam.step()
        return float(loss)

    return step


def rows() -> list[Row]:
    """The one row."""
    trainer = our_trainer()
    steps = trainer.steps()
    lacking = "" if importlib.util.find_spec("torch") else "not installed: torch"
    try:
        row = compare(
            "one training step: 4 layers, d_model 32, context 64, batch 32, Adam",
            lambda: next(steps),
            None if lacking else their_step(trainer),
            bound=1.5,
            aim=0.9,
            seconds=10.0,
            note=lacking or f"PyTorch eager, {THREADS} threads",
        )
    finally:
        steps.close()  # type: ignore[attr-defined]
    return [row]
