"""Merges learned from a text at once, for tests that ask for no progress."""

from visualizer.tokenizers.bpe import BpeTokenizer
from visualizer.tokenizers.bpe_training import train_bpe_steps


def train_bpe(text: str, vocabulary_size: int) -> BpeTokenizer:
    """The tokenizer trained on `text` to `vocabulary_size` tokens; see `train_bpe_steps`."""
    steps = train_bpe_steps(text, vocabulary_size)
    while True:
        try:
            next(steps)
        except StopIteration as finished:
            tokenizer: BpeTokenizer = finished.value
            return tokenizer
