"""Explanations as text: names, numbers in place of letters, long sums, and what does not add up."""

import math

import numpy as np
import pytest

import visualizer
from tests.engine.models import KINDS, of_kind
from visualizer.engine.explanation import Explanation, Source, Term
from visualizer.engine.model import Model
from visualizer.engine.trace import Trace
from visualizer.formats import open_model
from visualizer.session.words.formulas import (
    Words,
    disagreement,
    name_beside,
    plugged_in,
    term_list,
    term_text,
)

ATTN = "blocks.0.attn."


@pytest.fixture(scope="module")
def trace() -> Trace:
    """The article's model on its pattern."""
    return visualizer.handmade("aab").forward("aabaa")


def product(a: float, b: float) -> Term:
    """The term a·b."""
    return Term(a * b, (Source("activation", "x", (0,), a), Source("parameter", "w", (0,), b)))


def a_sum(*terms: Term) -> Explanation:
    """The sum of terms, recorded exactly."""
    return Explanation("y", (0,), math.fsum(term.value for term in terms), "x W", terms)


@pytest.mark.parametrize(
    ("name", "cell", "expected"),
    [
        ("blocks.0.attn.pattern", (0, 2, 1), "pattern[b₂, a₁]"),
        ("blocks.0.attn.q", (2, 0, 3), "q[b₂, 3]"),
        ("blocks.0.resid_pre", (0, 7), "resid_pre[a₀, scratch]"),
        ("logits", (4, 1), "logits[a₄, b]"),
        ("probs", (4, 1), "probs[a₄, b]"),
    ],
)
def test_an_activation_is_named_by_tokens_and_dimensions(
    trace: Trace, name: str, cell: tuple[int, ...], expected: str
) -> None:
    assert Words(open_model("aab"), trace).cell(Source("activation", name, cell, 0.0)) == expected


@pytest.mark.parametrize(
    ("name", "cell", "expected"),
    [
        ("wte", (1, 6), "wte[b, b]"),
        ("wpe", (3, 7), "wpe[P3, scratch]"),
        ("blocks.0.attn.c_attn.w", (5, 23), "c_attn.w[a, V7]"),
        ("blocks.0.attn.c_proj.b", (5,), "c_proj.b[a]"),
    ],
)
def test_a_parameter_is_named_as_in_the_grid(name: str, cell: tuple[int, ...], expected: str) -> None:
    assert Words(open_model("aab"), None).cell(Source("parameter", name, cell, 0.0)) == expected


def test_a_constant_is_called_what_it_is() -> None:
    assert Words(open_model("aab"), None).cell(Source("constant", "1/√d_head", (), 0.35)) == "1/√d_head"


def test_names_lose_the_block_they_share() -> None:
    assert name_beside("blocks.1.attn.q", "blocks.1.") == "q"
    assert name_beside("blocks.10.attn.q", "blocks.1.") == "blocks.10.attn.q"
    assert name_beside("blocks.1.mlp.post", "blocks.1.") == "mlp.post"


def test_a_product_of_query_and_key_is_written_out(trace: Trace) -> None:
    explained = trace.explain(ATTN + "qk", (0, 2, 1))
    assert plugged_in(explained) == "1024·1 + 7 terms of 0"


def test_a_softmax_weight_is_written_as_a_fraction(trace: Trace) -> None:
    explained = trace.explain(ATTN + "pattern", (0, 2, 1))
    assert plugged_in(explained) == "e^(362 − 362) / (0 + 1 + 1)"
    assert term_text(explained, explained.terms[0]) == "e^(0 − 362)"


def test_a_masked_weight_says_that_it_is_hidden(trace: Trace) -> None:
    explained = trace.explain(ATTN + "pattern", (0, 1, 3))
    assert explained.formula == "0 (masked)"
    assert plugged_in(explained) == "0"


def test_a_short_sum_keeps_the_operations_order() -> None:
    assert plugged_in(a_sum(product(1, 2), product(-3, 4), product(2, -1))) == "1·2 − 3·4 + 2·(−1)"


def test_a_long_sum_writes_the_largest_and_sums_up_the_rest() -> None:
    terms = [product(i, 1) for i in range(1, 9)]
    assert plugged_in(a_sum(*terms)) == "8·1 + 7·1 + 6·1 + 5·1 + … (4 more: 10)"


