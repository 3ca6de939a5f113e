"""What a model is made of, in words."""

from __future__ import annotations

from visualizer.formats.presets import OpenedModel

_UNITS = ("bytes", "kB", "MB", "GB")


def size_in_words(count: int) -> str:
    """A number of bytes as people say it: 1.3 kB."""
    value = float(count)
    for unit in _UNITS[:-1]:
        if value < 1000:
            return f"{value:.3g} {unit}"
        value /= 1000
    return f"{value:.3g} {_UNITS[-1]}"


def describe(opened: OpenedModel) -> str:
    """Configuration, tokenizer, size, and each parameter with its shape, a line each."""
    model = opened.model
    lines = [f"model {opened.name}"]
    if opened.pattern is not None:
        lines.append(f"  continues ({opened.pattern})*, every weight written by hand")
    lines.append("configuration")
    lines += [f"  {name} {value}" for name, value in model.config.to_dict().items()]
    tokenizer = model.tokenizer
    lines.append(f"tokenizer {'none: give token ids' if tokenizer is None else tokenizer.description()}")
    total = sum(array.nbytes for array in model.parameters.values())
    lines.append(f"parameters {model.parameters.count():,} numbers, {size_in_words(total)}")
    width = max(len(name) for name in model.parameters)
    lines += [f"  {name:<{width}}  {list(array.shape)}" for name, array in model.parameters.items()]
    return "\n".join(lines)
