"""Where the numbers of a report come from: everything that whoever repeats the study must set alike."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from srlens.imaging.degrade import DEFAULT, drawn_seed, judge_name, parse_degradation, psnr_channels
from srlens.study.run_record import Run

if TYPE_CHECKING:
    import polars

Row = dict[str, Any]

#: Which maps count.
CONVERGENCE_RULE = (
    "A map counts where its estimated error and its completeness gap (of the detector's change, or of the absolute "
    "map's sum where that is larger) are within the tolerance, or where it was computed with a fixed number of steps; "
    "one that did not converge counts as missing."
)
#: Columns of the results whose values belong to the conditions; several values are named with their counts.
CONDITIONS = ("device", "threads", "torch", "srlens")


def provenance(plan: dict[str, Any], frame: "polars.DataFrame", runs: Sequence[Run]) -> dict[str, Any]:
    """The conditions of a study as plain values, for ``report.json`` and the page.

    Args:
        plan: of the study, as it was stored.
        frame: all results, one row a job.
        runs: when and how it was run.

    Returns:
        Weights, judges, pictures, degradation, whether colour became grey, what PSNR is of, mining, method,
        convergence, device, threads, versions and runs; None where something was not recorded.
    """
    given, mining = plan.get("images_given") or {}, plan.get("mining")
    return {
        "networks": network_rows(plan, frame),
        "judges": _judges(plan, mining),
        "pictures": picture_rows(plan),
        "degradation": _degradation(given),
        "quality": _quality(plan),
        **{name: (plan.get("reading") or {}).get(name, False) for name in ("grey", "clip")},
        "lr_size": given.get("lr_size"),
        "mining": {k: v for k, v in mining.items() if k not in ("judges", "own_judges", "unused")} if mining else None,
        "unused_pictures": [list(one) for one in mining["unused"]] if mining else [],
        "method": plan["settings"],
        "question": plan.get("question"),
        "convergence": _convergence(frame),
        **{name: _values(frame, name) for name in CONDITIONS},
        "runs": list(runs),
    }


def network_rows(plan: dict[str, Any], frame: "polars.DataFrame") -> list[Row]:
    """One row a network: its weights, how many of its maps converged, and how far they are from complete."""
    rows = []
    for network, jobs in zip(plan["networks"], plan["jobs"], strict=True):
        own = frame.filter(frame["job"].is_in(jobs))
        first = own.row(0, named=True) if len(own) else {}
        convergence = _convergence(own)
        rows.append(
            {
                "network": network["label"],
                "family": first.get("family"),
                "kind": network.get("kind") or first.get("kind"),
                "parameters": first.get("parameters"),
                "weights_sha256": network.get("digest"),
                **{key: convergence[key] for key in ("maps", "converged", "median_gap", "largest_gap")},
            }
        )
    return rows


def picture_rows(plan: dict[str, Any]) -> list[Row]:
    """One row a picture: its file's SHA-256 and how many windows lie in it."""
    numbers = [window["image"] for window in plan["windows"]]
    return [
        {"picture": image["name"], "sha256": image.get("digest"), "windows": numbers.count(number)}
        for number, image in enumerate(plan["images"])
    ]


def _judges(plan: dict[str, Any], mining: dict[str, Any] | None) -> list[Row] | None:
    """None where the windows were given."""
    if mining is None:
        return None
    known = {network.get("digest"): network["label"] for network in plan["networks"]}
    judges = [
        {"judge": name, "weights_sha256": digest, "compared": digest in known} for name, digest in mining["judges"]
    ]
    made = (plan.get("images_given") or {}).get("degradation", DEFAULT)
    return judges or [{"judge": judge_name(plan["scale"], made), "weights_sha256": None, "compared": False}]


def _quality(plan: dict[str, Any]) -> str:
    """Of which channels PSNR and SSIM are."""
    depths = {network.get("depth") for network in plan["networks"]} - {None, 1, 3}
    grey = (plan.get("reading") or {}).get("grey", False)
    return psnr_channels(plan["scale"], 1 if grey else max(depths, default=3))


def _degradation(given: dict[str, Any]) -> dict[str, Any] | None:
    """Its name and what it does, its seed where it draws; None where the pictures are LR images themselves."""
    if given.get("given") != "hr":
        return None
    name = given["degradation"]
    return {
        "name": name,
        "about": parse_degradation(name).entry.description.removesuffix(": the default"),
        "seed": drawn_seed(name, given.get("seed", 0)),
    }


def _convergence(frame: "polars.DataFrame") -> dict[str, Any]:
    """Counts, and gaps of the maps that converged; in parts of the detector's change."""
    kept = frame.filter(frame["converged"])
    gaps, errors = (kept[name].drop_nulls().to_numpy() for name in ("completeness_gap", "map_error"))
    told: dict[str, Any] = {"maps": len(frame), "converged": len(kept), "rule": CONVERGENCE_RULE}
    for name, values in (("gap", gaps), ("error", errors)):
        told[f"median_{name}"] = float(np.median(values)) if values.size else None
        told[f"largest_{name}"] = float(values.max()) if values.size else None
    return told


def _values(frame: "polars.DataFrame", column: str) -> list[Any]:
    return frame[column].drop_nulls().unique().sort().to_list()
