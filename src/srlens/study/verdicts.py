"""The paper's four findings, each with a verdict by a rule that is stated beside it."""

import math
import tomllib
from dataclasses import dataclass, replace
from importlib import resources
from typing import Any, Literal

import numpy as np

from srlens.comparison.measures import MEASURES
from srlens.study.blocks import Blocks
from srlens.study.bootstrap import Interval, mean_interval
from srlens.study.statistics import (
    Association,
    Contrast,
    Correlation,
    Estimate,
    associate,
    contrast_groups,
    correlate_networks,
)

Answer = Literal["supported", "not supported", "undecided"]

_TEXTS = tomllib.loads(resources.files(__package__).joinpath("findings.toml").read_text(encoding="utf-8"))
#: What the rules name: the fewest of everything, what counts as small, and the paper's correlations.
LIMITS: dict[str, Any] = _TEXTS["limits"]
#: The texture measure of finding 4, named before any study was run: the spectral peak of the surroundings.
REGULARITY = "around_peak_share"


@dataclass(frozen=True)
class Verdict:
    """What a study says to one finding.

    Attributes:
        number: of the finding, 1 to 4.
        claim: the finding in one sentence.
        answer: supported, not supported or undecided.
        evidence: the numbers that decided, in one or two sentences.
        sample: n of everything.
        rule: how the answer follows.
    """

    number: int
    claim: str
    answer: Answer
    evidence: str
    sample: str
    rule: str


@dataclass(frozen=True, eq=False)
class Findings:
    """The verdicts, and the statistics that they rest on.

    Attributes:
        verdicts: four, in order.
        correlation: of the image PSNR; None where HR is not known.
        correlation_window: of the window PSNR.
        contrast: of the kinds; None where one of the groups is empty.
        used: label to the share of the receptive field that holds 95 % of the mass, with its interval.
        textures: measure to association.
    """

    verdicts: tuple[Verdict, ...]
    correlation: Correlation | None
    correlation_window: Correlation | None
    contrast: Contrast | None
    used: dict[str, tuple[float, Interval]]
    textures: dict[str, Association]


def judge(blocks: Blocks, *, seed: int = 0) -> Findings:
    """Test the four findings."""
    correlation = _correlation(blocks, "psnr_image", seed)
    correlation_window = _correlation(blocks, "psnr_window", seed)
    contrast = _contrast(blocks, seed)
    used = {
        label: mean_interval(values, blocks.clusters, seed=seed)
        for label, values in zip(blocks.labels, blocks.values["receptive_field_used"], strict=True)
        if np.isfinite(values).any()
    }
    textures = associate(blocks.index, blocks.textures, blocks.clusters, seed=seed)
    verdicts = (
        _first(blocks, correlation, correlation_window),
        _second(blocks, contrast),
        _third(blocks, used),
        _fourth(blocks, textures),
    )
    return Findings(verdicts, correlation, correlation_window, contrast, used, textures)


def decide(estimate: Estimate, *, none: float, small: float, enough: bool) -> Answer:
    """The rule that ``decision`` in ``findings.toml`` states."""
    span = estimate.pictures
    if not enough or not all(map(math.isfinite, (span.low, span.high, estimate.p))):
        return "undecided"
    if span.low > none and estimate.p < 0.05:
        return "supported"
    return "not supported" if span.high < small else "undecided"


def _correlation(blocks: Blocks, quality: str, seed: int) -> Correlation | None:
    values = blocks.values[quality]
    known = np.isfinite(values).all(axis=0)  # a perfect window has an infinite PSNR
    if not known.any() or len(blocks.labels) < 3:
        return None
    return correlate_networks(blocks.index[:, known], values[:, known], blocks.clusters[known], seed=seed)


def _contrast(blocks: Blocks, seed: int) -> Contrast | None:
    known = np.array([kind != "unknown" for kind in blocks.kinds])
    wide = np.array([kind in LIMITS["kinds"].split(", ") for kind in blocks.kinds])[known]
    if not wide.any() or wide.all():
        return None
    return contrast_groups(blocks.index[known], wide, blocks.clusters, seed=seed)


