"""Against PyTorch: the gradient of every parameter by autograd, and steps of torch.optim.AdamW."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tests.engine.models import KINDS, Array, of_kind
from visualizer.engine.adam import Adam, AdamSettings
from visualizer.engine.config import ACTIVATIONS, ModelConfig
from visualizer.engine.gradients import loss_gradients

torch: Any = pytest.importorskip(
    "torch", reason="PyTorch is not installed: pip install 'attention-visualizer[reference]'"
)

pytestmark = pytest.mark.reference

TOLERANCE = {"float32": 1e-4, "float64": 1e-11}
CASES: dict[str, dict[str, Any]] = {
    **{kind: {} for kind in KINDS},
    **{f"llama with {act_fn}": {"act_fn": act_fn} for act_fn in ACTIVATIONS if act_fn != "silu"},
    "gpt-2, eight heads, wide": {"n_heads": 8, "d_model": 32, "d_mlp": 50},
    "llama, grouped four to two": {"n_heads": 4, "n_key_value_heads": 2},
}
ACTIVATION = {
    "relu": lambda x: torch.relu(x),
    "silu": lambda x: torch.nn.functional.silu(x),
    "gelu": lambda x: torch.nn.functional.gelu(x),
    "gelu_new": lambda x: torch.nn.functional.gelu(x, approximate="tanh"),
}


def loss_in_torch(config: ModelConfig, p: dict[str, Any], tokens: Array, targets: Array) -> Any:
    """The model written anew on tensors, from the papers' formulas; biases may be absent from `p`."""
    length = tokens.shape[-1]
    x = p["wte"][torch.from_numpy(tokens)]
    if config.positional_embedding_type == "standard":
        x = x + p["wpe"][:length]
    elif config.positional_embedding_type == "sinusoidal":
        column = torch.arange(config.d_model)
        angle = torch.arange(length)[:, None] / 10000.0 ** ((column - column % 2).double() / config.d_model)
        x = x + torch.where(column % 2 == 0, angle.sin(), angle.cos()).to(x.dtype)
    for i in range(config.n_layers):
        x = x + attention(config, p, f"blocks.{i}.attn.", norm(config, p, f"blocks.{i}.ln_1", x))
        if not config.attn_only:
            x = x + mlp(config, p, f"blocks.{i}.mlp.", norm(config, p, f"blocks.{i}.ln_2", x))
    x = norm(config, p, "ln_f", x)
    logits = x @ p["wte"].T if config.tie_embeddings else x @ p["lm_head.w"]
    logits = logits + p.get("lm_head.b", 0)
    return torch.nn.functional.cross_entropy(logits.flatten(0, 1), torch.from_numpy(targets).flatten())


def norm(config: ModelConfig, p: dict[str, Any], name: str, x: Any) -> Any:
    if config.normalization_type is None:
        return x
    if config.normalization_type == "LN":
        return torch.nn.functional.layer_norm(x, x.shape[-1:], p[f"{name}.g"], p.get(f"{name}.b"), config.eps)
    return torch.nn.functional.rms_norm(x, x.shape[-1:], p[f"{name}.g"], config.eps) + p.get(f"{name}.b", 0)


