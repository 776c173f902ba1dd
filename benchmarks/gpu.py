"""What srlens does on the GPU of this machine; ``gpu.sh`` calls it, and tells how.

In turn: the tests marked ``gpu``; float32 maps against those of the CPU and of the authors' code; speed at equal map
error against the authors' loop and Captum (see ``bench.py``); a field; the bound on memory; a study of twelve jobs with
one process a GPU. A step that fails is told and stops no other. Networks whose checkpoint is not there have random
weights, and say so. TF32 is off.
"""

import argparse
import csv
import json
import math
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

import bench
import field
import srlens
from machine import memory, processor
from picture import draw
from srlens.networks.device import device_in_words

ROOT = Path(__file__).resolve().parents[1]
#: Checkpoints, and the networks that stand for them.
CHECKPOINTS = {"rlfn-x4.pth": "RLFN", "imdn-x4.pth": "IMDN", "pan-x4.pth": "PAN", "dctlsa-x4.pt": "DCTLSA"}
GOLDEN = {"imdn-x4.pth": "imdn", "pan-x4.pth": "pan", "dctlsa-x4.pt": "dctlsa"}
GOLDEN_WINDOW = ("7", 110, 150)
PARITY = 1e-2  # relative L2 difference of a float32 map that rounding makes at most

Result = dict[str, Any]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--dry-run", action="store_true", help="every step on the CPU, at small size")
    parser.add_argument("--shared", type=Path, default=ROOT.parent / "shared", help="checkpoints and golden maps")
    parser.add_argument("--device", default=None, help="cuda by default; cpu in a dry run")
    parser.add_argument("--minutes", type=float, default=7.5, help="networks that would begin later are left out")
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "results")
    options = parser.parse_args()
    options.device = options.device or ("cpu" if options.dry_run else "cuda")
    if options.device.startswith("cuda") and not torch.cuda.is_available():
        sys.exit("PyTorch sees no CUDA GPU here. bash benchmarks/gpu.sh --dry-run goes through the steps on the CPU.")
    torch.backends.cudnn.allow_tf32 = False  # for the authors' loop and Captum as for srlens
    options.until = time.monotonic() + 60 * options.minutes
    small = options.dry_run
    vars(options).update(
        threads=1 if small else torch.get_num_threads(),
        repeats=1 if small else 3,
        reference=12 if small else bench.REFERENCE_STEPS,
        loop=4 if small else 50,
        sides=(24,) if small else (64, 128),
        window=srlens.Window(40, 44, 8, 8) if small else bench.WINDOW,
        networks=("plain", "rlfn-x4.pth") if small else (*CHECKPOINTS, *bench.SHIPPED),
        image=None,
    )
    torch.set_num_threads(options.threads)
    bench.REFERENCE_THREADS = options.threads
    options.out.mkdir(parents=True, exist_ok=True)
    report: Result = {"machine": machine(options), "dry_run": small, "steps": {}}
    print(f"On {report['machine']['device']}", flush=True)
    for step in (tests, parity, speed, whole_image, bounded_memory, study):
        started = time.monotonic()
        try:
            found = step(options)
        except Exception as error:  # the next step may tell more
            found = {"error": f"{type(error).__name__}: {' '.join(str(error).split())[:500]}"}
        report["steps"][step.__name__] = {"seconds": round(time.monotonic() - started, 1), **found}
        print(f"{step.__name__}: {json.dumps(plain({k: v for k, v in found.items() if k != 'rows'}))}", flush=True)
        (options.out / "gpu.json").write_text(json.dumps(plain(report), indent=2) + "\n")  # what is known so far
    sys.exit(any("error" in step for step in report["steps"].values()))


