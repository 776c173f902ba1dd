"""Speed at equal map error: srlens against the authors' loop and Captum.

::

    python benchmarks/bench.py --shared ../shared --networks pan-x4.pth imdn-x4.pth plain

For each network: a reference map with 400 midpoint nodes by plain arc length; the error and time of (a) the authors'
loop with 50 steps, (b) Captum's IntegratedGradients along the straight line between the same ends (against the
reference of its own path), (c) srlens with the fewest steps whose map is at least as good as (a)'s, for the first
window of a network (which records it and verifies regional evaluation) and for the next ones, and srlens refining to a
tolerance of that error. Runs are interleaved; medians are reported, with threads and machine.
Nothing here asserts a time.
"""

import argparse
import csv
import json
import os
import platform
import statistics
import sys
from collections.abc import Callable
from copy import deepcopy
from pathlib import Path
from typing import Any

import numpy as np
import torch

import srlens
from authors_loop import authors_map
from machine import matrix_rate, memory, processor, timed
from picture import draw
from srlens.attribution.detector import gradient_magnitude
from srlens.networks.open import open_network

REAL = (
    "pan-x4.pth", "imdn-x4.pth", "rfdn-x4.pth", "rlfn-x4.pth", "bsrn-x4.pth", "carn-m-multiscale.pth",
    "fsrcnn-y-x4.pth", "smfanet-x4.pth", "dctlsa-x4.pt",
)  # fmt: skip
SHIPPED = ("plain", "channel", "nonlocal")
STEPS = range(2, 51)
WINDOW = srlens.Window(110, 150, 16, 16)
REFERENCE_STEPS = 400
REFERENCE_THREADS = os.cpu_count() or 1


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--shared", type=Path, default=Path(__file__).resolve().parents[2] / "shared")
    parser.add_argument("--networks", nargs="*", default=None, help="checkpoint files below SHARED/weights, or shipped")
    parser.add_argument("--image", type=Path, default=None, help="HR image; the authors' picture 7 by default")
    parser.add_argument("--lr", type=int, default=64, help="side of the LR image; beyond the picture it is mirrored")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--append", action="store_true", help="keep the rows of other networks in the results")
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "results")
    options = parser.parse_args()
    vars(options).update(window=WINDOW, reference=REFERENCE_STEPS, loop=50)
    torch.set_num_threads(options.threads)
    torch.backends.cudnn.allow_tf32 = False  # for the authors' loop and Captum as for srlens
    names = options.networks if options.networks is not None else [*REAL, *SHIPPED]
    rows = read(options) if options.append else []
    for name in names:
        row = measure(name, options)
        if row is not None:
            rows = [*(other for other in rows if other["network"] != row["network"]), row]
            write(rows, options)  # after each, so that an interrupted run keeps what it measured
    if not rows:
        sys.exit("no network could be opened: pass --shared or --networks plain channel nonlocal")
    print(json.dumps(machine(rows, options), indent=2))


