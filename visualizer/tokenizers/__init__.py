"""Text to token ids and back: characters, byte-pair encoding."""

from visualizer.tokenizers.base import Tokenizer
from visualizer.tokenizers.characters import CharacterTokenizer
from visualizer.tokenizers.registry import tokenizer_from_dict

__all__ = ["CharacterTokenizer", "Tokenizer", "tokenizer_from_dict"]
