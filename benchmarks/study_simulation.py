"""What the verdicts of studies are worth where the truth is known: ``python benchmarks/study_simulation.py [STUDIES]``.

Studies are drawn from a population of networks and pictures whose correlation, ratio, receptive field and texture
effect are known, and judged by the function that reports use. Told is how often intervals hold the population's value
and how often each answer is given. Every effect is normal; in ``heavy`` those of networks have Student's t with 4
degrees of freedom. One result in a hundred is missing.
"""

import csv
import sys
import time
from collections import defaultdict
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import SimpleNamespace

import numpy as np
from scipy.stats import pearsonr, spearmanr

from srlens.comparison.measures import shown_in
from srlens.measures.extent import gaussian_area
from srlens.study.blocks import Blocks, modelled
from srlens.study.verdicts import REGULARITY, Findings, judge

RESULTS = Path(__file__).parent / "results" / "study-simulation.csv"
FIELD, REACH, SCALE = 33.0, 36**2, 4
REFERENCE = gaussian_area(FIELD, REACH, 16 / SCALE) / REACH


@dataclass(frozen=True)
class Truth:
    """A population.

    Attributes:
        correlation: Pearson's, of a network's quality and its log diffusion index.
        ratio: of the diffusion index of wide networks over that of local ones.
        used: median over networks of the used share over that of a Gaussian field.
        regular: what a standard deviation of regularity adds to the log diffusion index.
        heavy: networks have heavy tails.
    """

    correlation: float = 0.0
    ratio: float = 1.0
    used: float = 1.0
    regular: float = 0.0
    heavy: bool = False


#: Spearman's 0.5 is Pearson's 0.5176 for normal networks; "paper" has the paper's correlation and ratio of kinds.
TRUTHS = {
    "null": Truth(),
    "null, heavy": Truth(heavy=True),
    "weak": Truth(2 * np.sin(np.pi / 12), 1.5, 0.7, 0.25),
    "paper": Truth(0.85, 5.3, 0.3, 0.5),
}
#: Networks (half of them or one more are wide), windows, pictures.
DESIGNS = {"9 × 48 of 8": (9, 48, 8), "10 × 150 of 30": (10, 150, 30)}


def networks_of(truth: Truth, count: int, rng: np.random.Generator) -> SimpleNamespace:
    """Networks of the population: log diffusion index, quality of crops and of windows (dB), log used share."""
    wide = np.arange(count) >= count // 2

    def draw() -> np.ndarray:
        return rng.standard_t(4, count) / 2**0.5 if truth.heavy else rng.standard_normal(count)

    gap = np.log(truth.ratio)
    spread = (0.8**2 + gap**2 / 4) ** 0.5  # of the log index over all networks
    index = gap * wide + 0.8 * draw()
    own, other = draw(), draw()
    explained = truth.correlation * (index - gap / 2) / spread
    rest = (1 - truth.correlation**2) ** 0.5
    crop, window = explained + rest * own, explained + rest * (0.9 * own + (1 - 0.9**2) ** 0.5 * other)
    return SimpleNamespace(
        wide=wide, index=index, crop=0.7 * crop, window=window, used=np.log(truth.used) + 0.4 * draw()
    )


@cache
def population(truth: Truth) -> dict[str, float]:
    """The values that intervals should hold, from many networks."""
    many = networks_of(truth, 1_000_000, np.random.default_rng(1))
    return {
        "pearson": float(pearsonr(many.index, many.crop).statistic),
        "spearman": float(spearmanr(many.index, many.crop).statistic),
        "ratio": truth.ratio,
    }


