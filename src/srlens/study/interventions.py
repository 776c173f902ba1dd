"""The findings asked of the networks themselves: the causal reach in the place of the diffusion index.

An attribution map shows what the detector goes with; an intervention shows what changes it. So each finding that rests
on the diffusion index is tested a second time on the reach, and the two are held against each other.
"""

import math
import tomllib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from importlib import resources
from typing import Any

import numpy as np
from numpy.typing import NDArray

from srlens.comparison.measure import Measure
from srlens.comparison.measures import MEASURES
from srlens.imaging.terms import worded
from srlens.study import statistics
from srlens.study.blocks import Array, Blocks
from srlens.study.uncertainty import Estimate, holm, mean_interval, over_pictures, student
from srlens.study.verdicts import LIMITS, Answer, counted, decide

_TEXTS: dict[str, dict[str, str]] = tomllib.loads(
    resources.files(__package__).joinpath("interventions.toml").read_text(encoding="utf-8")
)


@dataclass(frozen=True)
class Tested:
    """One question put to interventions.

    Attributes:
        key: of the question.
        finding: number of the finding that it repeats; None: it is none of the four.
        claim: in one sentence.
        statistic: what the number is.
        estimate: with 95 % interval and one-sided p.
        answer: by the rule of the findings; see :func:`srlens.study.verdicts.decide`.
        sample: n of everything.
        p_holm: corrected for all questions (Holm).
    """

    key: str
    finding: int | None
    claim: str
    statistic: str
    estimate: Estimate
    answer: Answer
    sample: str
    p_holm: float = math.nan


def ask(blocks: Blocks, *, seed: int = 0) -> tuple[Tested, ...]:
    """Put every question of which the results know enough; none where nothing was measured.

    Args:
        blocks: the results.
        seed: of the permutations.
    """
    found = [*_quality(blocks, seed), *_kinds(blocks, seed), *_field(blocks), *_index(blocks, seed), *_faithful(blocks)]
    corrected = holm([one.estimate.p for one in found])
    return tuple(replace(one, p_holm=p) for one, p in zip(found, corrected, strict=True))


def _reach(blocks: Blocks) -> tuple[Array, NDArray[np.bool_]]:
    """The reach and one pixel more, K×W, so that 0 has a logarithm; and the windows at which all networks have one."""
    values = blocks.values.get("causal_reach")
    if values is None:
        return np.ones_like(blocks.index), np.zeros(len(blocks.places), dtype=bool)
    return values + 1, np.asarray(np.isfinite(values).all(axis=0))


def _quality(blocks: Blocks, seed: int) -> list[Tested]:
    """Finding 1: do networks of a larger reach perform better."""
    reach, known = _reach(blocks)
    found = []
    for name, of_what in (("psnr_image", "PSNR of the LR crops"), ("psnr_window", "PSNR of the windows")):
        values = blocks.values[name]
        both = known & np.isfinite(values).all(axis=0)
        if len(blocks.labels) >= 3 and both.any():
            of = statistics.correlate_networks(
                reach[:, both], blocks.once(name)[:, both], blocks.clusters[both], seed=seed
            )
            what = {"quality": of_what}
            found += [
                _tested(f"quality-{kind}", blocks, getattr(of, kind), of.networks, what) for kind in _CORRELATIONS
            ]
    return found


def _kinds(blocks: Blocks, seed: int) -> list[Tested]:
    """Finding 2: do networks that are meant to take from far away reach farther."""
    reach, known = _reach(blocks)
    kinds = np.array(blocks.kinds)
    sorted_in = kinds != "unknown"
    wide = np.isin(kinds[sorted_in], LIMITS["kinds"].split(", "))
    if not known.any() or wide.all() or not wide.any():
        return []
    of = statistics.contrast_groups(reach[sorted_in][:, known], wide, blocks.clusters[known], seed=seed)
    return [
        _tested(
            "kinds",
            blocks,
            of.ratio,
            of.wide + of.local,
            {"wide": of.wide, "local": of.local},
            none=1,
            small=LIMITS["ratio"],
        )
    ]


def _field(blocks: Blocks) -> list[Tested]:
    """Finding 3: is the reach smaller than the receptive field allows."""
    reach, known = _reach(blocks)
    if not known.any():
        return []
    shares = (reach - 1) / blocks.values["causal_reach_field"]
    spans = [mean_interval(row[known], blocks.clusters[known], plain=True) for row in shares]
    below, count = sum(span.high < 0.5 for span in spans), len(spans)
    above = sum(span.low > 0.5 for span in spans)
    estimate = Estimate(float(np.median([span.value for span in spans])), p=statistics.majority_p(below, count))
    supported, against = estimate.p < LIMITS["p"], statistics.majority_p(above, count) < LIMITS["p"]
    answer: Answer = "supported" if supported else "not supported" if against else "undecided"
    return [_tested("field", blocks, estimate, count, {"below": below, "above": above, "count": count}, answer=answer)]


