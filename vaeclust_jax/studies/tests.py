"""Is a difference between methods more than the spread over seeds? And is it what a source reported?"""

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

from vaeclust_jax.folder.records.clustering import ON_LATENTS, ComparisonRecord, ReportedScore, ReportedTest
from vaeclust_jax.folder.records.scores import Origins, Results
from vaeclust_jax.metrics import Comparison, holm, welch_from_summary, why_no_spread
from vaeclust_jax.studies.design import tested, why_unreported, why_untested
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


def comparisons(results: Results, named: str, origins: Origins, protocol: str = "all") -> list[ComparisonRecord]:
    """The named method against every other one, in each of the four scores.

    Trained methods are paired by their seeds, which share the split and, where it starts the same way, the initial
    network. A method that stands on the data alone shares nothing with a seed of the same number; one in which nothing
    is random meets every seed with its one score. p-values are adjusted over all methods and scores (Holm).
    """
    pairs = [Pair(named, other, protocol, metric) for other in results if other != named for metric in TESTED]
    return tested_together(pairs, [_compared(results, origins, pair) for pair in pairs])


def tested_together(pairs: Sequence[Pair], found: Sequence[Comparison]) -> list[ComparisonRecord]:
    """The comparisons of the pairs, with p-values adjusted over all of them."""
    tests = [one.welch if one.paired is None else one.paired for one in found]
    adjusted = holm([None if test is None else test.p for test in tests])
    return [
        ComparisonRecord(
            **pair._asdict(),
            **one._asdict(),
            welch_holm=None if one.welch is None else p,
            paired_holm=None if one.paired is None else p,
        )
        for pair, one, p in zip(pairs, found, adjusted, strict=True)
    ]


def _compared(results: Results, origins: Origins, pair: Pair) -> Comparison:
    first, second = (
        [getattr(row, pair.metric) for row in results[name][pair.protocol].seeds] for name in (pair.first, pair.second)
    )
    ours, theirs = origins[pair.first], origins[pair.second]
    constant = len(second) == 1
    return tested(
        first,
        second * len(first) if constant else second,
        paired=constant or theirs.fit is not None,
        untested=why_untested(ours, theirs, one_run=True, protocol=pair.protocol, metric=pair.metric),
    )


def against_reported(results: Results, reported: Reported) -> list[ReportedScore]:
    """Measured scores beside those of the source, under every protocol; p-values are adjusted over all (Holm)."""
    found = []
    for method, of_metrics in reported.scores.items():
        for protocol, result in results.get(method, {}).items():
            for metric, (mean, std) in of_metrics.items():
                ours, spread, n = getattr(result.mean, metric), getattr(result.std, metric), len(result.seeds)
                test, reason = None, why_unreported(protocol, metric)
                if reason is None and (test := welch_from_summary(ours, spread, n, mean, std, reported.runs)) is None:
                    reason = why_no_spread([getattr(row, metric) for row in result.seeds])
                found.append(
                    ReportedScore(
                        method=method,
                        metric=metric,
                        protocol=protocol,
                        reported=(mean, std),
                        measured=(ours, spread),
                        p=None if test is None else test.p,
                        seeds=n,
                        reason=reason,
                    )
                )
    adjusted = holm([row.p for row in found])
    return [replace(row, holm=p) for row, p in zip(found, adjusted, strict=True)]


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
    compared: Sequence[ComparisonRecord],
    beside: Sequence[ReportedScore],
    reported: Reported | None,
    named: str,
    over: str = "seeds",
) -> list[str]:
    """What the numbers say, in sentences made from them alone; `over`: what the tests are over."""
    sentences = reached(beside)
    if reported is not None and any(row.method == named for row in beside):
        sentences.append(_reported_tests(reported))
    sentences += [_ahead(rows, over) for rows in _by_pair(compared) if not rows[0].second.endswith(ON_LATENTS)]
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
            if row.holm is None:
                verdict = "below the reported figure" if ours < theirs else "not below the reported figure"
                verdict += f" (no test: {row.reason})"
            elif row.holm >= ALPHA:
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


def _ahead(rows: Sequence[ComparisonRecord], over: str) -> str:
    """The named method against another one, in the scores that agree with classes."""
    parts = []
    for row in rows:
        if row.difference is None or row.metric == "silhouette":
            continue
        p = row.holm
        certainty = "" if p is None else f", p {p:.2g}" if p >= 1e-4 else ", p < 0.0001"
        parts.append(f"{row.difference:+.3f} {SCORES[row.metric]}{certainty}")
    if not parts:
        return ""
    first, second = rows[0].first, rows[0].second
    shown = [row for row in rows if row.metric != "silhouette" and row.difference is not None]
    adjusted = [row.holm for row in shown if row.holm is not None]
    if not adjusted:
        note = f"no test: {shown[0].reason}"
    else:
        kind = "Welch's t-tests" if all(row.paired is None for row in shown) else "paired t-tests"
        note = f"{kind} over {over}, Holm{'' if min(adjusted) < ALPHA else ': no difference shown'}"
    return f"{first} against {second}: {'; '.join(parts)} ({note})."


def _join(texts: Sequence[str]) -> str:
    return texts[0] if len(texts) == 1 else f"{', '.join(texts[:-1])} and {texts[-1]}"
