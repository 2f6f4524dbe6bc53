"""The figures on uncertainty: its histograms, correctness against it, what rejecting gains, and calibration."""

from collections.abc import Iterator, Sequence

from vaeclust_jax.data import Dataset
from vaeclust_jax.plots import correctness_curve, reliability_diagram, risk_coverage_curves, uncertainty_histogram
from vaeclust_jax.studies.assignments import Answer
from vaeclust_jax.studies.figures import Picture
from vaeclust_jax.studies.uncertainty import measures, seed_measures
from vaeclust_jax.uncertainty.calibration import reliability
from vaeclust_jax.uncertainty.selective import correctness, risk_coverage

_SECTION = "Uncertainty"
_LABELS = {"assignment entropy": "assignment entropy (nats)", "latent variance": "total latent variance"}


def certainty_pictures(answers: Sequence[Answer], dataset: Dataset) -> Iterator[tuple[str, Picture]]:
    """Figures of the first seed of the named method, by file name; what needs labels is left out without them."""
    first = answers[0]
    of_first = measures(first)
    correct = None if dataset.y is None else correctness(dataset.y, first.labels)
    for name, label in _LABELS.items():
        file = name.replace(" ", "_")
        drawn = uncertainty_histogram(of_first[name], correct, label=label)
        caption = "Shares of the assignments." if correct is None else "Shares of the correct and of the wrong ones."
        yield f"{file}_histogram", Picture(drawn, _SECTION, f"How the {name} is spread", caption)
        if correct is not None:
            drawn = correctness_curve(of_first[name], correct, label=label)
            caption = "Share of correct assignments in bins of equal count; Wilson's 95 % intervals over samples."
            yield f"{file}_correctness", Picture(drawn, _SECTION, f"Correctness against {name}", caption)
    if correct is None:
        return
    curves = {name: risk_coverage(correct, values) for name, values in {**of_first, **seed_measures(answers)}.items()}
    best = risk_coverage(correct, 1.0 - correct)
    drawn = risk_coverage_curves(
        {name: (curve.coverage, curve.risk) for name, curve in curves.items()},
        error_rate=float(1 - correct.mean()),
        best=(best.coverage, best.risk),
    )
    caption = "Error among the samples kept when the least certain ones are rejected, for each uncertainty."
    yield "risk_coverage", Picture(drawn, _SECTION, "Risk and coverage", caption)
    bins = reliability(first.probabilities.max(axis=1), correct)
    drawn = reliability_diagram(bins.confidence, bins.accuracy, bins.count, bins.low, bins.high, ece=bins.ece)
    caption = "Accuracy against the probability of the chosen cluster; on the diagonal a model means what it says."
    yield "reliability", Picture(drawn, _SECTION, "Reliability", caption)