def _index(blocks: Blocks, seed: int) -> list[Tested]:
    """Does the diffusion index tell the reach: over networks, and over the windows of one network."""
    reach, known = _reach(blocks)
    if not known.any():
        return []
    index, clusters, found = blocks.index[:, known], blocks.clusters[known], []
    reach, count = reach[:, known], len(blocks.labels)
    if count >= 3:
        of = statistics.correlate_networks(index, np.log(reach), clusters, seed=seed)
        found += [_tested("index-networks", blocks, of.spearman, count, {})]
    varied = [k for k in range(count) if np.ptp(reach[k]) > 0 and np.ptp(index[k]) > 0]
    if varied:
        found.append(_tested("index-windows", blocks, _within(index[varied], reach[varied], clusters), len(varied), {}))
    return found


def _faithful(blocks: Blocks) -> list[Tested]:
    """Is the map more faithful than other orders of pixels: its deletion gains, paired by network and window."""
    found = []
    for order in ("distance", "gradient", "ig_black"):
        gains = blocks.values.get(f"gain_over_{order}")
        known = np.isfinite(gains).all(axis=0) if gains is not None else np.zeros(0, dtype=bool)
        if gains is not None and known.any():
            gains, clusters = gains[:, known], blocks.clusters[known]
            estimate = _over_both(gains.mean(axis=1), over_pictures(_mean_of(gains), clusters), clusters)
            words = {"share": float((gains > 0).mean())}
            found.append(_tested(f"faithful-{order}", blocks, estimate, len(gains), words, small=0.0))
    return found


def _mean_of(values: Array) -> Callable[[NDArray[np.bool_]], float]:
    return lambda kept: float(values[:, kept].mean())


def _within(x: Array, y: Array, clusters: NDArray[np.int64]) -> Estimate:
    """Rank correlation over windows within each row (K×W), mean of the rows by Fisher's z; other rows and pictures."""
    most = 1 - 1e-9

    def z(kept: NDArray[np.bool_]) -> Array:
        return np.arctanh(np.clip(np.nan_to_num(statistics.spearman(x[:, kept], y[:, kept])), -most, most))

    each = z(clusters >= 0)
    return _over_both(each, over_pictures(lambda kept: float(z(kept).mean()), clusters), clusters, of_tanh=True)


def _over_both(each: Array, over: Array | float, clusters: NDArray[np.int64], *, of_tanh: bool = False) -> Estimate:
    """The mean of K networks' values: variances over networks and over pictures added, Satterthwaite's freedom."""
    of = math.tanh if of_tanh else float
    parts = np.array([each.var(ddof=1) / len(each) if len(each) > 1 else math.nan, float(over)])
    freedoms = np.array([len(each) - 1, len(np.unique(clusters)) - 1])
    if not np.isfinite(parts).all():
        return Estimate(of(float(each.mean())))
    weight = float((parts**2 / freedoms).sum())
    freedom = float(parts.sum() ** 2) / weight if weight > 0 else math.inf
    return student(float(each.mean()), float(parts.sum()), freedom, of=of)


_CORRELATIONS = ("pearson", "spearman")


def _tested(
    key: str,
    blocks: Blocks,
    estimate: Estimate,
    networks: int,
    words: dict[str, Any],
    *,
    none: float = -math.inf,
    small: float = LIMITS["correlation"],
    answer: Answer | None = None,
) -> Tested:
    text = _TEXTS[key]
    sizes = {"networks": networks, "windows": len(blocks.places), "pictures": blocks.pictures}
    given = answer if answer is not None else decide([estimate], none=none, small=small)
    few = any(size < LIMITS[name] for name, size in sizes.items())
    return Tested(
        key=key,
        finding=int(text["finding"]) if "finding" in text else None,
        claim=text["claim"],
        statistic=worded(text["statistic"].format(**words), blocks.scale),
        estimate=estimate,
        answer="cannot be decided" if few else given,
        sample=", ".join(counted(size, name.removesuffix("s")) for name, size in sizes.items()),
    )


def rows(tested: Sequence[Tested]) -> list[dict[str, Any]]:
    """One row a question, for files and the page."""
    fields = ("key", "finding", "claim", "statistic", "answer", "sample", "p_holm")
    return [{**{name: getattr(one, name) for name in fields}, **vars(one.estimate)} for one in tested]


#: What is told of each network beside the reach: of its maps, and of the tests of them.
TOLD = (
    "causal_reach",
    "beyond_reach",
    "far_share",
    "signed_ratio",
    "diffusion_index_summed",
    "gain_over_distance",
    "gain_over_gradient",
    "gain_over_ig_black",
    "infidelity_correlation",
)


def told(blocks: Blocks) -> list[Measure]:
    """The measures that :data:`TOLD` names and some network has; none where neither reach nor tests were asked for."""
    known = [key for key in TOLD if key in blocks.values and np.isfinite(blocks.values[key]).any()]
    return [MEASURES[key] for key in known] if {"causal_reach", "gain_over_distance"} & set(known) else []


def network_rows(blocks: Blocks) -> list[dict[str, Any]]:
    """One row a network: means over windows of what is :func:`told`; no row where that is nothing."""
    measures = told(blocks)
    return [
        {"network": label, **{m.key: _finite_mean(blocks.values[m.key][k]) for m in measures}}
        for k, label in enumerate(blocks.labels)
        if measures
    ]


def _finite_mean(values: Array) -> float | None:
    found = values[np.isfinite(values)]
    return float(found.mean()) if found.size else None