def attention(config: ModelConfig, p: dict[str, Any], name: str, x: Any) -> Any:
    batch, length, _ = x.shape
    heads, shared, size = config.n_heads, config.n_key_value_heads, config.d_head
    qkv = x @ p[f"{name}c_attn.w"] + p.get(f"{name}c_attn.b", 0)
    q, k, v = (
        part.view(batch, length, -1, size) for part in qkv.split([heads * size, shared * size, shared * size], -1)
    )
    if config.positional_embedding_type == "rotary":
        q, k = turned(config, q), turned(config, k)
    k, v = (part.repeat_interleave(heads // shared, dim=2) for part in (k, v))
    scores = torch.einsum("bqhd,bkhd->bhqk", q, k) / size**0.5
    hidden = torch.ones(length, length).triu(1).bool()
    pattern = scores.masked_fill(hidden, float("-inf")).softmax(-1)
    z = torch.einsum("bhqk,bkhd->bqhd", pattern, v).flatten(2)
    return z @ p[f"{name}c_proj.w"] + p.get(f"{name}c_proj.b", 0)


def turned(config: ModelConfig, x: Any) -> Any:
    """Rotary positions as multiplication by complex numbers of length one."""
    size = config.rotary_dim
    rotated, rest = x[..., :size], x[..., size:]
    pairs = rotated.unflatten(-1, (-1, 2)) if config.rotary_adjacent_pairs else rotated.unflatten(-1, (2, -1)).mT
    frequency = config.rotary_base ** (-torch.arange(0, size, 2).double() / size)
    angle = torch.arange(x.shape[1])[:, None] * frequency
    unit = torch.polar(torch.ones_like(angle), angle)[:, None]
    product = torch.view_as_real(torch.view_as_complex(pairs.double().contiguous()) * unit).to(x.dtype)
    back = product if config.rotary_adjacent_pairs else product.mT
    return torch.cat([back.flatten(-2), rest], -1)


def mlp(config: ModelConfig, p: dict[str, Any], name: str, x: Any) -> Any:
    act = ACTIVATION[config.act_fn or ""]
    up = x @ p[f"{name}c_fc.w"] + p.get(f"{name}c_fc.b", 0)
    hidden = act(x @ p[f"{name}c_gate.w"] + p.get(f"{name}c_gate.b", 0)) * up if config.gated_mlp else act(up)
    return hidden @ p[f"{name}c_proj.w"] + p.get(f"{name}c_proj.b", 0)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("case", CASES)
def test_every_gradient_is_that_of_autograd(case: str, dtype: str) -> None:
    kind = case.partition(",")[0].partition(" with ")[0]
    kind = case if case in KINDS else kind
    model = of_kind(kind, seed=3, dtype=dtype, n_ctx=20, **CASES[case])
    tokens, targets = np.random.default_rng(0).integers(0, 6, (2, 3, 20))
    ours = loss_gradients(model.graph, model.parameters.as_dict(), tokens, targets)
    tensors = {name: torch.tensor(array.copy(), requires_grad=True) for name, array in model.parameters.items()}
    loss = loss_in_torch(model.config, tensors, tokens, targets)
    loss.backward()
    assert ours.loss == pytest.approx(loss.item(), rel=TOLERANCE[dtype])
    for name, tensor in tensors.items():
        theirs = tensor.grad.numpy()
        assert ours.parameters[name].dtype == theirs.dtype == dtype
        scale = max(1.0, float(np.abs(theirs).max()))
        np.testing.assert_allclose(ours.parameters[name], theirs, rtol=0, atol=TOLERANCE[dtype] * scale, err_msg=name)


@pytest.mark.parametrize("weight_decay", [0.0, 0.1])
def test_many_steps_of_adam_are_those_of_adamw(weight_decay: float) -> None:
    random = np.random.default_rng(0)
    start, gradients = random.normal(size=7), random.normal(size=(30, 7)) * np.logspace(-6, 2, 7)
    settings = AdamSettings(lr=0.03, betas=(0.85, 0.97), eps=1e-6, weight_decay=weight_decay)
    ours = start.copy()
    adam = Adam(settings, 7, np.ones(7), "float64")
    theirs = torch.tensor(start.copy(), requires_grad=True)
    adamw = torch.optim.AdamW([theirs], lr=0.03, betas=settings.betas, eps=settings.eps, weight_decay=weight_decay)
    for gradient in gradients:
        adam.update(ours, gradient, 0.03)
        theirs.grad = torch.tensor(gradient)
        adamw.step()
        np.testing.assert_allclose(ours, theirs.detach().numpy(), rtol=1e-12, atol=1e-14)
