import json
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from vaeclust_jax.networks.conv import conv, conv_transpose

CASES = json.loads((Path(__file__).parent / "torch_conv.json").read_text())


def images(nchw):
    return jnp.asarray(np.transpose(nchw, (0, 2, 3, 1)), jnp.float32)


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case['layer']}-stride{case['stride']}")
def test_outputs_and_gradients_equal_torch(case):
    """Whole numbers, so that the agreement is exact. `torch_conv.json` was written by torch 2.13.0 with:

    import json
    import torch
    from torch.nn import Conv2d, ConvTranspose2d

    # (layer, channels in, channels out, kernel, stride, padding, output_padding, image)
    settings = [
        (Conv2d, 1, 3, 5, 2, 2, 0, (8, 7)),
        (Conv2d, 2, 3, 3, 2, 1, 0, (6, 5)),
        (Conv2d, 2, 2, (2, 3), 3, 0, 0, (6, 7)),
        (ConvTranspose2d, 2, 3, 3, 2, 1, 1, (3, 2)),
        (ConvTranspose2d, 2, 1, 5, 2, 2, 1, (4, 3)),
        (ConvTranspose2d, 2, 2, 4, 2, 1, 0, (2, 3)),
        (ConvTranspose2d, 1, 2, 2, 4, 0, 3, (2, 2)),
        (ConvTranspose2d, 1, 10, 3, 3, 1, (2, 0), (2, 2)),
        (Conv2d, 6, 2, 3, (1, 2), (0, 1), 0, (4, 5)),
        (ConvTranspose2d, 2, 6, (3, 2), (2, 1), (1, 0), (1, 0), (3, 2)),
    ]
    torch.manual_seed(0)
    cases = []
    for layer, i, o, kernel, stride, padding, extra, image in settings:
        more = {"output_padding": extra} if layer is ConvTranspose2d else {}
        net = layer(i, o, kernel, stride, padding, bias=False, **more)
        x = torch.randint(-3, 4, (2, i, *image)).float().requires_grad_()
        with torch.no_grad():
            net.weight.copy_(torch.randint(-3, 4, net.weight.shape))
        y = net(x)
        dy = torch.randint(-3, 4, y.shape).float()
        y.backward(dy)
        arrays = {"x": x, "weight": net.weight, "y": y, "dy": dy, "dx": x.grad, "dweight": net.weight.grad}
        cases.append(
            {"layer": layer.__name__, "stride": stride, "padding": padding}
            | {name: a.detach().int().tolist() for name, a in arrays.items()}
        )
    with open("torch_conv.json", "w") as file:
        json.dump(cases, file, separators=(",", ":"))
    """
    stride, padding = (tuple(v) if isinstance(v, list) else v for v in (case["stride"], case["padding"]))
    x, y, dy, dx = (images(case[name]) for name in ("x", "y", "dy", "dx"))
    # Conv2d has (out, in, kh, kw), ConvTranspose2d (in, out, kh, kw): in both the image side comes second.
    kernel, dkernel = (
        jnp.asarray(np.transpose(case[name], (2, 3, 1, 0)), jnp.float32) for name in ("weight", "dweight")
    )

    @jax.jit
    def run(x, kernel, dy):
        if case["layer"] == "Conv2d":
            value, backward = jax.vjp(lambda x, k: conv(x, k, stride, padding), x, kernel)
        else:
            value, backward = jax.vjp(lambda x, k: conv_transpose(x, k, stride, padding, y.shape[1:3]), x, kernel)
        return value, *backward(dy)

    for ours, torch in zip(run(x, kernel, dy), (y, dx, dkernel), strict=True):
        np.testing.assert_array_equal(ours, torch)


def test_the_fixture_covers_both_layers_and_output_padding():
    extras = set()
    for case in CASES:
        assert np.abs(case["y"]).max() > 3
        if case["layer"] == "ConvTranspose2d":
            strides, paddings = (np.broadcast_to(case[name], 2).tolist() for name in ("stride", "padding"))
            for axis, stride, padding in zip((2, 3), strides, paddings, strict=True):
                least = (np.shape(case["x"])[axis] - 1) * stride - 2 * padding
                extras.add(np.shape(case["y"])[axis] - least - np.shape(case["weight"])[axis])
    assert {case["layer"] for case in CASES} == {"Conv2d", "ConvTranspose2d"}
    assert extras >= {0, 1, 2, 3}
