"""The paper's four findings, each with a verdict by a rule that is stated beside it."""

import math
import re
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from importlib import resources
from typing import Any, Literal

import numpy as np

from srlens.comparison.measures import MEASURES
from srlens.imaging.terms import worded
from srlens.measures.extent import gaussian_area
from srlens.study import statistics
from srlens.study.blocks import Blocks
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
        ratio: of both, mean over windows.
        random: the share of the same network with random weights; None where it was not computed.
        over_random: the trained network's share over that, mean over the windows that have both.
    """

    share: Estimate
    reference: float
    ratio: Estimate
    random: Estimate | None = None
    over_random: Estimate | None = None


@dataclass(frozen=True, eq=False)
class Findings:
    """The verdicts, and the statistics that they rest on.

    Attributes:
        verdicts: four, in order.
        correlations: of each of ``QUALITIES`` that is known.
        contrast: of the kinds; None where one of the groups is empty.
        used: label to the use of the receptive field.
        textures: measure to association.
    """

    verdicts: tuple[Verdict, ...]
    correlations: dict[str, statistics.Correlation]
    contrast: statistics.Contrast | None
    used: dict[str, Use]
    textures: dict[str, statistics.Association]


def judge(blocks: Blocks, *, seed: int = 0) -> Findings:
    """Test the four findings."""
    every = range(len(blocks.labels))
    alike = len(set(blocks.families)) < len(every)  # else it would be the same again
    correlations = {name: found for name in QUALITIES if (found := _correlate(blocks, name, every, seed)) is not None}
    contrast = _contrast(blocks, every, seed)
    used = _used(blocks)
    textures = statistics.associate(blocks.index, blocks.textures, blocks.clusters)
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


def counted(number: int, what: str) -> str:
    """``"1 network"``, ``"3 networks"``."""
    return f"{number} {what}{'s' if number != 1 else ''}"


def _correlate(blocks: Blocks, quality: str, groups: Sequence[object], seed: int) -> statistics.Correlation | None:
    """Of the networks, those of one group taken as one."""
    values, sign = blocks.values[quality], -1 if MEASURES[quality].better == "lower" else 1
    known = np.isfinite(values).all(axis=0)  # a perfect window has an infinite PSNR
    if not known.any() or len(set(groups)) < 3:
        return None
    logs = (np.log(blocks.index[:, known]), np.log(np.maximum(blocks.values["parameters"], 1)))
    once = sign * blocks.once(quality)[:, known]  # a crop that several windows share tells of one picture
    index, sizes, values = (statistics.merged(v, groups)[0] for v in (*logs, once))
    return statistics.correlate_networks(np.exp(index), values, blocks.clusters[known], sizes[:, 0], seed=seed)


def _contrast(blocks: Blocks, groups: Sequence[object], seed: int) -> statistics.Contrast | None:
    known = [k for k, kind in enumerate(blocks.kinds) if kind != "unknown"]
    # A family with networks in both groups counts once in each.
    pairs = [(groups[k], blocks.kinds[k] in LIMITS["kinds"].split(", ")) for k in known]
    index, names = statistics.merged(np.log(blocks.index[known]), pairs)
    wide = np.array([is_wide for _, is_wide in names], dtype=bool)
    if wide.all() or not wide.any():
        return None
    return statistics.contrast_groups(np.exp(index), wide, blocks.clusters, seed=seed)


def _used(blocks: Blocks) -> dict[str, Use]:
    names = "receptive_field_used", "receptive_field_pixels", "receptive_field_side", "lr_height", "lr_width"
    shares, pixels, sides, *crop = (blocks.values[name] for name in names)
    windows = np.maximum(blocks.values["height"], blocks.values["width"]) / blocks.values["scale"]
    # A global network is given the field of one whose convolutions just cover the LR crop.
    sides = np.where(np.isfinite(sides), sides, np.maximum(*crop))
    found = {}
    for label, share, random, *of in zip(blocks.labels, shares, blocks.random, sides, pixels, windows, strict=True):
        if (known := np.isfinite(share * np.prod(of, axis=0))).any():
            gaussian = np.array([gaussian_area(*one) / one[1] for one in np.array(of).T[known]])
            means = [mean_interval(v, blocks.clusters[known]) for v in (share[known], share[known] / gaussian)]
            both = [mean_interval(v, blocks.clusters) for v in (random, share / random)]
            found[label] = Use(means[0], float(gaussian.mean()), means[1], *both if np.isfinite(random).any() else ())
    return found


def _verdict(
    number: int,
    blocks: Blocks,
    answer: Answer,
    texts: Sequence[str],
    p: float = math.nan,
    compared: tuple[str, int, float] | None = None,
    **numbers: Any,
) -> Verdict:
    """A verdict in words: ``texts`` name those of ``findings.toml`` that tell the evidence from ``numbers``.

    ``compared`` are the networks, their number and the least p that so many can give, where an answer depends on it.
    """
    finding, sizes = _TEXTS["findings"][number - 1], {"windows": len(blocks.places), "pictures": blocks.pictures}
    networks, count, least = compared or (counted(len(blocks.labels), "network"), math.inf, 0.0)
    few = [networks] if count < LIMITS["networks"] or least >= LIMITS["p"] else []
    few += [counted(size, name.removesuffix("s")) for name, size in sizes.items() if size < LIMITS[name]]
    told = (
        [finding[text] for text in texts]
        + [_TEXTS["least" if least < 1 else "alone"]] * (least > 0)
        + [_TEXTS["few"]] * bool(few)
    )
    words = {
        **LIMITS,
        **numbers,
        "count": count,
        "least_p": f"{least:.2g}" if least >= 1e-3 else "below 0.001",
        "few": ", ".join(few),
    }
    evidence = re.sub(r"(?<=\d)%", " %", " ".join(told).format(**words)).replace(" -", " −").replace("[-", "[−")
    evidence = worded(evidence, blocks.scale)
    limits = {name: text.format_map(LIMITS) for name, text in finding.items() if name in ("small", "support")}
    rule = finding["rule"].format(decision=_TEXTS["decision"].format(**limits, **LIMITS), **LIMITS)
    rule = worded(rule, blocks.scale)
    sample = f"{networks}, {counted(len(blocks.places), 'window')} of {counted(blocks.pictures, 'picture')}"
    return Verdict(number, finding["claim"], "cannot be decided" if few else answer, evidence, sample, rule, p)


def _first(
    blocks: Blocks, found: dict[str, statistics.Correlation], families: statistics.Correlation | None
) -> Verdict:
    if len(blocks.labels) < 3:
        few = counted(len(blocks.labels), "network"), len(blocks.labels), 0.0
        return _verdict(1, blocks, "undecided", ["fewest"], compared=few)
    if not {*QUALITIES[:2]} <= found.keys():
        return _verdict(1, blocks, "undecided", ["unknown"])
    paper = _TEXTS["findings"][0]["paper"].format_map(LIMITS) if blocks.scale > 1 else ""
    image, window = (found[name] for name in QUALITIES[:2])
    four = image.pearson, image.spearman, window.pearson, window.spearman
    further = {"without": image.networks > 3, "parameters": image.partial, "families": families}
    texts = ["evidence", *(text for text, known in further.items() if known)]
    compared = counted(image.networks, "network"), image.networks, statistics.least_order_p(image.networks)
    answer, p = decide(four, small=LIMITS["correlation"]), float(np.max([e.p for e in four]))
    numbers = {"image": image, "window": window, "families": families, "paper": paper}
    return _verdict(1, blocks, answer, texts, p, compared, **numbers)


def _second(blocks: Blocks, contrast: statistics.Contrast | None, families: statistics.Contrast | None) -> Verdict:
    if contrast is None:
        return _verdict(2, blocks, "undecided", ["unknown"])
    ratio, texts = contrast.ratio, ["evidence", *["families"] * (families is not None)]
    answer = decide([ratio], none=1, small=LIMITS["ratio"])
    compared = (
        f"{counted(contrast.wide, 'network')} against {contrast.local}",
        contrast.wide + contrast.local,
        contrast.least_p,
    )
    return _verdict(2, blocks, answer, texts, ratio.p, compared, factor=ratio, families=families)


def _third(blocks: Blocks, used: dict[str, Use]) -> Verdict:
    if not used:
        return _verdict(3, blocks, "undecided", ["unknown"])
    count, uses = len(used), used.values()
    below = sum(use.share.high < 0.5 and use.ratio.high < 1 for use in uses)
    above = sum(use.share.low > 0.5 for use in uses)
    p, against, least = (statistics.majority_p(number, count) for number in (below, above, count))
    answer: Answer = "supported" if p < LIMITS["p"] else "not supported" if against < LIMITS["p"] else "undecided"
    numbers: dict[str, Any] = {"below": below, "above": above, "ratio": np.median([use.ratio.value for use in uses])}
    numbers["shares"] = np.quantile([use.share.value for use in uses], (0, 0.5, 1))
    compared, texts = (f"{counted(count, 'network')} of known receptive field", count, least), ["evidence"]
    drawn = [(use.random.value, use.over_random) for use in uses if use.random is not None and use.over_random]
    if drawn:
        texts.append("random")
        numbers |= {"drawn": len(drawn), "random": np.quantile([share for share, _ in drawn], (0, 0.5, 1))}
        numbers["over_random"] = np.median([ratio.value for _, ratio in drawn])
        numbers |= {"less": sum(r.high < 1 for _, r in drawn), "more": sum(r.low > 1 for _, r in drawn)}
    return _verdict(3, blocks, answer, texts, p, compared, **numbers)


def _fourth(blocks: Blocks, textures: dict[str, statistics.Association]) -> Verdict:
    two_sided = textures[REGULARITY].spearman
    regular = replace(two_sided, p=two_sided.p / 2 if two_sided.value > 0 else 1 - two_sided.p / 2)
    answer = decide([regular], none=0, small=LIMITS["correlation"])
    others = {n: a for n, a in textures.items() if n != REGULARITY and math.isfinite(a.p_holm)}
    texts, numbers = ["evidence"], dict[str, Any](regular=regular)
    for name in sorted(others, key=lambda n: abs(others[n].spearman.value))[-1:]:
        furthest = replace(others[name].spearman, p=others[name].p_holm)
        texts, numbers = [*texts, "furthest"], {**numbers, "other": MEASURES[name].label, "furthest": furthest}
    return _verdict(4, blocks, answer, texts, regular.p, **numbers)
