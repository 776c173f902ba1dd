"""Maps of ten networks tested at hard windows: ``python benchmarks/verify_table.py FOLDER [--budget short | --table]``.

Each window of each network is verified and becomes one JSON file in FOLDER; what is there is not computed again, so
that a run which ended goes on. ``--table`` prints the table of what is there, as Markdown.

Twelve 16×16 windows of eleven pictures (Urban100, and those of the paper's demo), hard for bicubic, each in an LR crop
of 64×64 around it. Intervals are t intervals of 95 % over the pictures' means. Gains are left out where the network
diverged, see :data:`srlens.trust.deletion.DIVERGED`.
"""

import json
import sys
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

import srlens
from hard_windows import SCALE, SHARED, hard_windows
from over_pictures import cell
from srlens.records.archive import save_json
from srlens.trust.deletion import DIVERGED

SHIPPED = ("plain", "channel", "nonlocal")
CHECKPOINTS = {
    "FSRCNN": "fsrcnn-y-x4.pth",
    "CARN-M": "carn-m-multiscale.pth",
    "PAN": "pan-x4.pth",
    "RFDN": "rfdn-x4.pth",
    "IMDN": "imdn-x4.pth",
    "BSRN": "bsrn-x4.pth",
    "DCTLSA": "dctlsa-x4.pt",
}
LR_SIZE, WINDOWS = 64, 12


def networks() -> dict[str, srlens.Network]:
    opened = {name: srlens.load_network(SHARED / "weights" / file, scale=SCALE) for name, file in CHECKPOINTS.items()}
    return {**opened, **{name: srlens.load_default(name) for name in SHIPPED}}


def run(folder: Path, budget: str) -> None:
    torch.set_num_threads(1)
    folder.mkdir(parents=True, exist_ok=True)
    opened = networks()
    for place, subject, window in hard_windows(WINDOWS, LR_SIZE):
        for name, network in opened.items():
            file = folder / f"{name}_{place}.json"
            if not file.exists():
                found = srlens.verify(network, subject.lr, window, subject.hr, budget=budget)
                save_json({"network_name": name, "picture": subject.name, "place": place, **found.record()}, file)
                print(file.name, found.summary, flush=True)


def _gain(order: str, fill: str, quantity: str = "window", kind: str = "deletion") -> Callable[[dict[str, Any]], Any]:
    """Of an order over that of distance; None where the network diverged, or the order was not followed."""

    def gain(row: dict[str, Any]) -> Any:
        found = row[kind]["fills"][fill]
        steady = max(max(curve["window"]) for curve in found["curves"]) <= DIVERGED
        return found["gain_over_distance"].get(order, {}).get(quantity) if steady else None

    return gain


def _ladder(stage: int) -> Callable[[dict[str, Any]], Any]:
    return lambda row: row["randomisation"]["stages"][stage]["rank_correlation"]


def _number(key: str) -> Callable[[dict[str, Any]], Any]:
    return lambda row: row["numbers"][key]


#: Heading, what draws it from a row, digits, whether with its interval.
COLUMNS: list[tuple[str, Callable[[dict[str, Any]], Any], int, bool]] = [
    ("DI", _number("diffusion_index"), 1, False),
    ("± by noise and shift", _number("index_error"), 2, False),
    ("reach, LR px", _number("causal_reach"), 1, False),
    ("reach, blur", lambda row: row["reach"]["fills"]["blur"]["radius"], 1, False),
    ("map beyond reach, %", lambda row: 100 * row["numbers"]["map_beyond_reach"], 1, False),
    ("gain, blur", _gain("map", "blur"), 3, True),
    ("gain, patches", _gain("map", "patches"), 3, True),
    ("insertion gain, blur", _gain("map", "blur", kind="insertion"), 3, True),
    ("gain of the detector, blur", _gain("map", "blur", "detector"), 3, True),
    ("gain of gradient, blur", _gain("gradient", "blur"), 3, True),
    ("gain of IG from black, blur", _gain("ig-black", "blur"), 3, True),
    ("gain of contrast, blur", _gain("contrast", "blur"), 3, False),
    ("additivity r", _number("infidelity_correlation"), 2, False),
    ("slope", _number("infidelity_slope"), 2, False),
    *((f"ladder {stage + 1}", _ladder(stage), 2, False) for stage in range(5)),
    ("floor", _number("randomisation_floor"), 2, False),
    ("noise", _number("noise"), 2, False),
    ("other methods", _number("agreement"), 2, False),
]


def table(folder: Path) -> str:
    rows = defaultdict(list)
    for file in sorted(folder.glob("*.json")):
        row = json.loads(file.read_text(encoding="utf-8"))
        rows[row["network_name"]].append(row)
    lines = ["| network (windows) | " + " | ".join(heading for heading, *_ in COLUMNS) + " |"]
    lines.append("|---" * (len(COLUMNS) + 1) + "|")
    for name in (*CHECKPOINTS, *SHIPPED):
        if name in rows:
            cells = [cell(rows[name], *column[1:]) for column in COLUMNS]
            lines.append(f"| {name} ({len(rows[name])}) | " + " | ".join(cells) + " |")
    return "\n".join(lines)


if __name__ == "__main__":
    target = Path(sys.argv[1])
    if "--table" in sys.argv:
        print(table(target))
    else:
        run(target, sys.argv[sys.argv.index("--budget") + 1] if "--budget" in sys.argv else "default")
