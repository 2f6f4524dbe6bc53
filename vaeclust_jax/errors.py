"""The two ways a run ends early, so that a caller (and the command's exit code) can tell them apart."""

from typing import Any


class InputError(ValueError):
    """An argument, file or array that cannot be used; the message is one sentence for the person who gave it.

    It names the argument, what was got and what is allowed.
    """


class InputWarning(UserWarning):
    """What was taken of data that could have been meant in another way, or why an answer may mean nothing."""


class TrainingDivergedError(RuntimeError):
    """A loss turned non-finite; the message names seed, stage, epoch and loss part.

    Attributes:
        last_good: what was trained until the epoch before (whatever the raiser documents), for saving.
    """

    def __init__(self, message: str, last_good: Any):
        super().__init__(message)
        self.last_good = last_good
