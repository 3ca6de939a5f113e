"""Every error the program raises on purpose, as one tree.

    VisualizerError
    ├── InputError            what the user gave cannot be served (exit code 2)
    │   ├── ConfigError       a model configuration that contradicts itself
    │   ├── ParameterError    a parameter that is missing, unknown or of the wrong shape
    │   ├── TokenError        text or ids that the model has no token for
    │   ├── EditError         a cell, number or block that cannot be written
    │   ├── InterventionError an activation, axis or index that cannot be intervened in
    │   ├── SamplingError     a temperature, top-k or top-p outside its range
    │   ├── TrainingError     a corpus or setting that cannot be trained on
    │   │   └── ExplodedError a loss or gradient that is no longer finite, or far too large
    │   └── FormatError       a file that cannot be read as a model
    ├── CancelledError        the user wants the work under way no more
    └── MissingLibraryError    the machine lacks something the program needs (exit code 1)

A message says what was found, where, and what would be accepted, in one sentence on one line.
"""


class VisualizerError(Exception):
    """Base of all errors raised on purpose."""


class InputError(VisualizerError):
    """What the user gave cannot be served; nothing has been written or changed."""


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
