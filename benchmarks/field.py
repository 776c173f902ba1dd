"""A field of 64 windows against separate maps with regional evaluation off, at equal nodes: seconds a window.

::

    python benchmarks/field.py --shared ../shared --networks imdn-x4.pth pan-x4.pth fsrcnn-y-x4.pth
"""

import argparse
import statistics
import time
from pathlib import Path

import numpy as np
import torch

import srlens
from srlens.attribution.field import field_points, field_settings, grid_windows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--shared", type=Path, default=Path(__file__).resolve().parents[2] / "shared")
    parser.add_argument("--networks", nargs="*", default=["imdn-x4.pth", "pan-x4.pth", "fsrcnn-y-x4.pth"])
    parser.add_argument("--steps", type=int, default=4)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument(
        "--separate", type=int, default=3, help="separate maps timed before and as many after the field"
    )
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    hr = srlens.read_image(options.shared / "images/Urban100/img_012.png")[:, :512, :512]
    lr = srlens.make_lr(hr, 4)
    windows = grid_windows(512, 512, 16, 64)
    for file in options.networks:
        network = srlens.load_network(options.shared / "weights" / file)
        alone: list[float] = []
        maps = {}

        def separate(indices: list[int]) -> None:
            for k in indices:
                started = time.perf_counter()
                maps[k] = srlens.attribute(network, lr, windows[k], steps=options.steps, regional=False).map
                alone.append(time.perf_counter() - started)

        # Around the field, so that a busy moment hits both.
        separate([9 * k for k in range(options.separate)])
        started = time.perf_counter()
        together = list(field_points(network, lr, windows, field_settings(options.steps)))
        shared = (time.perf_counter() - started) / len(windows)
        separate([63 - 9 * k for k in range(options.separate)])
        errors = [np.linalg.norm(together[k].map - m) / np.linalg.norm(m) for k, m in maps.items()]
        print(
            f"{network.name}: {shared:.3f} s a window together, {statistics.median(alone):.3f} s alone, ratio "
            f"{shared / statistics.median(alone):.3f}; maps differ by {max(errors):.1e} (float32); "
            f"{len(windows)} windows, LR {lr.shape[-2]}×{lr.shape[-1]}, {options.steps} steps, "
            f"{options.threads} thread; {together[0].evaluation}",
            flush=True,
        )


if __name__ == "__main__":
    main()