def measure(name: str, options: argparse.Namespace) -> dict[str, Any] | None:
    """All figures of one network."""
    network = opened(name, options)
    if network is None:
        print(f"{name}: not below {options.shared / 'weights'}, left out")
        return None
    image = options.image or options.shared / "images/demo/7.png"
    hr = srlens.read_image(image) if image.is_file() else srlens.imaging.samples.sample_image()
    lr = mirrored(srlens.make_lr(hr, network.scale, "pil"), options.lr)  # its channels are the network's own affair
    window = options.window
    prepared = network.prepare(lr)
    torch.set_num_threads(REFERENCE_THREADS)  # not timed
    reference = srlens.attribute(
        network, lr, window, steps=options.reference, parameterisation="arc length", regional=False
    ).map

    def error(values: np.ndarray, target: np.ndarray = reference) -> float:
        return float(np.linalg.norm(values - target) / np.linalg.norm(target))

    trainable = deepcopy(network.module).requires_grad_(True)
    place = (window.top, window.left, window.height)
    on_device = prepared.to(options.device)

    def authors() -> np.ndarray:
        return authors_map(trainable, on_device, place, value_range=network.value_range, steps=options.loop).numpy()

    authors_error = error(authors())
    steps = next((n for n in STEPS if error(srlens.attribute(network, lr, window, steps=n).map) <= authors_error), None)
    if steps is None:
        print(f"{name}: no number of steps up to {STEPS[-1]} reaches the error of the authors' loop")
        return None
    captum_run, captum_reference = captum(network, lr, options)
    torch.set_num_threads(options.threads)

    further = srlens.Explainer(network, lr, steps=steps)  # as for the next windows of an image
    further.window(window)
    further_to_tolerance = srlens.Explainer(network, lr, tolerance=min(authors_error, 0.5))
    further_to_tolerance.window(window)

    contenders: dict[str, Callable[[], Any]] = {
        "authors": authors,
        "captum": captum_run,
        "srlens_full": lambda: srlens.attribute(network, lr, window, steps=steps, regional=False),
        "srlens_first": lambda: srlens.attribute(network, lr, window, steps=steps),
        "srlens": lambda: further.window(window),
        "srlens_tolerance": lambda: further_to_tolerance.window(window),
    }
    times: dict[str, list[float]] = {key: [] for key in contenders}
    results: dict[str, Any] = {}
    for _ in range(options.repeats):
        for key, run in contenders.items():  # interleaved, so that a busy moment hits all alike
            results[key], seconds = timed(run, options.device)
            times[key].append(seconds)
    taken = {key: memory(contenders[key], options.device) for key in ("authors", "srlens", "srlens_full")}
    median = {key: statistics.median(values) for key, values in times.items()}
    flops = forward_flops(network, prepared)
    rate = matrix_rate(options.device)
    row = {
        "network": network.name,
        "device": options.device,
        "threads": options.threads,
        "lr": f"{lr.shape[-2]}x{lr.shape[-1]}",
        "authors_s": median["authors"],
        "authors_error": authors_error,
        "captum_s": median["captum"],
        "captum_error": error(results["captum"], captum_reference),
        "srlens_steps": steps,
        "srlens_s": median["srlens_first"],
        "srlens_next_s": median["srlens"],
        "srlens_error": error(results["srlens"].map),
        "srlens_evaluation": results["srlens"].evaluation,
        "srlens_full_s": median["srlens_full"],
        "tolerance_s": median["srlens_tolerance"],
        "tolerance_steps": results["srlens_tolerance"].evaluations,
        "tolerance_error": error(results["srlens_tolerance"].map),
        "speedup": median["authors"] / median["srlens_first"],
        "speedup_next": median["authors"] / median["srlens"],
        "speedup_tolerance": median["authors"] / median["srlens_tolerance"],
        "speedup_regional": median["srlens_full"] / median["srlens_first"],
        "speedup_regional_next": median["srlens_full"] / median["srlens"],
        "gflop_per_gradient": 2 * flops / 1e9,  # one forward and one backward towards the input
        "share_of_matrix_rate": 2 * flops * steps / median["srlens_full"] / rate,
        "authors_memory_mib": taken["authors"],
        "srlens_memory_mib": taken["srlens"],
        "srlens_full_memory_mib": taken["srlens_full"],
    }
    print(
        f"{row['network']:20s} authors {row['authors_s']:.2f} s (error {authors_error:.3f}) | srlens {steps} steps "
        f"{row['srlens_s']:.2f} s (error {row['srlens_error']:.3f}): {row['speedup']:.1f}x, next window "
        f"{row['speedup_next']:.1f}x | to tolerance "
        f"{row['tolerance_s']:.2f} s ({row['tolerance_steps']} steps, error {row['tolerance_error']:.3f}): "
        f"{row['speedup_tolerance']:.1f}x | regional alone {row['speedup_regional']:.2f}x",
        flush=True,
    )
    return row


def opened(name: str, options: argparse.Namespace) -> srlens.Network | None:
    """A shipped network or a checkpoint; None where its file is not there."""
    path = options.shared / "weights" / name
    if name not in SHIPPED and not path.is_file():
        return None
    return open_network(name if name in SHIPPED else path, device=options.device)


