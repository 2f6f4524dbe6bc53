"""The ways a run ends early, so that a caller (and the command's exit code) can tell them apart."""

from typing import Any

_LONGEST_WORD, _LONGEST = 200, 1000
"""Letters of a message: what was got may be a whole file."""


class InputError(ValueError):
    """An argument, file or array that cannot be used; the message is one sentence for the person who gave it.

    It names the argument, what was got and what is allowed; what is too long to be read is cut in its middle.

    Example:
        >>> vc.fit(vc.Config(vc.DEC(num_clusters=0)), np.zeros((60, 4)), 0)
        Traceback (most recent call last):
        vaeclust_jax.errors.InputError: num_clusters must be at least 1, got 0
    """

    def __init__(self, message: str):
        words = (_cut(word, _LONGEST_WORD) for word in "\\n".join(message.splitlines()).split(" "))
        super().__init__(_cut(" ".join(words), _LONGEST))


def _cut(text: str, most: int) -> str:
    half = most // 2 - 2
    return text if len(text) <= most else f"{text[:half]}...{text[-half:]}"


class InputWarning(UserWarning):
    """What was taken of data that could have been meant in another way, or why an answer may mean nothing.

    Example:
        >>> import warnings
        >>> warnings.simplefilter("error", vc.InputWarning)  # to be told by an exception
    """


class TrainingDivergedError(RuntimeError):
    """A loss turned non-finite; the message names seed, stage, epoch and loss part.

    Attributes:
        last_good: what was trained until the epoch before (whatever the raiser documents), for saving.

    Example:
        >>> x = np.repeat([[0.0] * 4, [9.0] * 4], 30, axis=0)
        >>> wild = vc.TrainingConfig(learning_rate=1e30, halvings=0)
        >>> try:
        ...     run = vc.fit(vc.Config(vc.VAEKMeans(2), network=vc.MLP(hidden=(8,)), training=wild), x, 0)
        ... except vc.TrainingDivergedError as error:
        ...     run = error.last_good["kmeans"][0]
        >>> run.predict(x).shape
        (60,)
    """

    def __init__(self, message: str, last_good: Any):
        super().__init__(message)
        self.last_good = last_good


class ProcessGoneError(RuntimeError):
    """Another of the processes that a run is laid over has ended, and the run with it."""