def draw_study(truth: Truth, design: tuple[int, int, int], rng: np.random.Generator) -> Blocks:
    """The results of one study: networks, pictures, windows, and what they do to each other."""
    count, windows, pictures = design
    of = np.arange(windows) * pictures // windows
    nets = networks_of(truth, count, rng)

    def both(of_picture: float, of_window: float) -> np.ndarray:  # for each network its own
        at_pictures = of_picture * rng.standard_normal((count, pictures))
        return at_pictures[:, of] + of_window * rng.standard_normal((count, windows))

    def common(of_picture: float, of_window: float) -> np.ndarray:  # for all networks the same
        return of_picture * rng.standard_normal(pictures)[of] + of_window * rng.standard_normal(windows)

    regularity = common(0.7, 0.7)
    place = common(0.4, 0.3) + truth.regular * regularity
    # Some pictures show more of what wide networks do, in the map and in the quality.
    further = 0.15 * rng.standard_normal(pictures)[of] * nets.wide[:, None]
    gain = 0.15 * rng.standard_normal(pictures)[of] * nets.index[:, None]
    hard = common(3, 1)
    values = {
        "diffusion_index": np.exp(nets.index[:, None] + place + further + both(0.25, 0.3)),
        "psnr_image": 25 + nets.crop[:, None] + hard + gain + both(0.3, 0.3),
        "psnr_window": 20 + nets.window[:, None] + hard + gain + both(0.5, 0.7),
        "receptive_field_used": np.minimum(REFERENCE * np.exp(nets.used[:, None] + both(0.15, 0.3)), 1),
    }
    present = rng.uniform(size=(count, windows)) > 0.01
    values = {
        name: modelled(np.where(present, matrix, np.nan), ~present, factors="psnr" not in name)
        for name, matrix in values.items()
    }
    facts = {"parameters": 1e6, "receptive_field_pixels": REACH, "receptive_field_side": FIELD, "scale": SCALE}
    facts |= {"height": 16, "width": 16, "lr_height": 64, "lr_width": 64, "ssim_image": np.nan, "lpips": np.nan}
    values |= {name: np.full((count, windows), float(value)) for name, value in facts.items()}
    values["parameters"] = values["parameters"] * np.exp(rng.standard_normal(count))[:, None]
    values |= {look.key: np.full((count, windows), np.nan) for look in shown_in("texture")}
    values |= {REGULARITY: np.tile(regularity, (count, 1)), "lr_left": np.zeros((count, windows))}
    values["lr_top"] = np.tile(np.arange(windows, dtype=float), (count, 1))  # every window has a crop of its own
    labels = tuple(f"network {k}" for k in range(count))
    return Blocks(
        labels=labels,
        kinds=tuple("transformer" if wide else "convolution" for wide in nets.wide),
        families=labels,
        fields=("33 LR px",) * count,
        places=tuple(map(str, range(windows))),
        jobs=(),
        images=tuple(f"picture {number:02d}" for number in of),
        windows=(),
        values=values,
        present=present,
        left_out=(),
        windows_planned=windows,
        lr_sizes=((64, 64),),
        conditions="",
        random=np.full((count, windows), np.nan),
    )  # fmt: skip


def outcome(found: Findings, truths: dict[str, float]) -> dict[str, bool]:
    """What one study said: whether its intervals hold the population's values, and its answers."""
    crop, contrast = found.correlations["psnr_image"], found.contrast
    assert contrast is not None
    estimates = {"pearson": crop.pearson, "spearman": crop.spearman, "ratio": contrast.ratio}
    told = {f"{name} covered": e.low <= truths[name] <= e.high for name, e in estimates.items()}
    for verdict in found.verdicts:
        told |= {f"{verdict.number} {answer}": verdict.answer == answer for answer in ("supported", "not supported")}
    told["any supported"] = any(verdict.answer == "supported" for verdict in found.verdicts)
    told["any supported after Holm"] = any(v.answer == "supported" and v.p_holm < 0.05 for v in found.verdicts)
    return told


def simulate(truth: Truth, design: tuple[int, int, int], studies: int, seed: int = 0) -> dict[str, float]:
    """Shares of the studies."""
    rng = np.random.default_rng([seed, *design])
    told = defaultdict(list)
    for number in range(studies):
        found = judge(draw_study(truth, design, rng), seed=number)
        for name, holds in outcome(found, population(truth)).items():
            told[name].append(holds)
    return {name: float(np.mean(holds)) for name, holds in told.items()}


if __name__ == "__main__":
    amount = int(sys.argv[1]) if len(sys.argv) > 1 else 500
    rows = []
    for title, design in DESIGNS.items():
        for name, truth in TRUTHS.items():
            started = time.process_time()
            shares = simulate(truth, design, amount)
            rows.append({"networks × windows of pictures": title, "truth": name, "studies": amount, **shares})
            print(f"{title}, {name} ({time.process_time() - started:.0f} s)", flush=True)
            print("  " + ", ".join(f"{key} {share:.1%}" for key, share in shares.items()), flush=True)
    RESULTS.parent.mkdir(exist_ok=True)
    with RESULTS.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        writer.writerows(rows)