def mirrored(lr: torch.Tensor, side: int) -> torch.Tensor:
    """C×side×side, the upper left part of the picture and its mirror images."""
    lr = torch.cat([lr, lr.flip(-1)], dim=-1)
    return torch.cat([lr, lr.flip(-2)], dim=-2)[:, :side, :side]


def captum(
    network: srlens.Network, lr: torch.Tensor, options: argparse.Namespace
) -> tuple[Callable[[], np.ndarray], np.ndarray]:
    """Captum's integrated gradients with the ends of the paper's path, and a fine map of its straight path."""
    from captum.attr import IntegratedGradients

    path = srlens.LinearFromBlur()
    given = network.prepare(lr)
    base = path.baseline.of(given.double()).float()[None].to(network.device)
    x = given.float()[None].to(network.device)
    window = options.window
    top, left, bottom, right = window.top, window.left, window.bottom + 1, window.right + 1

    def detector(batch: torch.Tensor) -> torch.Tensor:
        return gradient_magnitude(network(batch)[..., top:bottom, left:right])

    def run() -> np.ndarray:
        method = IntegratedGradients(detector)
        values = method.attribute(x, baselines=base, n_steps=options.loop, internal_batch_size=1)
        return values[0].detach().double().cpu().numpy()

    reference = srlens.attribute(network, lr, window, path=path, steps=options.reference // 2, regional=False)
    return run, reference.map


def forward_flops(network: srlens.Network, lr: torch.Tensor) -> int:
    """Floating-point operations of one forward pass (2 a multiply-add; attention on the CPU counts 0)."""
    from torch.utils.flop_counter import FlopCounterMode

    with FlopCounterMode(display=False) as counter, torch.no_grad():
        network(lr.to(network.device, network.dtype)[None])
    return int(counter.get_total_flops())


def read(options: argparse.Namespace) -> list[dict[str, Any]]:
    """The rows of an earlier run, measured under the same conditions but for the time."""

    def number(text: str) -> float | str:
        try:
            return float(text)
        except ValueError:
            return text

    path = options.out / f"speed-{options.device.split(':')[0]}.csv"
    if not path.is_file():
        return []
    with path.open(newline="") as file:
        rows = [{key: number(value) for key, value in row.items()} for row in csv.DictReader(file)]
    return [
        {**row, **{key: int(row[key]) for key in ("threads", "srlens_steps", "tolerance_steps")}}
        for row in rows
        if row["threads"] == options.threads and row["device"] == options.device
    ]


def write(rows: list[dict[str, Any]], options: argparse.Namespace) -> None:
    """CSV, picture and the description of the machine."""
    options.out.mkdir(parents=True, exist_ok=True)
    stem = options.out / f"speed-{options.device.split(':')[0]}"
    with stem.with_suffix(".csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, fieldnames=list(rows[0]))
        writer.writeheader()
        writer.writerows(
            {key: f"{value:.4g}" if isinstance(value, float) else value for key, value in row.items()} for row in rows
        )
    stem.with_suffix(".json").write_text(json.dumps(machine(rows, options), indent=2) + "\n")
    draw(rows, stem.with_suffix(".png"))


def machine(rows: list[dict[str, Any]], options: argparse.Namespace) -> dict[str, Any]:
    """What the figures hold for, and the two that sum them up."""
    return {
        "processor": processor(),
        "device": torch.cuda.get_device_name() if options.device.startswith("cuda") else "cpu",
        "threads": options.threads,
        "repeats": options.repeats,
        "python": platform.python_version(),
        "torch": torch.__version__,
        "srlens": srlens.__version__,
        "window": str(options.window),
        "median_speedup": statistics.median(row["speedup"] for row in rows),
        "median_speedup_next": statistics.median(row["speedup_next"] for row in rows),
        "smallest_speedup": min(row["speedup"] for row in rows),
    }


if __name__ == "__main__":
    main()