def machine(options: argparse.Namespace) -> Result:
    """The card's name, and what the numbers hold for."""
    cuda = options.device.startswith("cuda")
    return {
        "device": device_in_words(torch.device(options.device)),
        "cards": [torch.cuda.get_device_name(k) for k in range(torch.cuda.device_count())] if cuda else [],
        "memory_gib": torch.cuda.get_device_properties(options.device).total_memory / 2**30 if cuda else None,
        "processor": processor(),
        "threads": options.threads,
        "python": platform.python_version(),
        "torch": torch.__version__,
        "cuda": torch.version.cuda,
        "cudnn": torch.backends.cudnn.version() if cuda else None,
        "tf32": False,
        "srlens": srlens.__version__,
    }


def tests(_: argparse.Namespace) -> Result:
    """The tests marked ``gpu``; without CUDA they are skipped and counted."""
    command = [sys.executable, "-m", "pytest", "-q", "-m", "gpu", "-p", "no:cacheprovider", str(ROOT / "tests/gpu")]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=240, check=False)
    last = (run.stdout.strip() or run.stderr.strip()).splitlines()[-1:]
    return {"summary": last[0] if last else ""} | ({"error": run.stdout[-2000:]} if run.returncode else {})


def parity(options: argparse.Namespace) -> Result:
    """Maps in float32 against the CPU's in float64, and against the golden ones of the authors' code."""
    rows = []
    for name in options.networks:
        network = opened(name, options)
        lr = picture(network, options.sides[0])
        golden = srlens.attribute(network.to("cpu", torch.float64), lr, options.window, steps=6).map
        for regional in (False, True):
            found = srlens.attribute(network, lr, options.window, steps=6, regional=regional)
            row = {"network": network.name, "golden": "CPU, float64", "evaluation": found.evaluation}
            rows.append(row | {"error": distance(found.map, golden)})
    image, top, left = GOLDEN_WINDOW
    for name, golden_name in GOLDEN.items() if not options.dry_run else ():
        file = options.shared / f"golden/maps/{golden_name}_{image}_{top}_{left}.npz"
        if file.is_file():
            lr = srlens.make_lr(srlens.read_image(options.shared / f"images/demo/{image}.png"), 4, "pil")
            found = srlens.attribute(opened(name, options), lr, srlens.Window(top, left, 16, 16), preset="paper")
            error = distance(found.map, np.load(file)["map"])
            rows.append({"network": found.network, "golden": "authors' code", "error": error})
    worst = max(row["error"] for row in rows)
    return {"largest_error": worst, "rows": rows} | ({"error": f"above {PARITY:g}"} if not worst <= PARITY else {})


def speed(options: argparse.Namespace) -> Result:
    """Seconds for one map; ``gpu.csv`` and ``gpu.png``."""
    rows: list[Result] = []
    late: list[str] = []
    bench.opened = opened
    for side in options.sides:
        options.lr = side
        for name in options.networks:
            if time.monotonic() > options.until:
                late.append(f"{name}, LR {side}")
                continue
            row = bench.measure(name, options)
            if row is not None:
                card = device_in_words(torch.device(options.device))
                window = f"{options.window.height}×{options.window.width}"
                rows.append(row | {"device": card, "window": window})
                write(rows, options.out)
    if not rows:
        return {"error": "no network could be measured"}
    factors = {f"{row['network']}, LR {row['lr']}": round(row["speedup_next"], 1) for row in rows}
    return {"speedup_next": factors, "left_out_for_time": late, "rows": rows}


def whole_image(options: argparse.Namespace) -> Result:
    """A field against separate maps, at equal nodes."""
    network = opened("channel", options)
    asked = argparse.Namespace(steps=4, separate=1 if options.dry_run else 3, threads=options.threads)
    return field.measure(network, picture(network, options.sides[-1]), asked)


