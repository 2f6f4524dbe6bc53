"""What `import vaeclust_jax as vc` shows."""

import subprocess
import sys
from importlib.metadata import version

import pytest

import vaeclust_jax as vc

LAZY = {"VAEDEC", "DynamicBetaVAE", "VAEGaussianMixture", "VAEGraph", "estimators", "plot"}
"""What takes longer to import than the rest together, scikit-learn and matplotlib."""


def test_the_package_shows_what_is_public_and_nothing_else() -> None:
    assert set(dir(vc)) == {*vc.__all__, "__doc__", "__version__"}
    assert all(hasattr(vc, name) for name in dir(vc))
    assert vc.__version__ == version("vaeclust_jax")
    assert set(vc.__all__) >= LAZY


def test_every_method_has_a_name_here() -> None:
    assert [kind for kind in vc.METHODS.values() if getattr(vc, kind.__name__, None) is not kind] == []


def test_estimators_are_those_of_their_room_unless_a_method_has_the_name() -> None:
    for name in vc.estimators.__all__:
        assert (getattr(vc, name) is getattr(vc.estimators, name)) == (name not in ("RBM", "VAEKMeans", "VaDE"))


@pytest.mark.long
def test_what_takes_long_to_import_is_imported_when_it_is_asked_for() -> None:
    code = """
import sys, vaeclust_jax as vc
heavy = ("sklearn", "matplotlib")
print([name for name in heavy if name in sys.modules])
print(dir(vc) != [], [name for name in heavy if name in sys.modules])
print(vc.VAEGraph.__name__, [name for name in heavy if name in sys.modules])
print(vc.plot.members.__name__, [name for name in heavy if name in sys.modules])
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\nTrue []\nVAEGraph ['sklearn']\nmembers ['sklearn']\n"
