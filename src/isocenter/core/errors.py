"""The error tree.

IsocenterError
├── InputError            a value or a file that came in cannot be used
│   ├── GeometryError     voxels and patient space do not fit together
│   │   └── UnknownSpacingError   millimetres were asked of an image that has none
│   ├── FormatError       the bytes are not what they claim to be, or a form that we do not read
│   ├── LimitError        larger, deeper or more than the limits table allows
│   └── UnreadableError   the one input of a command cannot be read at all
├── PackageError          a model package is unsigned, altered, or does not hold what its card says
├── ReportError           a report would say something that no measurement supports
├── CheckError            a result was computed and failed the check on it (a registration that did not converge)
└── MissingExtraError     a command needs an extra that is not installed
"""


class IsocenterError(Exception):
    """Base of everything we raise on purpose."""


class InputError(IsocenterError, ValueError):
    """A value or a file that came in cannot be used."""


class GeometryError(InputError):
    """Voxels and patient space do not fit together."""


class UnknownSpacingError(GeometryError):
    """Millimetres were asked of an image whose pixel size nobody stated."""


class FormatError(InputError):
    """The bytes are not what they claim to be, or a form that we do not read."""


class LimitError(InputError):
    """Larger, deeper or more than the limits table allows."""


class UnreadableError(InputError):
    """The one input of a command cannot be read at all."""


class PackageError(IsocenterError):
    """A model package is unsigned, altered, or does not hold what its card says."""


class ReportError(IsocenterError):
    """A report would say something that no measurement supports."""


class CheckError(IsocenterError):
    """A result was computed and failed the check on it."""


class MissingExtraError(IsocenterError):
    """A command needs an extra that is not installed."""
