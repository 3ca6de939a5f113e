"""Every error the program raises on purpose, as one tree.

    VisualizerError
    ├── InputError            what the user gave cannot be served (exit code 2)
    │   ├── ConfigError       a model configuration that contradicts itself
    │   ├── ParameterError    a parameter that is missing, unknown or of the wrong shape
    │   ├── TokenError        text or ids that the model has no token for
    │   ├── EditError         a cell, number or block that cannot be written
    │   ├── InterventionError an activation, axis or index that cannot be intervened in
    │   ├── SamplingError     a temperature, top-k or top-p outside its range
    │   ├── TooLargeError     a pass that needs more memory than the machine can spare
    │   ├── TrainingError     a corpus or setting that cannot be trained on
    │   │   └── ExplodedError a loss or gradient that is no longer finite, or far too large
    │   └── FormatError       a file that cannot be read as a model
    ├── CancelledError        the user wants the work under way no more
    └── MissingLibraryError    the machine lacks something the program needs (exit code 1)

A message says what was found, where, and what would be accepted, in one sentence on one line.
"""

#: A message about the user's input is cut to so many characters, whatever a file from a stranger put into it.
LONGEST_MESSAGE = 600


class VisualizerError(Exception):
    """Base of all errors raised on purpose."""


class InputError(VisualizerError):
    """What the user gave cannot be served; nothing has been written or changed.

    Its message is one line of at most `LONGEST_MESSAGE` characters, all of them printable.
    """

    def __init__(self, message: str = "") -> None:
        super().__init__(one_line(message))


class ConfigError(InputError):
    """A model configuration is incomplete or contradicts itself."""


class ParameterError(InputError):
    """A parameter is missing, unknown, or has the wrong shape."""


class TokenError(InputError):
    """Text or ids that the model has no token for."""


class EditError(InputError):
    """A cell, number or block that cannot be written."""


class InterventionError(InputError):
    """An activation, axis or index that cannot be intervened in."""


class SamplingError(InputError):
    """A temperature, top-k, top-p or seed outside its range."""


class TooLargeError(InputError):
    """A pass that needs more memory than the machine can spare."""


class TrainingError(InputError):
    """A corpus or a setting that cannot be trained on."""


class ExplodedError(TrainingError):
    """A loss or gradient that is not finite or far too large; the last good parameters are kept."""


class FormatError(InputError):
    """A file that cannot be read as a model."""


class CancelledError(VisualizerError):
    """The user wants the work under way no more; whoever does it ends without a result."""


class MissingLibraryError(VisualizerError):
    """The machine lacks something the program needs."""


def one_line(message: str, limit: int = LONGEST_MESSAGE) -> str:
    """A message on one line: white space is one space, what cannot be printed its escape, a long middle is left out."""
    if len(message) > 4 * limit:  # before anything is made of each of perhaps millions of characters
        message = f"{message[: 2 * limit]} … {message[-2 * limit :]}"
    shown = " ".join(message.split())
    if not shown.isprintable():
        shown = "".join(c if c.isprintable() else ascii(c)[1:-1] for c in shown)
    if len(shown) <= limit:
        return shown
    half = (limit - 3) // 2
    return f"{shown[:half]} … {shown[-half:]}"


def short_repr(value: object, limit: int = 40) -> str:
    """The repr of any value for a message: one line of at most `limit` characters."""
    if isinstance(value, int) and value.bit_length() > 4 * limit:
        return f"of {value.bit_length()} bits"  # Python refuses to write out thousands of digits
    if isinstance(value, str | bytes):
        value = value[: limit + 1]
    elif isinstance(value, list | tuple | dict) and len(value) > limit:
        return f"a {type(value).__name__} of {len(value)}"
    try:
        shown = one_line(repr(value))
    except (ValueError, RecursionError):  # a long number, or too many lists, inside
        return f"a {type(value).__name__}"
    return shown if len(shown) <= limit else shown[: limit - 1] + "…"
