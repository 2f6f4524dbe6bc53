"""Controllers in words."""

import jax.numpy as jnp
import pytest

from vaeclust_jax.control.constant import constant
from vaeclust_jax.control.cyclic import cyclic
from vaeclust_jax.control.dynamic import dynamic
from vaeclust_jax.control.linear import linear
from vaeclust_jax.control.parse import KINDS, parse_controller
from vaeclust_jax.control.pid import pid
from vaeclust_jax.control.two_level import two_level
from vaeclust_jax.errors import InputError


@pytest.mark.parametrize(
    ("weight", "meant"),
    [
        (0.5, constant(0.5)),
        (2, constant(2.0)),
        ("dynamic", dynamic()),
        ("dynamic:a=0.05,interval=11,since_change=true", dynamic(a=0.05, interval=11, since_change=True)),
        (" dynamic: a = 0.05 ", dynamic(a=0.05)),
        ("linear", linear(num_epochs=30)),
        ("linear:stop=2,num_epochs=7", linear(2.0, num_epochs=7)),
        ("cyclic:num_cycles=3", cyclic(num_epochs=30, num_cycles=3)),
        ("two-level:low=1e-3", two_level(1e-3)),
        ("pid:target_kl=12.5", pid(12.5)),
    ],
)
def test_words_mean_the_function_with_these_arguments(weight, meant):
    found = parse_controller("beta", weight, 30)
    assert found.init() == meant.init()
    assert found.update is meant.update


@pytest.mark.parametrize(
    ("weight", "says"),
    [
        (-1.0, "beta: value must be 0 or more"),
        (float("nan"), "beta: value must be 0 or more"),
        ("dinamic", "did you mean 'dynamic'"),
        ("", "must be a number or one of linear"),
        ("0.5", "must be a number or one of linear"),
        ("dynamic:c=1", "dynamic takes each of a, b, w1"),
        ("dynamic:a", "dynamic takes each of a, b, w1"),
        ("dynamic:a=1,a=2", "dynamic takes each of a, b, w1"),
        ("dynamic:a=much", "a must be a number, true or false, got 'much'"),
        ("dynamic:a=true", "a must be a number, got True"),
        ("dynamic:interval=0", "interval must be a whole number from 1"),
        ("dynamic:balance=1", "balance must be True or False"),
        ("pid", "pid needs target_kl, as in 'pid:target_kl=20'"),
        ("cyclic:num_cycles=40", "num_cycles must be below num_epochs"),
        ("linear:stop=inf", "stop must be 0 or more and finite"),
    ],
)
def test_what_cannot_be_meant_is_one_sentence(weight, says):
    with pytest.raises(InputError) as error:
        parse_controller("beta", weight, 30)
    assert says in str(error.value)
    assert str(error.value).startswith("beta: ")


def test_every_kind_can_be_said():
    for kind in KINDS:
        said = "pid:target_kl=1" if kind == "pid" else kind
        assert parse_controller("gamma", said, 10).init().value >= jnp.zeros(())
