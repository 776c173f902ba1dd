"""Restoration networks beside super-resolution networks, at the same hard windows: ``restoration_table.py FOLDER``.

Each window of each network becomes one JSON file in FOLDER; what is there is not computed again, so that a run which
ended goes on. ``--table`` prints the table of what is there, as Markdown.

Twelve 16×16 windows of Urban100 and of the pictures of the paper's demo, hard for bicubic. Every network is shown 64×64
input pixels around the window. These are 256×256 pixels of the picture at ×4, and 64×64 at scale 1; a window of 16×16
pixels of the picture covers 4×4 input pixels there, and 16×16 here. Restoration networks therefore have a second row,
of the 4×4 pixels in the window's middle: as many input pixels as at ×4. LAM at tolerance 0.1; causal reach at 40 dB
under three fills. Degradations are made of the whole picture, seed 0. Intervals are t intervals of 95 % over the
pictures' means.
"""

import json
import sys
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import torch

import srlens
from hard_windows import SCALE, SHARED, hard_places
from over_pictures import cell
from srlens.comparison.crop import crop_around
from srlens.comparison.explained import Measurable
from srlens.comparison.subject import restore_grey
from srlens.measures.cancellation import shares_beyond
from srlens.records.archive import save_json

INPUT, WINDOWS, TOLERANCE, SEED, SHARE = 64, 12, 0.1, 0, 0.95
SMALL = 4  # side of the second window at scale 1: as many input pixels as the first one covers at ×4


@dataclass(frozen=True)
class Tried:
    """A network of the table, with what its input is made by."""

    name: str
    spec: str
    scale: int
    degradation: str

    @cache  # noqa: B019 - the entries of the table live as long as the process
    def network(self) -> srlens.Network:
        if not self.spec.endswith(".pth"):
            return srlens.load_default(self.spec)
        return srlens.load_network(SHARED / self.spec, scale=self.scale)

    @property
    def sides(self) -> tuple[int, ...]:
        """Of the windows, in pixels of the picture."""
        return (16, SMALL) if self.scale == 1 else (16,)


def _sr(name: str, file: str) -> Tried:
    return Tried(name, f"weights/{file}.pth", SCALE, "matlab-uint8")


def _restoration(name: str, file: str, degradation: str) -> Tried:
    return Tried(name, f"restoration/weights/{file}.pth", 1, degradation)


NETWORKS = (
    _sr("FSRCNN", "fsrcnn-y-x4"),
    _sr("CARN-M", "carn-m-multiscale"),
    _sr("PAN", "pan-x4"),
    _sr("RFDN", "rfdn-x4"),
    _sr("IMDN", "imdn-x4"),
    _sr("BSRN", "bsrn-x4"),
    _restoration("DnCNN, colour, blind", "dncnn-color-blind", "noise:25"),
    _restoration("DnCNN, grey, σ 25", "dncnn-gray-25", "noise:25"),
    Tried("denoise-plain", "denoise-plain", 1, "noise:25"),
    Tried("denoise-nonlocal", "denoise-nonlocal", 1, "noise:25"),
    _restoration("PReNet_r, Rain100H", "prenet6r-rain100h", "rain:4"),
    _restoration("AOD-Net", "aodnet-dehazer", "haze:1"),
    _restoration("IAT, LOL", "iat-lol", "dark:0.2"),
)


def subjects(tried: Tried, spec: str, window: srlens.Window) -> Iterator[tuple[srlens.Subject, srlens.Window]]:
    """The crop that the network is shown, with each window in it."""
    grey = restore_grey([tried.network()])
    made: dict[str, Any] = {"degradation": tried.degradation, "seed": SEED, "grey": grey}
    whole = srlens.read_subject(spec, tried.scale, is_hr=True, **made)
    part, within = crop_around(whole, window, tried.scale, INPUT)
    for side in tried.sides:
        margin = (within.height - side) // 2
        yield part, srlens.Window.square(within.top + margin, within.left + margin, side)


def row(tried: Tried, subject: srlens.Subject, window: srlens.Window) -> dict[str, Any]:
    """The numbers of one window; lengths in input pixels."""
    network = tried.network()
    result = srlens.attribute(network, subject.lr, window, tolerance=TOLERANCE)
    reach = srlens.reach(network, subject.lr, window, nearer=False)
    drawn = Measurable.of(result, network.facts, subject)
    held = (r for r in range(INPUT) if shares_beyond(result.map, window.on_lr(tried.scale), r).absolute <= 1 - SHARE)
    return {
        "attribution": result.record(),
        "area95": drawn.area(SHARE),
        "radius95": next(held),
        "reach": reach.record(),
        "degradation": subject.degradation,
    }


def run(folder: Path) -> None:
    torch.set_num_threads(1)
    folder.mkdir(parents=True, exist_ok=True)
    places = list(hard_places(WINDOWS, INPUT))
    for place, spec, window in places:
        for tried in NETWORKS:
            files = [folder / f"{tried.name.replace(' ', '-')}_{side}_{place}.json" for side in tried.sides]
            if all(file.exists() for file in files):
                continue
            for file, (subject, part) in zip(files, subjects(tried, spec, window), strict=True):
                found = row(tried, subject, part)
                told = {"network_name": tried.name, "picture": subject.name, "place": place, "side": part.height}
                save_json({**told, **found}, file)
                print(file.name, found["attribution"]["diffusion_index"], found["reach"]["reach"], flush=True)


def _attribution(key: str, factor: float = 1.0) -> Callable[[dict[str, Any]], float]:
    return lambda row: factor * row["attribution"][key]


def _reach(fill: str) -> Callable[[dict[str, Any]], float]:
    return lambda row: row["reach"]["fills"][fill]["radius"]


#: Heading, what draws it from a row, digits, whether with its interval.
COLUMNS: list[tuple[str, Callable[[dict[str, Any]], float], int, bool]] = [
    ("DI", _attribution("diffusion_index"), 1, True),
    ("effective input px", _attribution("effective_pixels"), 0, True),
    ("95 % area, input px", lambda row: row["area95"], 0, False),
    ("95 % radius, input px", lambda row: row["radius95"], 1, False),
    ("reach, input px", lambda row: row["reach"]["reach"], 1, True),
    *((fill, _reach(fill), 1, False) for fill in ("blur", "mean", "patches")),
    ("95 % radius, picture px", lambda row: row["attribution"]["scale"] * row["radius95"], 0, False),
    ("reach, picture px", lambda row: row["attribution"]["scale"] * row["reach"]["reach"], 0, False),
    ("map error, %", _attribution("map_error", 100), 1, False),
    ("gap, %", _attribution("completeness_gap", 100), 2, False),
]


def table(folder: Path) -> str:
    rows = defaultdict(list)
    for file in sorted(folder.glob("*.json")):
        one = json.loads(file.read_text(encoding="utf-8"))
        rows[one["network_name"], one["side"]].append(one)
    lines = ["| network | window | " + " | ".join(heading for heading, *_ in COLUMNS) + " |"]
    lines.append("|---" * (len(COLUMNS) + 2) + "|")
    for tried in NETWORKS:
        for side in tried.sides:
            found = rows[tried.name, side]
            if found:
                cells = [cell(found, *column[1:]) for column in COLUMNS]
                lines.append(f"| {tried.name} ({len(found)}) | {side}×{side} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


if __name__ == "__main__":
    target = Path(sys.argv[1])
    if "--table" in sys.argv:
        print(table(target))
    else:
        run(target)
