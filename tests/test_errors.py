"""What a message repeats of what it was given can be read."""

import pickle

import pytest

import vaeclust_jax as vc


def test_a_sentence_stays_as_it_is() -> None:
    sentence = f"{'/a folder' * 20}/x.npz must be below 2**32, got 'é'"
    assert str(vc.InputError(sentence)) == sentence
    assert str(pickle.loads(pickle.dumps(vc.InputError(sentence)))) == sentence


@pytest.mark.parametrize("got", ["a\nb", "a\r\nb", "a\u2028b"])
def test_it_is_one_line(got: str) -> None:
    assert str(vc.InputError(f"no folder {got} is there")) == "no folder a\\nb is there"


@pytest.mark.parametrize("got", ["x" * 10**6, "x " * 10**6, "[" + "1, " * 10**5 + "1]"])
def test_what_is_too_long_is_cut_in_its_middle(got: str) -> None:
    said = str(vc.InputError(f"seeds must be few, got {got}: take 3"))
    assert len(said) <= 1000
    assert said.startswith("seeds must be few, got ")
    assert said.endswith(": take 3")
    assert max(map(len, said.split())) <= 200
