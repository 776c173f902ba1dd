"""The paper's four findings, each with a verdict by a rule that is stated beside it."""

import math
from dataclasses import dataclass, replace
from typing import Literal

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

#: Gu & Dong (2021): PSNR against log DI over ten networks, 150 windows.
PAPER_PEARSON, PAPER_SPEARMAN = 0.851, 0.880
WIDE_KINDS = ("global pooling", "non-local", "transformer")
FEWEST_NETWORKS = 5
FEWEST_WINDOWS = 20
FEWEST_PICTURES = 5
SMALL_CORRELATION = 0.2
SMALL_RATIO = 1.1
#: The texture measure of finding 4, named before any study was run: the spectral peak of the surroundings.
REGULARITY = "around_peak_share"

RULE = (
    "Supported: the 95 % interval (whole pictures drawn anew) lies above no effect, and p < 0.05. "
    "Not supported: the interval lies below what would count as an effect at all ({small}). "
    f"Undecided: neither, or fewer than {FEWEST_NETWORKS} networks, {FEWEST_WINDOWS} windows or "
    f"{FEWEST_PICTURES} pictures."
)


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
    verdicts: tuple[Verdict, ...] = (
        _first(blocks, correlation, correlation_window),
        _second(blocks, contrast),
        _third(blocks, used),
        _fourth(blocks, textures),
    )
    verdicts = tuple(replace(verdict, evidence=verdict.evidence.replace(" -", " −")) for verdict in verdicts)
    return Findings(verdicts, correlation, correlation_window, contrast, used, textures)


def decide(estimate: Estimate, *, none: float, small: float, enough: bool) -> Answer:
    """The rule of :data:`RULE`."""
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
    return correlate_networks(
        blocks.index[:, known],
        values[:, known],
        blocks.clusters[known],
        seed=seed,
    )


def _contrast(blocks: Blocks, seed: int) -> Contrast | None:
    known = np.array([kind != "unknown" for kind in blocks.kinds])
    wide = np.array([kind in WIDE_KINDS for kind in blocks.kinds])[known]
    if not wide.any() or wide.all():
        return None
    return contrast_groups(blocks.index[known], wide, blocks.clusters, seed=seed)


def _enough(blocks: Blocks, networks: int | None = None) -> bool:
    return (
        (len(blocks.labels) if networks is None else networks) >= FEWEST_NETWORKS
        and len(blocks.places) >= FEWEST_WINDOWS
        and blocks.pictures >= FEWEST_PICTURES
    )


def _sample(blocks: Blocks, networks: str | None = None) -> str:
    return f"{networks or f'{len(blocks.labels)} networks'}, {len(blocks.places)} windows of {blocks.pictures} pictures"


def _first(blocks: Blocks, image: Correlation | None, window: Correlation | None) -> Verdict:
    claim = "Networks that involve more input pixels perform better."
    rule = (
        "Correlation of the mean PSNR of the LR crops with the logarithm of the mean diffusion index, over networks; "
        "Pearson and Spearman must agree, p from putting the networks in random order. "
        + RULE.format(small=f"correlation {SMALL_CORRELATION:g}")
    )
    if image is None or window is None:
        return Verdict(
            1, claim, "undecided", "HR is not known, or there are fewer than 3 networks.", _sample(blocks), rule
        )
    answers = {
        decide(estimate, none=0, small=SMALL_CORRELATION, enough=_enough(blocks))
        for estimate in (image.pearson, image.spearman)
    }
    evidence = (
        f"Pearson {shown(image.pearson)}; Spearman {shown(image.spearman)} (the paper: {PAPER_PEARSON:.3f} and "
        f"{PAPER_SPEARMAN:.3f}). With the PSNR of the windows alone: {window.pearson.value:.3f} and "
        f"{window.spearman.value:.3f}."
    )
    return Verdict(1, claim, answers.pop() if len(answers) == 1 else "undecided", evidence, _sample(blocks), rule)


