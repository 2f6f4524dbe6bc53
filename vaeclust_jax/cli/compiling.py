"""The compilation cache in a command: on, unless the person says otherwise."""

import sys
import warnings


def use_compilation_cache(wanted: bool) -> None:
    """Switches jax's compilation cache on (a line on stderr where its folder cannot be used) or off."""
    import jax

    from vaeclust_jax.compiling import enable_compilation_cache

    if not wanted:
        jax.config.update("jax_enable_compilation_cache", False)
        return
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        enable_compilation_cache()
    for warning in caught:
        print(f"vaeclust: {warning.message}", file=sys.stderr)