def bounded_memory(options: argparse.Namespace) -> Result:
    """What a map takes with a bound on memory and without."""
    network = opened("nonlocal", options)
    lr = picture(network, 32 if options.dry_run else 160)
    bound = 2**23 if options.dry_run else 2**30

    def taken(allowed: int | None) -> float:
        return memory(lambda: srlens.attribute(network, lr, options.window, steps=4, memory=allowed), options.device)

    found = {"bound_mib": bound / 2**20, "bounded_mib": taken(bound), "free_mib": taken(None)}
    exceeded = options.device.startswith("cuda") and found["bounded_mib"] > found["bound_mib"]
    return found | ({"error": "it takes more than it may"} if exceeded else {})


def study(options: argparse.Namespace) -> Result:
    """Twelve jobs, one process a GPU."""
    import polars

    places = ((40, 44), (48, 16), (16, 40), (60, 60))
    text = [f'title = "Twelve jobs"\nscale = 4\nmethod = {{ steps = {2 if options.dry_run else 12} }}']
    text += [f"images = {{ lr_size = {options.sides[0]} }}"]
    text += [f'[[networks]]\nopen = "{name}"' for name in bench.SHIPPED]
    text += [
        f'[[windows]]\nimage = "pagoda"\ntop = {top}\nleft = {left}\nheight = 16\nwidth = 16' for top, left in places
    ]
    workers = torch.cuda.device_count() if options.device.startswith("cuda") else 1
    with tempfile.TemporaryDirectory() as name:
        file = Path(name) / "study.toml"
        file.write_text("\n".join(text) + '\n[output]\nfolder = "results"\n')
        device = None if options.device.startswith("cuda") else options.device
        done = srlens.run_study(file, workers=workers, device=device)
        parts = polars.read_parquet(list((Path(name) / "results/parts").glob("*.parquet")))
        used = sorted(set(parts["device"]))
    found = {"jobs": done.total, "computed": done.computed, "processes": workers, "run_s": done.seconds, "on": used}
    return found | ({"error": f"{len(done.failures)} failed: {done.failures[:1]}"} if done.failures else {})


def opened(name: str, options: argparse.Namespace) -> srlens.Network:
    """A shipped network, a checkpoint, or the same architecture with random weights."""
    if name in bench.SHIPPED:
        return srlens.load_default(name, device=options.device)
    file = options.shared / "weights" / name
    if file.is_file():
        return srlens.load_network(file, device=options.device)
    torch.manual_seed(0)
    module = architecture(CHECKPOINTS[name])().requires_grad_(False)
    return srlens.Network.wrap(module.to(options.device), scale=4, name=f"{CHECKPOINTS[name]}, random weights")


def architecture(name: str) -> Callable[[], nn.Module]:
    """At its published size."""
    if name == "DCTLSA":
        from spandrel.architectures.DCTLSA import DCTLSA

        return DCTLSA
    from srlens.networks.zoo import imdn, pan, rlfn

    return {"IMDN": imdn.IMDN, "PAN": pan.PAN, "RLFN": rlfn.RLFN}[name]


def picture(network: srlens.Network, side: int) -> torch.Tensor:
    """C×side×side LR pixels of a packaged photograph and its mirror images."""
    return bench.mirrored(bench.mirrored(srlens.make_lr(srlens.read_image(sample()), network.scale), 128), side)


def sample() -> Path:
    from srlens.imaging.samples import sample_path

    return sample_path("pagoda")


def distance(found: np.ndarray, golden: np.ndarray) -> float:
    return float(np.linalg.norm(found - golden) / np.linalg.norm(golden))


def write(rows: list[Result], folder: Path) -> None:
    with (folder / "gpu.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, fieldnames=list(rows[0]))
        writer.writeheader()
        writer.writerows(
            {key: f"{value:.4g}" if isinstance(value, float) else value for key, value in row.items()} for row in rows
        )
    draw(rows, folder / "gpu.png")


def plain(value: Any) -> Any:
    """Numbers that JSON lacks are null."""
    if isinstance(value, dict):
        return {key: plain(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [plain(one) for one in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


if __name__ == "__main__":
    main()
