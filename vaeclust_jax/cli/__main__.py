"""`python -m vaeclust_jax.cli`."""

from vaeclust_jax.cli import main

main()
