"""Random Transformers models, and the same weights as ours: for tests and for the script that makes arrays."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch.overrides import TorchFunctionMode
from transformers import GPT2Config, GPT2LMHeadModel, LlamaConfig, LlamaForCausalLM

from visualizer.engine.config import ModelConfig
from visualizer.engine.model import Model

Array = NDArray[Any]


class Double(TorchFunctionMode):
    """Transformers computes norms, softmax and rotary angles in float32 whatever a model's own precision is.

    Within this, what asks for float32 gets float64, so that its own code can be compared to many digits.
    """

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        if func is torch.Tensor.float:
            func = torch.Tensor.double
        args = [torch.float64 if arg is torch.float32 else arg for arg in args]
        given = {name: torch.float64 if arg is torch.float32 else arg for name, arg in (kwargs or {}).items()}
        return func(*args, **given)


def precision(dtype: str) -> AbstractContextManager[Any]:
    """Where a reference of this precision has to be made and run."""
    return Double() if dtype == "float64" else nullcontext()


def gpt2(
    *,
    blocks: int,
    heads: int,
    width: int,
    vocabulary: int,
    context: int,
    inner: int,
    act_fn: str,
    dtype: str,
    seed: int,
) -> tuple[Any, Model]:
    """A GPT2LMHeadModel with random weights, and ours. `width` is a multiple of `heads`."""
    torch.manual_seed(seed)
    config = GPT2Config(
        n_layer=blocks, n_head=heads, n_embd=width, vocab_size=vocabulary, n_positions=context, n_inner=inner,
        activation_function=act_fn, resid_pdrop=0.0, embd_pdrop=0.0, attn_pdrop=0.0, attn_implementation="eager",
        layer_norm_epsilon=1e-5, bos_token_id=0, eos_token_id=0,
    )  # fmt: skip
    reference = widened(GPT2LMHeadModel(config), dtype)
    state = {name: array.numpy() for name, array in reference.state_dict().items()}
    arrays = {"wte": state["transformer.wte.weight"], "wpe": state["transformer.wpe.weight"]}
    parts = ("ln_1", "attn.c_attn", "attn.c_proj", "ln_2", "mlp.c_fc", "mlp.c_proj")
    for i in range(blocks):
        for part in parts:
            arrays |= _pair(state, f"transformer.h.{i}.{part}", f"blocks.{i}.{part}")
    arrays |= _pair(state, "transformer.ln_f", "ln_f")
    ours = ModelConfig(
        n_layers=blocks, d_model=width, n_heads=heads, n_ctx=context, d_vocab=vocabulary, d_mlp=inner,
        act_fn=act_fn, normalization_type="LN", eps=1e-5, tie_embeddings=True, dtype=dtype,
    )  # fmt: skip
    return reference, Model(ours, arrays)


def _pair(state: dict[str, Array], theirs: str, ours: str) -> dict[str, Array]:
    """A layer's weight (or gain) and bias under our names; GPT-2 stores weights [in, out] as we do."""
    letter = "g" if "ln_" in ours else "w"
    return {f"{ours}.{letter}": state[f"{theirs}.weight"], f"{ours}.b": state[f"{theirs}.bias"]}


