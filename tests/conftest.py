"""Settings of the whole test run, made before jax starts."""

import os

# Most of a test's time is compiling; unoptimised programs compute the same numbers and compile much faster.
os.environ.setdefault("XLA_FLAGS", "--xla_backend_optimization_level=0 --xla_llvm_disable_expensive_passes=true")