def _second(blocks: Blocks, contrast: Contrast | None) -> Verdict:
    claim = "Networks with attention, global pooling or non-local operations take from a wider range."
    rule = (
        f"Geometric mean of the diffusion index of {', '.join(WIDE_KINDS)} over that of convolution-only networks; p "
        "from dealing the networks out to the groups at random. " + RULE.format(small=f"ratio {SMALL_RATIO:g}")
    )
    if contrast is None:
        return Verdict(2, claim, "undecided", "All networks are of one group.", _sample(blocks), rule)
    ratio, networks = contrast.ratio, contrast.wide + contrast.local
    answer = decide(ratio, none=1, small=SMALL_RATIO, enough=_enough(blocks, networks))
    evidence = f"Their diffusion index is {shown(ratio, 2, ' times as large')}."
    if 0.05 <= ratio.p <= 1 / math.comb(networks, contrast.wide) + 1e-12:
        evidence += " With so few networks in a group p cannot become smaller."
    counts = f"{contrast.wide} networks against {contrast.local}"
    return Verdict(2, claim, answer, evidence, _sample(blocks, counts), rule)


def _third(blocks: Blocks, used: dict[str, tuple[float, Interval]]) -> Verdict:
    claim = "The receptive field of most deep networks is larger than what contributes."
    rule = (
        "Share of the receptive field (as far as it lies in the LR crop) that holds 95 % of the map's mass, mean over "
        "windows. A network counts for the finding where the 95 % interval (whole pictures drawn anew) lies below one "
        "half, against it where it lies above. Supported: more than half of the networks count for it; not supported: "
        "more than half against it; undecided: neither, or fewer networks, windows or pictures than for the other "
        "findings."
    )
    if not used:
        return Verdict(3, claim, "undecided", "No receptive field is known.", _sample(blocks), rule)
    below = sum(i.high < 0.5 for _, i in used.values())
    above = sum(i.low > 0.5 for _, i in used.values())
    answer: Answer = "undecided"
    if _enough(blocks, len(used)):
        answer = "supported" if below > len(used) / 2 else "not supported" if above > len(used) / 2 else "undecided"
    shares = sorted(mean for mean, _ in used.values())
    evidence = (
        f"95 % of the mass lies in {shares[0]:.1%} to {shares[-1]:.1%} of the receptive field (median "
        f"{float(np.median(shares)):.1%}); below one half for {below} of {len(used)} networks, above for {above}."
    )
    return Verdict(3, claim, answer, evidence, _sample(blocks, f"{len(used)} networks of known receptive field"), rule)


def _fourth(blocks: Blocks, textures: dict[str, Association]) -> Verdict:
    claim = "Regular stripes and grids are noticed, complex semantics hardly."
    rule = (
        "Rank correlation over windows of the diffusion index (geometric mean over networks) with regularity, the "
        "share of the variance in the strongest spatial frequency of the window's surroundings, a measure named "
        "beforehand. Only regularity is tested: no number here knows what a picture means. "
        + RULE.format(small=f"correlation {SMALL_CORRELATION:g}")
    )
    regular = textures[REGULARITY]
    enough = blocks.pictures >= FEWEST_PICTURES and regular.count >= FEWEST_WINDOWS
    answer = decide(regular.spearman, none=0, small=SMALL_CORRELATION, enough=enough)
    evidence = f"Spearman {shown(regular.spearman)}."
    others = {n: a for n, a in textures.items() if n != REGULARITY and math.isfinite(a.spearman.value)}
    if others:
        name = max(others, key=lambda n: abs(others[n].spearman.value))
        furthest = shown(replace(others[name].spearman, p=others[name].p_holm))
        evidence += f" Of the other texture measures {MEASURES[name].label} goes furthest: {furthest} after Holm."
    return Verdict(4, claim, answer, evidence, _sample(blocks), rule)


def shown(estimate: Estimate, digits: int = 3, unit: str = "") -> str:
    """An estimate as text, with the interval over pictures and p."""
    span = f"[{estimate.pictures.low:.{digits}f}, {estimate.pictures.high:.{digits}f}]".replace("-", "−")
    return f"{estimate.value:.{digits}f}{unit} {span}, p = {estimate.p:.3g}"
