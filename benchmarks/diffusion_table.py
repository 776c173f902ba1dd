"""The shipped diffusion network beside the other three, at hard windows.

``python benchmarks/diffusion_table.py FOLDER``: each window becomes one JSON file in FOLDER; what is there is not
computed again. ``--table`` prints the table of what is there, as Markdown, and what the pictures decide.

Eight 16×16 windows of pictures of Urban100 and of the paper's demo, hard for bicubic, each in an LR crop of 48×48
around it; four seeds; LAM at tolerance 0.1; causal reach under blur, at 40 dB, of seed 0.
"""

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import torch

import srlens
from hard_windows import hard_windows
from srlens.errors import InputError
from srlens.measures.agreement import rank_correlation
from srlens.records.archive import save_json
from srlens.study.uncertainty import mean_interval

SHIPPED = ("plain", "channel", "nonlocal")
LR_SIZE, WINDOWS, SEEDS = 48, 8, 4
FILL = "blur"


def row(subject: srlens.Subject, window: srlens.Window) -> dict[str, Any]:
    """The numbers of one window."""
    found: dict[str, Any] = {}
    for name in SHIPPED:
        network = srlens.load_default(name)
        result = srlens.attribute(network, subject.lr, window, tolerance=0.1)
        reach = srlens.reach(network, subject.lr, window, fills=[FILL], nearer=False)
        found[name] = {"di": result.diffusion_index, "reach": reach.curves[0].radius}
    network = srlens.load_default("diffusion")
    maps = srlens.attribute_seeds(network, subject.lr, window, seeds=SEEDS, tolerance=0.1)
    attention = [srlens.attention(network.seeded(seed), subject.lr, window) for seed in maps.seeds]
    sram = np.mean([one.sram for one in attention], axis=0)
    pairs = [(a, b) for i, a in enumerate(maps.results) for b in maps.results[:i]]
    found["diffusion"] = {
        "di": maps.diffusion_indices,
        "spread": maps.diffusion_spread,
        "mean_map_di": srlens.diffusion_index(maps.mean),
        "stable": maps.stable_share,
        "between_seeds": float(np.mean([rank_correlation(a.summed, b.summed) for a, b in pairs])),
        "gap": max(one.completeness_gap for one in maps.results),
        "lam_sram": rank_correlation(maps.mean, sram),
        "sram_di": srlens.diffusion_index(sram),
        "imacs": float(np.mean([one.imacs for one in attention])),
        "reach": srlens.reach(network, subject.lr, window, fills=[FILL], nearer=False).curves[0].radius,
    }
    return found


def run(folder: Path) -> None:
    torch.set_num_threads(1)
    folder.mkdir(parents=True, exist_ok=True)
    for place, subject, window in hard_windows(WINDOWS, LR_SIZE):
        file = folder / f"{place}.json"
        if not file.exists():
            found = row(subject, window)
            save_json({"place": place, **found}, file)
            print(place, found, flush=True)


def table(folder: Path) -> None:
    rows = [json.loads(file.read_text()) for file in sorted(folder.glob("*.json"))]
    if not rows:
        raise InputError(f"{folder} holds no windows yet; run without --table first.")
    print("| window | DI plain | channel | nonlocal | diffusion, mean ± spread | of the mean map | sign stable "
          "| seeds' rank corr. | LAM–SRAM | IMACS | reach: plain, channel, nonlocal, diffusion |")  # fmt: skip
    print("|---" * 11 + "|")
    for one in rows:
        d = one["diffusion"]
        cells = [one["place"], *(f"{one[name]['di']:.1f}" for name in SHIPPED),
                 f"{np.mean(d['di']):.1f} ± {d['spread']:.1f}", f"{d['mean_map_di']:.1f}", f"{d['stable']:.0%}",
                 f"{d['between_seeds']:.2f}", f"{d['lam_sram']:.2f}", f"{d['imacs']:.2f}",
                 ", ".join(str(one[name]["reach"]) for name in (*SHIPPED, "diffusion"))]  # fmt: skip
        print("| " + " | ".join(cells) + " |")
    columns = [[one[name]["di"] for one in rows] for name in SHIPPED]
    means = [f"{np.mean(column):.1f}" for column in columns]
    d = {key: np.mean([one["diffusion"][key] for one in rows]) for key in rows[0]["diffusion"]}
    reach = ", ".join(f"{np.mean([one[name]['reach'] for one in rows]):.1f}" for name in (*SHIPPED, "diffusion"))
    means += [f"{d['di']:.1f} ± {d['spread']:.1f}", f"{d['mean_map_di']:.1f}", f"{d['stable']:.0%}",
              f"{d['between_seeds']:.2f}", f"{d['lam_sram']:.2f}", f"{d['imacs']:.2f}",
              reach]  # fmt: skip
    print("| mean | " + " | ".join(means) + " |\n")
    intervals(rows)


def intervals(rows: list[dict[str, Any]]) -> None:
    """What the pictures decide: means over windows with 95 % intervals over pictures."""
    pictures = np.unique([one["place"].rpartition("_t")[0] for one in rows], return_inverse=True)[1]
    ours = [one["diffusion"] for one in rows]

    def told(name: str, values: Any) -> None:
        found = mean_interval(np.array(values, dtype=float), pictures, plain=True)
        print(
            f"- {name}: {found.value:.2f} [{found.low:.2f}, {found.high:.2f}], above 0 in {sum(v > 0 for v in values)}"
        )

    for name in SHIPPED:
        told(
            f"DI, diffusion less {name}",
            [np.mean(d["di"]) - one[name]["di"] for d, one in zip(ours, rows, strict=True)],
        )
        told(
            f"reach, diffusion less {name}",
            [d["reach"] - one[name]["reach"] for d, one in zip(ours, rows, strict=True)],
        )
    for key in ("lam_sram", "imacs", "sram_di", "between_seeds", "stable"):
        told(key, [d[key] for d in ours])
    most = [max(one[name]["di"] for name in SHIPPED) for one in rows]
    wider = sum(di > least for d, least in zip(ours, most, strict=True) for di in d["di"])
    seeds = np.sqrt(np.mean([d["spread"] ** 2 for d in ours]))
    windows = np.std([np.mean(d["di"]) for d in ours], ddof=1)
    print(f"- {wider} of {sum(len(d['di']) for d in ours)} seeds have a higher DI than each of the others")
    print(f"- standard deviation of DI: {seeds:.1f} over seeds, {windows:.1f} over windows")


if __name__ == "__main__":
    target = Path(sys.argv[1])
    (table if "--table" in sys.argv[2:] else run)(target)
