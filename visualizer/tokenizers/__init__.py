"""Text to token ids and back: characters, byte-pair encoding. `bpe_training` makes new vocabularies."""

from visualizer.tokenizers.base import Tokenizer
from visualizer.tokenizers.bpe import BpeTokenizer
from visualizer.tokenizers.characters import CharacterTokenizer
from visualizer.tokenizers.merging import Merge
from visualizer.tokenizers.registry import tokenizer_from_dict

__all__ = [
    "BpeTokenizer",
    "CharacterTokenizer",
    "Merge",
    "Tokenizer",
    "tokenizer_from_dict",
]