def llama(
    *, blocks: int, heads: int, shared: int, d_head: int, width: int, vocabulary: int, context: int, inner: int,
    tied: bool, biases: bool, eps: float, base: float, dtype: str, seed: int,
) -> tuple[Any, Model]:  # fmt: skip
    """A LlamaForCausalLM with random weights, and ours. Its linear layers store [out, in]."""
    torch.manual_seed(seed)
    config = LlamaConfig(
        num_hidden_layers=blocks, num_attention_heads=heads, num_key_value_heads=shared, head_dim=d_head,
        hidden_size=width, vocab_size=vocabulary, max_position_embeddings=context, intermediate_size=inner,
        tie_word_embeddings=tied, attention_bias=biases, mlp_bias=biases, rms_norm_eps=eps,
        rope_parameters={"rope_type": "default", "rope_theta": base}, hidden_act="silu",
        attn_implementation="eager", bos_token_id=0, eos_token_id=0,
    )  # fmt: skip
    with precision(dtype):
        reference = LlamaForCausalLM(config)
    reference = widened(reference, dtype)
    state = {name: array.numpy() for name, array in reference.state_dict().items()}
    arrays = {"wte": state["model.embed_tokens.weight"], "ln_f.g": state["model.norm.weight"]}
    for i in range(blocks):
        theirs, block = f"model.layers.{i}.", f"blocks.{i}."
        arrays[f"{block}ln_1.g"] = state[f"{theirs}input_layernorm.weight"]
        arrays[f"{block}ln_2.g"] = state[f"{theirs}post_attention_layernorm.weight"]
        qkv = [f"{theirs}self_attn.{name}_proj" for name in "qkv"]
        arrays[f"{block}attn.c_attn.w"] = np.concatenate([state[f"{name}.weight"].T for name in qkv], axis=1)
        if biases:
            arrays[f"{block}attn.c_attn.b"] = np.concatenate([state[f"{name}.bias"] for name in qkv])
        renamed = {
            "attn.c_proj": "self_attn.o_proj",
            "mlp.c_gate": "mlp.gate_proj",
            "mlp.c_fc": "mlp.up_proj",
            "mlp.c_proj": "mlp.down_proj",
        }
        for our_name, their_name in renamed.items():
            arrays[f"{block}{our_name}.w"] = state[f"{theirs}{their_name}.weight"].T
            if biases:
                arrays[f"{block}{our_name}.b"] = state[f"{theirs}{their_name}.bias"]
    if not tied:
        arrays["lm_head.w"] = state["lm_head.weight"].T
    ours = ModelConfig(
        n_layers=blocks, d_model=width, n_heads=heads, n_key_value_heads=shared, d_head=d_head, n_ctx=context,
        d_vocab=vocabulary, d_mlp=inner, act_fn="silu", gated_mlp=True, normalization_type="RMS", eps=eps,
        positional_embedding_type="rotary", rotary_base=base, tie_embeddings=tied, dtype=dtype,
    )  # fmt: skip
    return reference, Model(ours, arrays)


def widened(reference: Any, dtype: str) -> Any:
    """The model in `dtype`, its weights redrawn so wide that no softmax is near uniform and no bias is 0."""
    reference = reference.to(getattr(torch, dtype)).eval()
    with torch.no_grad():
        for name, parameter in reference.named_parameters():
            if "ln_" in name or "norm" in name:
                parameter.copy_((0.0 if name.endswith("bias") else 1.0) + 0.3 * torch.randn_like(parameter))
            elif parameter.ndim == 2 and "wte" not in name and "wpe" not in name and "embed" not in name:
                parameter.copy_(torch.randn_like(parameter) * 1.5 / min(parameter.shape) ** 0.5)
            else:
                parameter.copy_(0.5 * torch.randn_like(parameter))
            parameter.copy_(parameter.to(torch.float32))  # the same numbers in either precision
    return reference


def precision_of(reference: Any) -> str:
    """The name of the dtype of its weights."""
    return str(reference.dtype).removeprefix("torch.")


def reference_pass(reference: Any, tokens: Array) -> tuple[Array, list[Array]]:
    """Logits [position, d_vocab] and each block's pattern [head, query, key] by Transformers."""
    with torch.no_grad(), precision(precision_of(reference)):
        out = reference(torch.from_numpy(np.asarray(tokens))[None], output_attentions=True, use_cache=False)
    return out.logits[0].numpy(), [pattern[0].numpy() for pattern in out.attentions]


def reference_generation(reference: Any, tokens: Array, count: int) -> list[tuple[Array, list[Array]]]:
    """Greedy tokens one by one with Transformers' cache: each step's last logits and pattern rows [head, key]."""
    steps = []
    past, new = None, torch.from_numpy(np.asarray(tokens))[None]
    for _ in range(count):
        with torch.no_grad(), precision(precision_of(reference)):
            out = reference(new, past_key_values=past, use_cache=True, output_attentions=True)
        steps.append((out.logits[0, -1].numpy(), [pattern[0, :, -1].numpy() for pattern in out.attentions]))
        past, new = out.past_key_values, out.logits[:, -1:].argmax(-1)
    return steps
