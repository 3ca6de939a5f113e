"""Names of activations and parameters, taken apart."""

from __future__ import annotations

import pytest

from visualizer.engine.names import block_of, block_prefix, has_key_value_heads, last_part, local_name, short_name


@pytest.mark.parametrize(
    ("name", "block", "prefix", "local", "short", "last"),
    [
        ("blocks.11.attn.q", 11, "blocks.11.", "attn.q", "q", "q"),
        ("blocks.0.attn.c_attn.w", 0, "blocks.0.", "attn.c_attn.w", "c_attn.w", "w"),
        ("blocks.2.mlp.post", 2, "blocks.2.", "mlp.post", "mlp.post", "post"),
        ("blocks.1.attn_out", 1, "blocks.1.", "attn_out", "attn_out", "attn_out"),
        ("ln_final.normalized", None, "", "ln_final.normalized", "ln_final.normalized", "normalized"),
        ("logits", None, "", "logits", "logits", "logits"),
    ],
)
def test_a_name_tells_its_block_and_what_it_is_there(
    name: str, block: int | None, prefix: str, local: str, short: str, last: str
) -> None:
    assert (block_of(name), block_prefix(name), local_name(name)) == (block, prefix, local)
    assert (short_name(name), last_part(name)) == (short, last)


def test_keys_and_values_have_heads_of_their_own() -> None:
    names = ["q", "k", "v", "rot_q", "rot_k", "z", "pattern"]
    assert [name for name in names if has_key_value_heads(f"blocks.0.attn.{name}")] == ["k", "v", "rot_k"]
