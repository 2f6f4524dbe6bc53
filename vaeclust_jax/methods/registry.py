"""Every method by name: the house's own, and those of packages that are installed beside it."""

import logging
import warnings
from collections.abc import Mapping
from functools import lru_cache
from importlib.metadata import entry_points

from vaeclust_jax.errors import InputError, InputWarning
from vaeclust_jax.methods.classifier import Classifier
from vaeclust_jax.methods.dbm import DBM
from vaeclust_jax.methods.dec import DEC, GraphDEC
from vaeclust_jax.methods.forecaster import Forecaster
from vaeclust_jax.methods.gan import GAN
from vaeclust_jax.methods.generative_vae import VAE
from vaeclust_jax.methods.hopfield import Hopfield
from vaeclust_jax.methods.hopfield_clusters import HopfieldClusters
from vaeclust_jax.methods.information import InformationMax
from vaeclust_jax.methods.kmeans import VAEKMeans
from vaeclust_jax.methods.method import Method
from vaeclust_jax.methods.mixture import VAEMixture
from vaeclust_jax.methods.rbm import RBM
from vaeclust_jax.methods.regressor import Regressor
from vaeclust_jax.methods.stacked import StackedAutoencoder
from vaeclust_jax.methods.vade import VaDE

_log = logging.getLogger(__name__)

METHODS: dict[str, type[Method]] = {
    "kmeans": VAEKMeans,
    "dec": DEC,
    "graph": GraphDEC,
    "vade": VaDE,
    "mixture": VAEMixture,
    "classifier": Classifier,
    "vae": VAE,
    "gan": GAN,
    "rbm": RBM,
    "dbm": DBM,
    "regressor": Regressor,
    "forecaster": Forecaster,
    "stacked": StackedAutoencoder,
    "hopfield": Hopfield,
    "hopfield-clusters": HopfieldClusters,
    "imsat": InformationMax,
}
"""The house's own."""

_GROUP = "vaeclust.methods"


@lru_cache
def all_methods() -> Mapping[str, type[Method]]:
    """`METHODS`, and the entry points of the group `vaeclust.methods` of installed packages.

    One that cannot be loaded is named in one warning, and everything else works.

    Raises:
        InputError: two methods of one name.
    """
    found = dict(METHODS)
    for point in entry_points(group=_GROUP):
        where = point.dist.name if point.dist is not None else point.value
        if point.name in found:
            raise InputError(
                f"two methods have the name {point.name!r}: rename or uninstall that of the package {where}"
            )
        try:
            kind = point.load()
        except Exception as error:  # a stranger's code may fail in any way
            reason = " ".join(str(error).split())[:200] or type(error).__name__
            _log.warning("the method %r of the package %s cannot be imported: %s", point.name, where, reason)
            continue
        if not (isinstance(kind, type) and issubclass(kind, Method)):
            _log.warning("the method %r of the package %s is no vaeclust_jax.Method", point.name, where)
            continue
        found[point.name] = kind
    return found


def method_named(name: str) -> type[Method]:
    """The method of this name.

    Raises:
        InputError: there is none.
    """
    found = all_methods()
    if name not in found:
        raise InputError(f"there is no method {name!r}: methods are {', '.join(found)}")
    return found[name]


def name_of(method: Method) -> str:
    """Under which name a method is known; of a class that is in no list, the class's."""
    kind = type(method)
    return next((name for name, one in all_methods().items() if one is kind), kind.__name__)


def warn_unlisted(method: Method) -> None:
    """Says, of a model that `Run.save` writes, that its method will not be found when it is read back."""
    if type(method) not in all_methods().values():
        warnings.warn(
            f"load finds the method {type(method).__name__} only as an entry point of the group vaeclust.methods: see "
            "'Add a method' in the book",
            InputWarning,
            stacklevel=4,
        )
