#!/bin/sh
# Installs what the benchmarks compare with into the active Python environment, beside vaeclust_jax itself:
#
#     pip install -e . && sh benchmarks/install_peers.sh
#
# Without it `python -m benchmarks` shows our figures alone.
set -eu
cd "$(dirname "$0")/.."
stop() {
    echo "install_peers.sh: $1" >&2
    exit 1
}
python -m pip --version >/dev/null 2>&1 || stop "there must be a python with pip: activate a Python environment first"
echo "into $(python -c 'import sys; print(sys.prefix)')"
pip="python -m pip install --quiet"

# --- PyTorch ---------------------------------------------------------------------------------------------------------
# The CPU build, from PyTorch's own index. For a GPU give the index of a CUDA build:
#     TORCH_INDEX=https://download.pytorch.org/whl/cu130 sh benchmarks/install_peers.sh
# An empty TORCH_INDEX takes what the default index has.
torch="torch==2.13.0"
index="${TORCH_INDEX-https://download.pytorch.org/whl/cpu}"
if ! python -c "import torch" 2>/dev/null; then
    $pip ${index:+--index-url "$index" --retries 1} "$torch" || $pip "$torch"  # where that index is out of reach
fi

# --- ClustPy ---------------------------------------------------------------------------------------------------------
# It is built from source, one C file. Its torchvision asks for a CUDA build of PyTorch, so that both are taken without
# what they ask for; pandas is the one thing that ClustPy imports and vaeclust_jax does not bring.
if ! python -c "import importlib.metadata as m; assert m.version('clustpy') == '0.0.3'" 2>/dev/null; then
    command -v "${CC:-cc}" >/dev/null || stop "there must be a C compiler (cc) to build ClustPy: install one"
    $pip "scipy>=1.17" pandas
    $pip --no-deps "torchvision==0.28.0"  # the one of torch 2.13
    $pip --no-deps "clustpy==0.0.3"
fi
python -c "
from benchmarks.peers.clustpy_models import declare_operators
declare_operators()
import clustpy.deep, torch
print('ready: torch', torch.__version__, 'and clustpy', clustpy.__version__)"
