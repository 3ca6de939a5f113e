"""Names below one another: what they share stands over them once."""

from visualizer.session.words.term_names import shared_name


def test_what_differs_is_left_in_the_rows() -> None:
    assert shared_name(["q[b₂, head 0, 1]", "q[b₂, head 0, 7]"]) == ("q[…, ·]", ["1", "7"])
    assert shared_name(["w[d0, Q3]", "w[d1, Q3]"]) == ("w[·, …]", ["d0", "d1"])
    assert shared_name(["p[a₀, x, b₁]", "p[a₁, x, b₀]"]) == ("p[·, …, ·]", ["a₀, b₁", "a₁, b₀"])


def test_a_name_of_another_array_stays_whole() -> None:
    assert shared_name(["x[a₀, 0]", "b[3]", "x[a₀, 1]"]) == ("x[…, ·]", ["0", "b[3]", "1"])


def test_a_token_may_look_like_punctuation() -> None:
    assert shared_name(["wte[,, d0]", "wte[,, d1]"]) == ("wte[…, ·]", ["d0", "d1"])
    assert shared_name(["s[]₀, [₁]", "s[]₀, [₂]"]) == ("s[…, ·]", ["[₁", "[₂"])


def test_nothing_shared_changes_nothing() -> None:
    for names in ([], ["q[a₀, 1]"], ["mask", "scaled[a₀, b₁]"], ["scale[a₀]", "scale[a₀]"], ["", ""]):
        assert shared_name(names) == ("", names)
