"""The paper's four findings, each with a verdict by a rule that is stated beside it."""

import math
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from importlib import resources
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from srlens.comparison.measures import MEASURES
from srlens.measures.extent import gaussian_area
from srlens.study.blocks import Array, Blocks
from srlens.study.statistics import (
    Association,
    Contrast,
    Correlation,
    associate,
    contrast_groups,
    correlate_networks,
    least_order_p,
    majority_p,
    merged,
)
from srlens.study.uncertainty import Estimate, holm, mean_interval

Answer = Literal["supported", "not supported", "undecided", "cannot be decided"]

_TEXTS = tomllib.loads(resources.files(__package__).joinpath("findings.toml").read_text(encoding="utf-8"))
#: What the rules name: the fewest of everything, what counts as small, and the paper's correlations.
LIMITS: dict[str, Any] = _TEXTS["limits"]
#: The texture measure of finding 4, named before any study was run: the spectral peak of the surroundings.
REGULARITY = "around_peak_share"
#: The qualities that are held against the diffusion index; finding 1 rests on the first two.
QUALITIES = ("psnr_image", "psnr_window", "ssim_image", "lpips")


@dataclass(frozen=True)
class Verdict:
    """What a study says to one finding.

    Attributes:
        number: of the finding, 1 to 4.
        claim: the finding in one sentence.
        answer: supported, not supported, undecided, or cannot be decided with so few networks or pictures.
        evidence: the numbers that decided, in one or two sentences.
        sample: n of everything.
        rule: how the answer follows.
        p: of the test that the finding rests on; NaN where there is none.
        p_holm: corrected for the four findings (Holm).
    """

    number: int
    claim: str
    answer: Answer
    evidence: str
    sample: str
    rule: str
    p: float
    p_holm: float = math.nan


@dataclass(frozen=True)
class Use:
    """How much of its receptive field a network uses.

    Attributes:
        share: of the receptive field, that holds 95 % of the mass; mean over windows.
        reference: the same of a Gaussian effective field within the same receptive field.
        ratio: of both, geometric mean over windows.
    """

    share: Estimate
    reference: float
    ratio: Estimate


@dataclass(frozen=True, eq=False)
class Findings:
    """The verdicts, and the statistics that they rest on.

    Attributes:
        verdicts: four, in order.
        correlations: of each of :data:`QUALITIES` that is known.
        contrast: of the kinds; None where one of the groups is empty.
        used: label to the use of the receptive field.
        textures: measure to association.
    """

    verdicts: tuple[Verdict, ...]
    correlations: dict[str, Correlation]
    contrast: Contrast | None
    used: dict[str, Use]
    textures: dict[str, Association]


def judge(blocks: Blocks, *, seed: int = 0) -> Findings:
    """Test the four findings."""
    every = range(len(blocks.labels))
    alike = len(set(blocks.families)) < len(every)  # else it would be the same again
    correlations = {name: found for name in QUALITIES if (found := _correlate(blocks, name, every, seed)) is not None}
    contrast = _contrast(blocks, every, seed)
    used = _used(blocks)
    textures = associate(blocks.index, blocks.textures, blocks.clusters)
    verdicts = [
        _first(blocks, correlations, _correlate(blocks, QUALITIES[0], blocks.families, seed) if alike else None),
        _second(blocks, contrast, _contrast(blocks, blocks.families, seed) if alike else None),
        _third(blocks, used),
        _fourth(blocks, textures),
    ]
    corrected = holm([verdict.p for verdict in verdicts])
    verdicts = [replace(verdict, p_holm=p) for verdict, p in zip(verdicts, corrected, strict=True)]
    return Findings(tuple(verdicts), correlations, contrast, used, textures)


def decide(estimates: Sequence[Estimate], *, none: float = -math.inf, small: float) -> Answer:
    """The rule that ``decision`` in ``findings.toml`` states; what is not known decides nothing."""
    if all(e.p < LIMITS["p"] and e.low > none for e in estimates):
        return "supported"
    return "not supported" if all(e.high < small for e in estimates) else "undecided"


