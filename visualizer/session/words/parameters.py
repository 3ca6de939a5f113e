"""What each parameter is for, in a few plain words, and what its axes stand for."""

from __future__ import annotations

from visualizer.engine.names import local_name

_PURPOSE = {
    "wte": ("[token, dimension]", "what each token writes into the residual stream"),
    "wpe": ("[position, dimension]", "what each position adds to the token's embedding"),
    "attn.c_attn.w": ("[dimension, q | k | v]", "makes queries, keys and values from the residual stream"),
    "attn.c_attn.b": ("[q | k | v]", "is added to queries, keys and values"),
    "attn.c_proj.w": ("[head output, dimension]", "writes what the heads found into the residual stream"),
    "attn.c_proj.b": ("[dimension]", "is added to what attention writes"),
    "mlp.c_fc.w": ("[dimension, hidden]", "what each hidden unit of the MLP looks for"),
    "mlp.c_fc.b": ("[hidden]", "is added before the activation function"),
    "mlp.c_gate.w": ("[dimension, hidden]", "how far each hidden unit is let through"),
    "mlp.c_gate.b": ("[hidden]", "is added to the gate"),
    "mlp.c_proj.w": ("[hidden, dimension]", "what each hidden unit writes into the residual stream"),
    "mlp.c_proj.b": ("[dimension]", "is added to what the MLP writes"),
    "lm_head.w": ("[dimension, token]", "turns the residual stream into a logit for each token"),
    "lm_head.b": ("[token]", "is added to the logits"),
}


def shape_text(shape: tuple[int, ...]) -> str:
    """A shape as people write it: `8×24`."""
    return "×".join(map(str, shape))


def meaning(parameter: str) -> str:
    """One line: what the axes stand for, and what the numbers do."""
    local = local_name(parameter)
    if local in _PURPOSE:
        axes, purpose = _PURPOSE[local]
    elif local.endswith(".g"):
        axes, purpose = "[dimension]", "scales each dimension after normalization"
    else:
        axes, purpose = "[dimension]", "shifts each dimension after normalization"
    return f"{axes}: {purpose}"
