"""The errors a person can fix.

    LongshotError            one line and a hint; exit code 1
    ├── MediaError           a file that is missing, not a video, truncated, unreadable
    ├── LibraryError         a library of a newer version, damaged vectors, another encoder
    │   └── BusyError        another process is writing to the library
    ├── ModelError           unknown model, no weights, no network, out of GPU memory
    └── InputError           a span outside the film, an empty question, a malformed line
        └── UnknownFilmError a name that no film of the library has
    ToolError                its text is the model's next observation

Anything else that is raised is a bug and keeps its traceback.
"""


class LongshotError(Exception):
    """An error that the person can fix.

    Args:
        message: what happened, with the name and the value, in one line.
        hint: what to do about it, in one line; may be empty.
    """

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = " ".join(message.split())
        self.hint = " ".join(hint.split())

    def __str__(self) -> str:
        return f"{self.message} ({self.hint})" if self.hint else self.message


class MediaError(LongshotError):
    """A file that cannot be read as a video."""


class LibraryError(LongshotError):
    """A library that cannot be used as it is."""


class BusyError(LibraryError):
    """A library that another process is writing to; later it is free."""


class ModelError(LongshotError):
    """A model that cannot be found, loaded or run."""


class InputError(LongshotError):
    """An argument that a person gave and that does not fit."""


class UnknownFilmError(InputError):
    """A name that fits no film of the library."""


class ToolError(Exception):
    """A tool's refusal, worded for the model that asked for it."""