def _enough(blocks: Blocks, networks: int) -> bool:
    counts = {"networks": networks, "windows": len(blocks.places), "pictures": blocks.pictures}
    return all(count >= LIMITS[name] for name, count in counts.items())


def _verdict(
    number: int, blocks: Blocks, answer: Answer = "undecided", *texts: str, networks: str | None = None, **numbers: Any
) -> Verdict:
    """A verdict in words: ``texts`` name those of ``findings.toml`` that tell the evidence from ``numbers``."""
    finding = _TEXTS["findings"][number - 1]
    small = finding["small"].format_map(LIMITS)
    rule = finding["rule"].format(decision=_TEXTS["decision"].format(small=small, **LIMITS), **LIMITS)
    evidence = "".join(finding[text] for text in texts or ("unknown",)).format(**numbers, **LIMITS).replace(" -", " −")
    windows = f"{len(blocks.places)} windows of {blocks.pictures} pictures"
    sample = f"{networks or f'{len(blocks.labels)} networks'}, {windows}"
    return Verdict(number, finding["claim"], answer, evidence, sample, rule)


def _first(blocks: Blocks, image: Correlation | None, window: Correlation | None) -> Verdict:
    if image is None or window is None:
        return _verdict(1, blocks)
    enough = _enough(blocks, len(blocks.labels))
    small = LIMITS["correlation"]
    one, other = (decide(e, none=0, small=small, enough=enough) for e in (image.pearson, image.spearman))
    return _verdict(1, blocks, one if one == other else "undecided", "evidence", image=image, window=window)


def _second(blocks: Blocks, contrast: Contrast | None) -> Verdict:
    if contrast is None:
        return _verdict(2, blocks)
    ratio, networks = contrast.ratio, contrast.wide + contrast.local
    answer = decide(ratio, none=1, small=LIMITS["ratio"], enough=_enough(blocks, networks))
    smallest = 0.05 <= ratio.p <= 1 / math.comb(networks, contrast.wide) + 1e-12
    texts = ("evidence", "smallest") if smallest else ("evidence",)
    counts = f"{contrast.wide} networks against {contrast.local}"
    return _verdict(2, blocks, answer, *texts, networks=counts, factor=ratio)


def _third(blocks: Blocks, used: dict[str, tuple[float, Interval]]) -> Verdict:
    if not used:
        return _verdict(3, blocks)
    count = len(used)
    shares = np.quantile([mean for mean, _ in used.values()], (0, 0.5, 1))
    below = sum(i.high < 0.5 for _, i in used.values())
    above = sum(i.low > 0.5 for _, i in used.values())
    answer: Answer = "undecided"
    if _enough(blocks, count):
        answer = "supported" if below > count / 2 else "not supported" if above > count / 2 else "undecided"
    counts = f"{count} networks of known receptive field"
    numbers = {"shares": shares, "below": below, "above": above, "count": count}
    return _verdict(3, blocks, answer, "evidence", networks=counts, **numbers)


def _fourth(blocks: Blocks, textures: dict[str, Association]) -> Verdict:
    regular = textures[REGULARITY]
    enough = blocks.pictures >= LIMITS["pictures"] and regular.count >= LIMITS["windows"]
    answer = decide(regular.spearman, none=0, small=LIMITS["correlation"], enough=enough)
    others = {n: a for n, a in textures.items() if n != REGULARITY and math.isfinite(a.spearman.value)}
    if not others:
        return _verdict(4, blocks, answer, "evidence", regular=regular)
    name = max(others, key=lambda n: abs(others[n].spearman.value))
    furthest = replace(others[name].spearman, p=others[name].p_holm)
    names: dict[str, Any] = {"other": MEASURES[name].label, "furthest": furthest}
    return _verdict(4, blocks, answer, "evidence", "furthest", regular=regular, **names)
