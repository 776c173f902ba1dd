"""A field of 64 windows against separate maps with regional evaluation off, at equal nodes: seconds a window.

::

    python benchmarks/field.py --shared ../shared --networks imdn-x4.pth pan-x4.pth fsrcnn-y-x4.pth
"""

import argparse
import csv
import statistics
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch

import srlens
from srlens.attribution.field import grid_windows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--shared", type=Path, default=Path(__file__).resolve().parents[2] / "shared")
    parser.add_argument("--networks", nargs="*", default=["imdn-x4.pth", "pan-x4.pth", "fsrcnn-y-x4.pth"])
    parser.add_argument("--steps", type=int, default=4)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument(
        "--separate", type=int, default=3, help="separate maps timed before and as many after the field"
    )
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "results")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    picture = options.shared / "images/Urban100/img_012.png"
    hr = srlens.read_image(picture) if picture.is_file() else srlens.imaging.samples.sample_image()
    hr = hr[:, :512, :512]
    lr = srlens.make_lr(hr, 4)
    rows = []
    for name in options.networks:
        path = options.shared / "weights" / name
        if not path.is_file():
            print(f"{name}: no {path}, left out")
            continue
        rows.append(measure(srlens.load_network(path), lr, options))
        print(", ".join(f"{key} {value}" for key, value in rows[-1].items()), flush=True)
    if not rows:
        sys.exit("no network could be opened: pass --shared")
    options.out.mkdir(parents=True, exist_ok=True)
    with (options.out / "field-cpu.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, fieldnames=list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


def measure(network: srlens.Network, lr: torch.Tensor, options: argparse.Namespace) -> dict[str, Any]:
    """Seconds a window together and alone, and how far the maps differ."""
    windows = grid_windows(lr.shape[-2] * network.scale, lr.shape[-1] * network.scale, 16, 64)
    last = len(windows) - 1
    alone: list[float] = []
    maps: dict[int, np.ndarray] = {}

    def separate(indices: list[int]) -> None:
        for k in indices:
            started = time.perf_counter()
            maps[k] = srlens.attribute(network, lr, windows[k], steps=options.steps, regional=False).map
            alone.append(time.perf_counter() - started)

    # Around the field, so that a busy moment hits both.
    separate([9 * k % len(windows) for k in range(options.separate)])
    started = time.perf_counter()
    together = list(srlens.Explainer(network, lr, steps=options.steps).windows(windows))
    shared = (time.perf_counter() - started) / len(windows)
    separate([last - 9 * k % len(windows) for k in range(options.separate)])
    errors = [np.linalg.norm(together[k].map - m) / np.linalg.norm(m) for k, m in maps.items()]
    return {
        "network": network.name,
        "windows": len(windows),
        "lr": f"{lr.shape[-2]}x{lr.shape[-1]}",
        "steps": options.steps,
        "threads": options.threads,
        "together_s_per_window": f"{shared:.4g}",
        "alone_s_per_window": f"{statistics.median(alone):.4g}",
        "ratio": f"{shared / statistics.median(alone):.3f}",
        "map_difference_float32": f"{max(errors):.1e}",
        "evaluation": together[0].evaluation,
    }


if __name__ == "__main__":
    main()
