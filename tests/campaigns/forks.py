"""Fits in children that `os.fork` made after JAX had started: they work, or say why not, and never hang."""

import os
import signal
import sys
import traceback
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np

import vaeclust_jax as vc
from tests.campaigns.campaign import Rng, Trial
from tests.campaigns.mutate import check_sentence, pick
from tests.fitting.made import blobs, config

_SECONDS = 60
_WORKS, _REFUSED, _FAILED = 0, 3, 4


def forks(folder: Path) -> Trial:
    """Of a process that has fitted a model: the child fits, asks the model, loads one, or does so by an estimator."""
    x = blobs()[0]
    run = vc.fit(config(), x, 0)
    run.save(folder / "model.vaeclust")
    labels = run.predict(x)

    def estimator() -> np.ndarray:
        return vc.estimators.VAEDEC(3, hidden=(16,), pretrain_epochs=1, joint_epochs=1, random_state=0).fit_predict(x)

    ways: dict[str, tuple[Callable[[], np.ndarray], np.ndarray]] = {
        "fit": (lambda: vc.fit(config(), x, 0).predict(x), labels),
        "predict": (lambda: run.predict(x), labels),
        "load": (lambda: vc.load(folder / "model.vaeclust").predict(x), labels),
        "sample": (lambda: run.sample(0, 5), run.sample(0, 5)),
        "estimator": (estimator, estimator()),
    }

    def trial(rng: Rng) -> str:
        name = pick(rng, sorted(ways))
        return f"{name}: {in_a_child(*ways[name])}"

    return trial


def in_a_child(call: Callable[[], np.ndarray], expected: np.ndarray) -> str:
    """How a call ends in a child that this process forks."""
    sys.stderr.flush()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # jax and Python warn of the fork itself
        child = os.fork()
    if child == 0:
        os._exit(_answer(call, expected))
    _, status = os.waitpid(child, 0)
    assert not os.WIFSIGNALED(status) or os.WTERMSIG(status) != signal.SIGALRM, f"it hung for {_SECONDS} s"
    code = os.waitstatus_to_exitcode(status)
    assert code in (_WORKS, _REFUSED), f"the child ended with {code}"
    return "works" if code == _WORKS else "refused"


def _answer(call: Callable[[], np.ndarray], expected: np.ndarray) -> int:
    """In the child."""
    signal.signal(signal.SIGALRM, signal.SIG_DFL)  # which ends it
    signal.alarm(_SECONDS)
    try:
        return _WORKS if np.array_equal(call(), expected) else _FAILED
    except vc.InputError as error:
        check_sentence(str(error))
        return _REFUSED
    except BaseException:
        traceback.print_exc()
        return _FAILED