def _correlate(blocks: Blocks, quality: str, groups: Sequence[object], seed: int) -> Correlation | None:
    """Of the networks, those of one group taken as one."""
    values = blocks.values[quality]
    known = np.isfinite(values).all(axis=0)  # a perfect window has an infinite PSNR
    if not known.any() or len(blocks.labels) < 3:
        return None
    better = -1 if MEASURES[quality].better == "lower" else 1
    index, rows = merged(np.log(blocks.index[:, known]), groups)
    parameters = merged(np.log(np.maximum(blocks.values["parameters"].max(axis=1, keepdims=True), 1)), groups)[0][:, 0]
    if len(rows) < 3:
        return None
    values = better * merged(values[:, known], groups)[0]
    return correlate_networks(np.exp(index), values, blocks.clusters[known], parameters=np.exp(parameters), seed=seed)


def _contrast(blocks: Blocks, groups: Sequence[object], seed: int) -> Contrast | None:
    known = [k for k, kind in enumerate(blocks.kinds) if kind != "unknown"]
    wide = [blocks.kinds[k] in LIMITS["kinds"].split(", ") for k in known]
    if all(wide) or not any(wide):
        return None
    # A family with networks in both groups counts once in each.
    index, rows = merged(np.log(blocks.index[known]), [(groups[k], far) for k, far in zip(known, wide, strict=True)])
    return contrast_groups(np.exp(index), np.array(wide)[rows], blocks.clusters, seed=seed)


def _used(blocks: Blocks) -> dict[str, Use]:
    names = "receptive_field_used", "receptive_field_pixels", "receptive_field_side", "lr_height", "lr_width"
    shares, pixels, sides, *crop = (blocks.values[name] for name in names)
    windows = np.maximum(blocks.values["height"], blocks.values["width"]) / blocks.values["scale"]
    # A global network is given the field of one whose convolutions just cover the LR crop.
    sides = np.where(np.isfinite(sides), sides, np.maximum(*crop))
    found = {}
    for k, label in enumerate(blocks.labels):
        if np.isfinite(shares[k]).any():
            reference = _gaussian_shares(sides[k], pixels[k], windows[k])
            share, ratio = (mean_interval(values, blocks.clusters) for values in (shares[k], shares[k] / reference))
            found[label] = Use(share, float(reference.mean()), ratio)
    return found


def _gaussian_shares(sides: Array, pixels: Array, windows: Array) -> Array:
    """Of the windows of one network; the many that are alike are computed once."""
    conditions, which = np.unique(np.stack([sides, pixels, windows]), axis=1, return_inverse=True)
    known: NDArray[np.bool_] = np.isfinite(conditions).all(axis=0)
    shares = [gaussian_area(*of) / of[1] if here else math.nan for of, here in zip(conditions.T, known, strict=True)]
    return np.array(shares)[which]


def _verdict(
    number: int,
    blocks: Blocks,
    answer: Answer,
    *texts: str,
    p: float = math.nan,
    networks: str = "",
    count: int | None = None,
    least: float = 0.0,
    **numbers: Any,
) -> Verdict:
    """A verdict in words: ``texts`` name those of ``findings.toml`` that tell the evidence from ``numbers``.

    ``networks`` says who was compared; where their number matters, ``count`` is it and ``least`` the least p that so
    many can give.
    """
    finding = _TEXTS["findings"][number - 1]
    networks = networks or f"{len(blocks.labels)} networks"
    sizes = {"windows": len(blocks.places), "pictures": blocks.pictures}
    few = [networks] if count is not None and (count < LIMITS["networks"] or least >= LIMITS["p"]) else []
    few += [f"{size} {name}" for name, size in sizes.items() if size < LIMITS[name]]
    told = [finding[text] for text in texts] + [_TEXTS["least"]] * (least > 0) + [_TEXTS["few"]] * bool(few)
    words = {**LIMITS, **numbers, "count": count, "least_p": f"{least:.2g}", "few": ", ".join(few)}
    evidence = " ".join(told).format(**words).replace(" -", " −").replace("[-", "[−")
    limits = {name: text.format_map(LIMITS) for name, text in finding.items() if name in ("small", "support")}
    decision = _TEXTS["decision"].format(**limits, **LIMITS)
    sample = f"{networks}, {sizes['windows']} windows of {sizes['pictures']} pictures"
    rule = finding["rule"].format(decision=decision, **LIMITS)
    return Verdict(number, finding["claim"], "cannot be decided" if few else answer, evidence, sample, rule, p)


