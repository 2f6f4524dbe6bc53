"""Encoders and decoders; the only room that imports flax."""

from vaeclust_jax.networks.build import MLP, AutoNetwork, Conv, CustomNetwork, NetworkConfig, convolutions_pay
from vaeclust_jax.networks.classifying import CNN, PooledCNN
from vaeclust_jax.networks.of_papers import ReluHeadsMLP, TorchStartMLP
from vaeclust_jax.networks.sequences import LSTM, Conv1D, Dense
from vaeclust_jax.networks.transformer import ViT

NETWORKS: dict[str, type[NetworkConfig]] = {
    "auto": AutoNetwork,
    "mlp": MLP,
    "conv": Conv,
    "cnn": CNN,
    "pooled-cnn": PooledCNN,
    "vit": ViT,
    "custom": CustomNetwork,
    "mlp-relu-heads": ReluHeadsMLP,
    "mlp-torch-start": TorchStartMLP,
    "dense": Dense,
    "lstm": LSTM,
    "conv1d": Conv1D,
}
"""Every kind by the name that a command line and a model file have for it."""

__all__ = [
    "CNN",
    "LSTM",
    "MLP",
    "NETWORKS",
    "AutoNetwork",
    "Conv",
    "Conv1D",
    "CustomNetwork",
    "Dense",
    "NetworkConfig",
    "PooledCNN",
    "ReluHeadsMLP",
    "TorchStartMLP",
    "ViT",
    "convolutions_pay",
]