def test_only_zeros_are_counted_not_written() -> None:
    assert plugged_in(a_sum(*[product(0, 3)] * 8)) == "0·3 + 7 terms of 0"


def test_a_term_that_is_no_product_of_its_numbers_is_its_value() -> None:
    odd = Term(0.7, (Source("activation", "x", (0,), 2.0), Source("activation", "y", (0,), 3.0)))
    assert term_text(a_sum(odd), odd) == "0.7"


def test_a_norms_scale_divides() -> None:
    sources = (
        Source("activation", "x", (0,), 6.0),
        Source("activation", "ln.scale", (0, 0), 2.0),
        Source("parameter", "g", (0,), 0.5),
    )
    assert term_text(a_sum(Term(1.5, sources)), Term(1.5, sources)) == "6·0.5 / 2"
    assert term_text(a_sum(Term(-1.5, sources)), Term(-1.5, sources)) == "−(6·0.5 / 2)"


def test_a_root_and_a_function_show_what_they_are_of() -> None:
    squares = (Term(9.0, ()), Term(16.0, ()))
    assert plugged_in(Explanation("s", (0,), 5.0, "√Σ", squares, "root")) == "√(9 + 16)"
    term = Term(-2.0, (Source("activation", "pre", (0,), -2.0),))
    symbols = (("x", -2.0),)
    relu = Explanation("post", (0,), 0.0, "max(0, x)", (term,), "function", 0, lambda x: max(0.0, x), symbols)
    assert plugged_in(relu) == "max(0, −2)"


@pytest.mark.parametrize("kind", [kind for kind, fields in KINDS.items() if not fields.get("attn_only")])
def test_an_activation_functions_numbers_give_its_value(kind: str) -> None:
    trace = of_kind(kind).forward((1, 4, 0, 3))
    for cell in np.ndindex(trace["blocks.0.mlp.post"].shape):
        explanation = trace.explain("blocks.0.mlp.post", cell)
        text = plugged_in(explanation)
        for shown, python in (("½", "0.5"), ("·", "*"), ("−", "-"), ("³", "**3"), ("e^", "e**"), ("√2", "sqrt(2)")):
            text = text.replace(shown, python)
        names = {"tanh": math.tanh, "erf": math.erf, "e": math.e, "sqrt": math.sqrt, "max": max, "π": math.pi}
        assert eval(text.replace("√(", "sqrt("), names) == pytest.approx(explanation.value, rel=0.01, abs=1e-3)


def test_a_projection_names_its_own_weights_and_no_bias_that_is_not_there() -> None:
    trace = of_kind("llama").forward((1, 4, 0))
    for name in ("q", "k", "v"):
        assert trace.explain(f"blocks.0.attn.{name}", (0, 0, 0)).formula == f"x W_{name} + b"
    model = of_kind("llama")
    bare = {name: array for name, array in model.parameters.as_dict().items() if not name.endswith(".b")}
    trace = Model(model.config, bare).forward((1, 4, 0))
    assert trace.explain("blocks.0.attn.k", (0, 0, 0)).formula == "x W_k"
    assert trace.explain("blocks.0.ln1.normalized", (0, 0)).formula == "x / scale · g"


def test_hundreds_of_terms_are_listed_by_size_and_the_rest_summed() -> None:
    listed = term_list(a_sum(*[product(i, -1) for i in range(768)]))
    assert [term.value for term in listed.terms[:3]] == [-767, -766, -765]
    assert len(listed.terms) == 50
    assert listed.rest == f"… 718 smaller terms sum to −{float(sum(range(718))):.4g}".replace("e+05", "e5")


def test_terms_that_do_not_give_the_recorded_number_are_noticed() -> None:
    exact = a_sum(product(1, 2), product(3, 4))
    assert disagreement(exact) == ""
    wrong = Explanation("y", (0,), 15.0, "x W", exact.terms)
    assert disagreement(wrong) == "In double precision the terms give 14; the model's arithmetic recorded 15."


def test_rounding_to_single_precision_is_no_disagreement(trace: Trace) -> None:
    for name in trace:
        shape = trace[name].shape
        for cell in ((0,) * len(shape), tuple(n - 1 for n in shape)):
            assert disagreement(trace.explain(name, cell)) == "", name


def test_nan_agrees_with_nan_and_is_written() -> None:
    nan = a_sum(product(math.nan, 1), product(1, 1))
    assert disagreement(nan) == ""
    assert plugged_in(nan) == "nan·1 + 1·1"
