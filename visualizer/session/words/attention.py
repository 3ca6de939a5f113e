"""What stands above the four heatmaps of attention: title, formula, shape, and in the tooltip what it means."""

from __future__ import annotations

EMPTY = "The prompt is empty. Type a few tokens to see attention at work."
#: What is shown of the scores: the activation's name, the button's word, the formula.
STAGES = (("qk", "raw", "Q Kᵀ"), ("scaled", "scaled", "Q Kᵀ / √dₖ"), ("scores", "masked", "Q Kᵀ / √dₖ + mask"))
_TITLES = {"scores": "Scores", "pattern": "Softmax weights", "logits": "Logits", "probs": "Next-token probabilities"}
_MEANINGS = {
    "scores": "How well each query (row) matches each key (column), before the softmax.",
    "pattern": "How much each query (row) takes over from each key (column); every row sums to 1.",
    "logits": "How strongly each token (column) is suggested to come after each position (row).",
    "probs": "How probable each token (column) is to come after each position (row); every row sums to 1.",
}
_AXES = {
    "scores": "[query, key]",
    "pattern": "[query, key]",
    "logits": "[position, token]",
    "probs": "[position, token]",
}


def words_above(name: str, stage: str, tokens: int, vocabulary: int, columns: int) -> tuple[str, str, str]:
    """Title, detail and meaning of one heatmap.

    Args:
        name: "scores", "pattern", "logits" or "probs".
        stage: which scores are shown, as in `STAGES`.
        tokens: how many positions there are; with none there is no detail.
        vocabulary: how many tokens the model knows.
        columns: how many of those are shown.
    """
    if not tokens:
        return _TITLES[name], "", _MEANINGS[name]
    formulas = {
        "scores": next(formula for key, _, formula in STAGES if key == stage),
        "pattern": "softmax of each row",
        "logits": "x W_U",
        "probs": "softmax(logits)",
    }
    by_key = name in ("scores", "pattern")
    shape = f"[{tokens}, {tokens if by_key else vocabulary}]"
    shown = f", the {columns} most probable of {vocabulary:,}" if name == "logits" and columns != vocabulary else ""
    return _TITLES[name], f"{formulas[name]} {shape}{shown}", f"{_MEANINGS[name]} Shape {_AXES[name]}."
