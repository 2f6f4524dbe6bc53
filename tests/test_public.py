"""What `import vaeclust_jax as vc` shows."""

import subprocess
import sys

import vaeclust_jax as vc


def test_the_package_shows_what_is_public_and_nothing_else() -> None:
    assert set(dir(vc)) == {*vc.__all__, "__doc__", "__version__", "estimators"}
    assert all(hasattr(vc, name) for name in dir(vc))


def test_estimators_come_with_the_package_but_are_imported_when_they_are_asked_for() -> None:
    code = "import sys, vaeclust_jax as vc; print('sklearn' in sys.modules, vc.estimators.VAEGraph.__name__)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "False VAEGraph\n"
