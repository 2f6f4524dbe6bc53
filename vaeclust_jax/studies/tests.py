"""Is a difference between methods more than the spread over seeds? And is it what a source reported?"""

from collections.abc import Sequence
from typing import NamedTuple

from vaeclust_jax.folder.records.clustering import ComparisonRecord, ReportedScore, ReportedTest
from vaeclust_jax.folder.records.scores import Results
from vaeclust_jax.metrics import Comparison, compare, holm, welch_from_summary
from vaeclust_jax.studies.assignments import ON_LATENTS
from vaeclust_jax.studies.experiment import Reported
from vaeclust_jax.studies.scores import SCORES

TESTED = ("acc", "nmi", "ari", "silhouette")
ALPHA = 0.05


class Pair(NamedTuple):
    """Two methods, the rows that were scored, and the score."""

    first: str
    second: str
    protocol: str
    metric: str


def comparisons(results: Results, named: str, protocol: str = "all") -> list[ComparisonRecord]:
    """The named method against every other one, in each of the four scores.

    Seeds are pairs: they share the split and, where it starts the same way, the initial network. A method in which
    nothing is random meets every seed with its one score. p-values are adjusted over the four scores (Holm).
    """
    found = []
    for other in results:
        if other == named:
            continue
        pairs = [Pair(named, other, protocol, metric) for metric in TESTED]
        found += tested_together(pairs, [compare(*_paired_scores(results, pair)) for pair in pairs])
    return found


def tested_together(pairs: Sequence[Pair], found: Sequence[Comparison]) -> list[ComparisonRecord]:
    """The comparisons of the pairs, with p-values adjusted over all of them."""
    welch = holm([None if one.welch is None else one.welch.p for one in found])
    paired = holm([None if one.paired is None else one.paired.p for one in found])
    return [
        ComparisonRecord(**pair._asdict(), **one._asdict(), welch_holm=p, paired_holm=paired_p)
        for pair, one, p, paired_p in zip(pairs, found, welch, paired, strict=True)
    ]


def _paired_scores(results: Results, pair: Pair) -> tuple[list[float | None], list[float | None]]:
    first, second = (
        [getattr(row, pair.metric) for row in results[name][pair.protocol].seeds] for name in (pair.first, pair.second)
    )
    return first, second * len(first) if len(second) == 1 else second


def against_reported(results: Results, reported: Reported) -> list[ReportedScore]:
    """Measured scores beside those of the source, under every protocol."""
    found = []
    for method, of_metrics in reported.scores.items():
        for protocol, result in results.get(method, {}).items():
            for metric, (mean, std) in of_metrics.items():
                ours, spread, n = getattr(result.mean, metric), getattr(result.std, metric), len(result.seeds)
                test = None
                if ours is not None and spread is not None:
                    test = welch_from_summary(ours, spread, n, mean, std, reported.runs)
                found.append(
                    ReportedScore(
                        method=method,
                        metric=metric,
                        protocol=protocol,
                        reported=(mean, std),
                        measured=(ours, spread),
                        p=None if test is None else test.p,
                        seeds=n,
                    )
                )
    return found


def implied_tests(reported: Reported) -> dict[str, ReportedTest]:
    """The t and p that follow from the source's own means and deviations, beside those it prints."""
    first, second = list(reported.scores.values())[:2]
    found = {}
    for metric, (t, p) in reported.tests.items():
        implied = welch_from_summary(*first[metric], reported.runs, *second[metric], reported.runs)
        assert implied is not None
        found[metric] = ReportedTest(t=t, p=p, implied_t=implied.statistic, implied_p=implied.p, df=implied.df)
    return found


def findings(
    compared: Sequence[ComparisonRecord], beside: Sequence[ReportedScore], reported: Reported | None, named: str
) -> list[str]:
    """What the numbers say, in sentences made from them alone."""
    sentences = reached(beside)
    if reported is not None and any(row.method == named for row in beside):
        sentences.append(_reported_tests(reported))
    sentences += [_ahead(rows) for rows in _by_pair(compared) if not rows[0].second.endswith(ON_LATENTS)]
    return [sentence for sentence in sentences if sentence]


def reached(beside: Sequence[ReportedScore]) -> list[str]:
    """One sentence a method: which reported figures are met on all samples, and which are not."""
    sentences = []
    for method in dict.fromkeys(row.method for row in beside):
        parts: dict[str, list[str]] = {}
        for row in beside:
            (ours, spread), (theirs, their_spread) = row.measured, row.reported
            if row.method != method or row.protocol != "all" or ours is None:
                continue
            measured = f"{ours:.3f}" if spread is None else f"{ours:.3f} ± {spread:.3f}"
            text = f"{SCORES[row.metric]} {measured} (reported {theirs:g} ± {their_spread:g})"
            if row.p is None:
                verdict = "below the reported figure" if ours < theirs else "not below the reported figure"
                verdict += " (one seed, no test)"
            elif row.p >= ALPHA:
                verdict = f"not told apart from the reported figure by {row.seeds} seeds"
            else:
                verdict = "below the reported figure" if ours < theirs else "above the reported figure"
            parts.setdefault(verdict, []).append(text)
        if parts:
            sentences.append(f"{method} is " + "; ".join(f"{how} in {_join(of)}" for how, of in parts.items()) + ".")
    return sentences


def _reported_tests(reported: Reported) -> str:
    tests = implied_tests(reported)
    if all(f"{test.implied_t:.1f}" == f"{test.t:.1f}" for test in tests.values()):
        return ""
    printed = _join([f"{test.t:g}" for test in tests.values()])
    implied = _join([f"{test.implied_t:.1f}" for test in tests.values()])
    names = _join([SCORES[metric] for metric in tests])
    return (
        f"The source's t for {names} ({printed}) do not follow from its own means and deviations, which give "
        f"{implied} for {reported.runs} runs."
    )


def _by_pair(compared: Sequence[ComparisonRecord]) -> list[list[ComparisonRecord]]:
    pairs: dict[str, list[ComparisonRecord]] = {}
    for row in compared:
        pairs.setdefault(row.second, []).append(row)
    return list(pairs.values())


def _ahead(rows: Sequence[ComparisonRecord]) -> str:
    """The named method against another one, in the scores that agree with classes."""
    parts = []
    for row in rows:
        if row.difference is None or row.metric == "silhouette":
            continue
        p = row.paired_holm
        certainty = "" if p is None else f", p {p:.2g}" if p >= 1e-4 else ", p < 0.0001"
        parts.append(f"{row.difference:+.3f} {SCORES[row.metric]}{certainty}")
    if not parts:
        return ""
    first, second = rows[0].first, rows[0].second
    tested = [row.paired_holm for row in rows if row.metric != "silhouette" and row.paired_holm is not None]
    if not tested:
        one_pair = all(row.sign_flip is None for row in rows)
        note = "one seed, no test" if one_pair else "the same for every seed, no t-test"
    elif min(tested) < ALPHA:
        note = "paired t-tests over seeds, Holm"
    else:
        note = "paired t-tests over seeds, Holm: no difference shown"
    return f"{first} against {second}: {'; '.join(parts)} ({note})."


def _join(texts: Sequence[str]) -> str:
    return texts[0] if len(texts) == 1 else f"{', '.join(texts[:-1])} and {texts[-1]}"