def _first(blocks: Blocks, found: dict[str, Correlation], families: Correlation | None) -> Verdict:
    if not {*QUALITIES[:2]} <= found.keys():
        return _verdict(1, blocks, "undecided", "unknown")
    image, window = (found[name] for name in QUALITIES[:2])
    answer = decide([e for one in (image, window) for e in (one.pearson, one.spearman)], small=LIMITS["correlation"])
    texts = ["evidence", *["parameters"] * (image.partial is not None), *["families"] * (families is not None)]
    return _verdict(
        1,
        blocks,
        answer,
        *texts,
        p=float(np.max([image.p, window.p])),
        count=image.networks,
        least=least_order_p(image.networks),
        image=image,
        window=window,
        families=families,
    )


def _second(blocks: Blocks, contrast: Contrast | None, families: Contrast | None) -> Verdict:
    if contrast is None:
        return _verdict(2, blocks, "undecided", "unknown")
    return _verdict(
        2,
        blocks,
        decide([contrast.ratio], none=1, small=LIMITS["ratio"]),
        "evidence",
        *["families"] * (families is not None),
        p=contrast.ratio.p,
        networks=f"{contrast.wide} networks against {contrast.local}",
        count=contrast.wide + contrast.local,
        least=contrast.least_p,
        factor=contrast.ratio,
        families=families,
    )


def _third(blocks: Blocks, used: dict[str, Use]) -> Verdict:
    if not used:
        return _verdict(3, blocks, "undecided", "unknown")
    count = len(used)
    below = sum(use.share.high < 0.5 and use.ratio.high < 1 for use in used.values())
    above = sum(use.share.low > 0.5 for use in used.values())
    p, against = majority_p(below, count), majority_p(above, count)
    return _verdict(
        3,
        blocks,
        "supported" if p < LIMITS["p"] else "not supported" if against < LIMITS["p"] else "undecided",
        "evidence",
        p=p,
        networks=f"{count} networks of known receptive field",
        count=count,
        least=majority_p(count, count),
        shares=np.quantile([use.share.value for use in used.values()], (0, 0.5, 1)),
        below=below,
        above=above,
        ratio=float(np.median([use.ratio.value for use in used.values()])),
    )


def _fourth(blocks: Blocks, textures: dict[str, Association]) -> Verdict:
    two_sided = textures[REGULARITY].spearman
    regular = replace(two_sided, p=two_sided.p / 2 if two_sided.value > 0 else 1 - two_sided.p / 2)
    answer = decide([regular], none=0, small=LIMITS["correlation"])
    others = {n: a for n, a in textures.items() if n != REGULARITY and math.isfinite(a.spearman.value)}
    if not others:
        return _verdict(4, blocks, answer, "evidence", p=regular.p, regular=regular)
    name = max(others, key=lambda n: abs(others[n].spearman.value))
    furthest = replace(others[name].spearman, p=others[name].p_holm)
    names: dict[str, Any] = {"other": MEASURES[name].label, "furthest": furthest}
    return _verdict(4, blocks, answer, "evidence", "furthest", p=regular.p, regular=regular, **names)
