"""Models in pickles, as of joblib's processes: their functions are made again from the config."""

from typing import Any

from vaeclust_jax.fitting.networks import networks_of
from vaeclust_jax.networks import CustomNetwork


class Pickled:
    """Base of `Run`. A model with networks of a person's own keeps its functions, which pickle may refuse."""

    def __getstate__(self) -> dict[str, Any]:
        state = dict(self.__dict__)
        if not isinstance(state["config"].network, CustomNetwork):
            del state["heads"]
        return state

    def __setstate__(self, state: dict[str, Any]) -> None:
        if "heads" not in state:
            config, shape = state["config"], state["preparation"].output_shape
            state = {**state, "heads": config.method.heads(networks_of(config, shape, None))}
        self.__dict__.update(state)
