"""The errors Passband raises on purpose; the command line turns each into one line and exit code 2.

``PassbandError``
├── ``InputError`` (also ``ValueError``): a file, a value or a setting that cannot be used
├── ``OutputError`` (also ``OSError``): a result that cannot be written
├── ``MissingDependencyError`` (also ``ImportError``): an optional package asked for by name
└── ``TrainingError`` (also ``RuntimeError``): a fit that cannot go on

Messages read: what, its value, what is allowed, and the cure, in one line.
"""


class PassbandError(Exception):
    """Root of every error raised on purpose."""


class InputError(PassbandError, ValueError):
    """A file, a value or a setting that cannot be used."""


class OutputError(PassbandError, OSError):
    """A result that cannot be written."""


class MissingDependencyError(PassbandError, ImportError):
    """An optional package asked for by name that is not installed."""


class TrainingError(PassbandError, RuntimeError):
    """A fit that cannot go on."""
