"""What the supervised experiments refuse, each with one sentence and before anything is trained."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from tests.cli.conftest import Answer
from tests.fitting.made import squares

Run = Callable[..., Answer]


@pytest.fixture
def images(tmp_path: Path) -> Path:
    x, y = squares()
    np.savez(tmp_path / "labelled.npz", x=x, y=y)
    np.savez(tmp_path / "unlabelled.npz", x=x)
    some = y.astype(np.int64)
    some[:3] = -1
    np.savez(tmp_path / "some.npz", x=x, y=some)
    np.savez(tmp_path / "one.npz", x=x, y=np.zeros_like(y))
    np.savez(tmp_path / "vectors.npz", x=x.reshape(len(x), -1).astype(np.float32) * 9 - 100, y=y)
    np.savez(tmp_path / "series.npz", x=x[:, :, :3] / 255)
    return tmp_path


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (
            "course-vit labelled.npz --patch 3",
            "patch must divide images of 8 x 8, got 3: choose a patch among 1, 2, 4, 8",
        ),
        ("course-vit-grid labelled.npz --network mlp", "an arm sets dim, which network MLP lacks: leave it out"),
        ("course-vit labelled.npz --heads 7", "heads must divide dim, got 7 heads and a dim of 128"),
        ("course-vit vectors.npz", "network 'vit' needs images (n, H, W, C), got vectors (n, 64): use 'mlp'"),
        ("course-vit unlabelled.npz", "the method Classifier learns from labels, and unlabelled has none: give y"),
        ("course-cnn some.npz", "from the classes of all rows, got -1 (not known) for 3 of 120 in some: leave these"),
        ("course-vit labelled.npz --validation 0 --depth 0", "depth must be at least 1, got 0"),
        ("course-cnn one.npz", "all labels are of one class: a classifier needs two at least"),
        ("gan vectors.npz --r1 nan", "r1 must be at least 0.0, got nan"),
        ("gan vectors.npz --r1 inf", "r1 must be finite, got inf"),
        (
            "rbm vectors.npz --scaling standardise",
            "as they are scaled: use scaling 'none' for rows of 0 and",
        ),
        ("course-cnn labelled.npz --dropout 1 0 0 0", "dropout must lie in 0 to below 1"),
        ("course-cnn vectors.npz", "network 'cnn' needs images"),
        ("vaedec labelled.npz --clusters 3 --network cnn", "network CNN has no decoder, which the method DEC needs"),
        ("vaedec labelled.npz --clusters 3 --network vit --patch 5", "patch must divide images of 8 x 8, got 5"),
        (
            "idec labelled.npz --clusters 3 --start greedy --network vit",
            "start 'greedy' needs network 'mlp' in float32",
        ),
        ("course-sae labelled.npz --noise 1", "noise must lie in 0 to below 1, got 1.0"),
        ("course-sae labelled.npz --start random", "course-sae compares greedy layers with none"),
        ("course-sae labelled.npz --decoder-hidden 9", "start 'greedy' needs network 'mlp' in float32"),
        (
            "vaegraph series.npz --clusters 3 --network lstm --channels-a-step 3",
            "of series need vectors (n, T C), got images",
        ),
        ("series series.npz --clusters 3 --channels-a-step 3", "of series need vectors (n, T C), got images"),
        ("vaedec --quick", "vaedec has no quick form: give --dataset and --epochs"),
        ("kmeans --quick", "kmeans has no quick form"),
    ],
)
def test_one_sentence_before_anything_is_trained(
    vaeclust: Run, images: Path, monkeypatch: pytest.MonkeyPatch, words: str, sentence: str
) -> None:
    monkeypatch.setattr("vaeclust_jax.training.loop.epoch_program", lambda *given: pytest.fail("it trains"))
    monkeypatch.chdir(images)
    code, _, err = vaeclust("run", *words.split(), "--out", "runs")
    assert code == 2
    assert err.count("\n") == 1
    assert sentence in err
    assert not list(images.glob("runs/*"))


def test_the_quick_form_names_digits_and_flags_override_it(vaeclust: Run, images: Path) -> None:
    """The help of the quick form has its defaults."""
    code, out, _ = vaeclust("run", "course-vit", "--quick", "--help-all")
    assert code == 0
    assert "--patch INT" in out
    assert "(default: 2)" in out.split("--patch INT")[1].split("--dim")[0]
