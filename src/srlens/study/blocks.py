"""Results as blocks: every network at every window, so that comparisons are paired; what is missing is modelled."""

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from srlens.comparison.measure import Measure, Place
from srlens.comparison.measures import MEASURES, shown_in
from srlens.errors import StudyError

if TYPE_CHECKING:
    import polars

Array = NDArray[np.float64]

#: The measure that a study is about.
INDEX = "diffusion_index"

_OF_CROP = ("psnr_image", "ssim_image", "lpips", "reference_psnr_image")
_FEWEST = 0.5  # share of results below which a network, and then a window, is left out
_ROUNDS = 50  # of the fit of what is missing; each takes away all of its error but the missing share


@dataclass(frozen=True, eq=False)
class Blocks:
    """K networks at W windows.

    Attributes:
        labels: of the networks, in the study's order.
        kinds: how each gathers context; ``"unknown"`` where it is not known.
        families: the architecture of each; its label where it is not known.
        fields: the receptive field of each, as a table prints it.
        places: id of each window.
        jobs: of each window, the ids of its K jobs.
        images: name of the picture of each window.
        windows: (top, left, height, width) of each, in SR pixels of the picture.
        values: every measure that is a number to K×W; NaN where it was not measured. Where a result is missing stands
            what :func:`modelled` gives.
        present: K×W, where there is a map that converged; others count as missing.
        left_out: label of each network that has too few results, with the reason.
        windows_planned: of the study.
        lr_sizes: different sizes of the LR crops; more than one makes diffusion indices incomparable.
        conditions: one line that says how the maps were made.
        random: share of the receptive field that the same networks with random weights use, K×W; NaN where it was not
            computed.
        scale: SR pixels per LR pixel.
    """

    labels: tuple[str, ...]
    kinds: tuple[str, ...]
    families: tuple[str, ...]
    fields: tuple[str, ...]
    places: tuple[str, ...]
    jobs: tuple[tuple[str, ...], ...]
    images: tuple[str, ...]
    windows: tuple[tuple[int, int, int, int], ...]
    values: dict[str, Array]
    present: NDArray[np.bool_]
    left_out: tuple[tuple[str, str], ...]
    windows_planned: int
    lr_sizes: tuple[tuple[int, int], ...]
    conditions: str
    random: Array
    scale: int = 4

    @property
    def index(self) -> Array:
        """The diffusion index, K×W."""
        return self.values[INDEX]

    @property
    def textures(self) -> dict[str, Array]:
        """Texture measures that are compared with the diffusion index, W each."""
        return {measure.key: self.values[measure.key][0] for measure in shown_in("texture")}

    def once(self, key: str) -> Array:
        """A measure, K×W; where it is one of the LR crop's SR image, NaN at windows whose crop an earlier one has."""
        values = self.values[key]
        if key not in _OF_CROP:
            return values
        corners = np.column_stack([self.values[one][0] for one in ("lr_top", "lr_left", "lr_height", "lr_width")])
        first = np.unique(np.column_stack([self.clusters, corners]), axis=0, return_index=True)[1]
        return np.where(np.isin(np.arange(values.shape[1]), first), values, np.nan)

    def known(self, *places: Place) -> list[Measure]:
        """The measures shown there that are known of some network, in the order of their columns."""
        shown = {measure.key for place in places for measure in shown_in(place)}
        found = [measure for measure in MEASURES.values() if measure.key in shown & self.values.keys()]
        return [measure for measure in found if np.isfinite(self.values[measure.key]).any()]

    @property
    def clusters(self) -> NDArray[np.int64]:
        """Number of the picture of each window."""
        return np.unique(np.array(self.images), return_inverse=True)[1].astype(np.int64)

    @property
    def pictures(self) -> int:
        """Number of pictures that the windows lie in."""
        return len(set(self.images))


def arrange(frame: "polars.DataFrame", plan: dict[str, Any], random: "polars.DataFrame | None" = None) -> Blocks:
    """Put the rows of a study in order by its plan; ``random`` holds those of the networks with random weights.

    A map that did not reach its tolerance, in error or gap, counts as missing.
    A network with results at fewer than half of the windows is left out; of the windows those are kept at which half of
    the others or more have a result.

    Raises:
        StudyError: no window is left.
    """
    jobs, windows = plan["jobs"], plan["windows"]
    position = {job: (k, w) for k, row in enumerate(jobs) for w, job in enumerate(row)}
    count, width = len(jobs), len(windows)
    frame = frame.filter(frame["job"].is_in(list(position)))
    at = np.array([position[job] for job in frame["job"].to_list()], dtype=np.int64).reshape(-1, 2)
    present = np.zeros((count, width), dtype=bool)
    present[at[:, 0], at[:, 1]] = frame["converged"].to_numpy()
    enough = present.sum(axis=1) >= max(1, _FEWEST * width)
    kept = present[enough].mean(axis=0) >= _FEWEST if enough.any() else np.zeros(width, dtype=bool)
    if not kept.any():
        raise StudyError(
            f"The study has {len(frame)} of {count * width} results, and no network has one at half of the windows. "
            "Go on with `srlens study run --resume`."
        )
    names = [network["label"] for network in plan["networks"]]
    rows: list[int] = np.flatnonzero(enough).tolist()
    columns: list[int] = np.flatnonzero(kept).tolist()
    first = frame.row(0, named=True)

    here = present[np.ix_(rows, columns)]

    def placed(measure: Measure) -> Array:
        matrix = np.full((count, width), np.nan)
        matrix[at[:, 0], at[:, 1]] = frame[measure.key].cast(float).to_numpy()
        stored = matrix[np.ix_(rows, columns)]
        missing = ~here & (np.isnan(stored) | (not measure.of_picture))  # the picture is there without the map, too
        return modelled(stored, missing, factors=not measure.of_picture)

    of_network = {
        int(k): frame.row(row, named=True) for k, row in zip(*np.unique(at[:, 0], return_index=True), strict=True)
    }
    sizes = frame.select("lr_height", "lr_width").unique().sort("lr_height", "lr_width").rows()
    return Blocks(
        labels=tuple(names[k] for k in rows),
        kinds=tuple(plan["networks"][k]["kind"] or of_network[k]["kind"] or "unknown" for k in rows),
        families=tuple(of_network[k]["family"] or names[k] for k in rows),
        fields=tuple(of_network[k]["receptive_field"] for k in rows),
        places=tuple(windows[w]["place"] for w in columns),
        jobs=tuple(tuple(jobs[k][w] for k in rows) for w in columns),
        images=tuple(plan["images"][windows[w]["image"]]["name"] for w in columns),
        windows=tuple(tuple(windows[w]["window"]) for w in columns),
        values={measure.key: placed(measure) for measure in MEASURES.values() if measure.kind in (float, int)},
        present=here,
        left_out=tuple((names[k], f"{int(present[k].sum())} of {width} windows") for k in np.flatnonzero(~enough)),
        windows_planned=width,
        lr_sizes=tuple((int(h), int(w)) for h, w in sizes),
        conditions=_common_conditions(str(first["conditions"])),
        random=_random_shares(random, plan)[np.ix_(rows, columns)],
        scale=plan["scale"],
    )


def _random_shares(frame: "polars.DataFrame | None", plan: dict[str, Any]) -> Array:
    """What networks with random weights use of their receptive field, K×W; maps that did not converge do not count."""
    place = {window["place"]: w for w, window in enumerate(plan["windows"])}
    network = {job: k for k, jobs in enumerate(plan.get("random_jobs", ())) for job in jobs}
    shares = np.full((len(plan["jobs"]), len(place)), np.nan)
    if frame is not None:
        for row in frame.filter(frame["converged"]).select("job", "place", "receptive_field_used").iter_rows():
            if row[2] is not None:
                shares[network[row[0]], place[row[1]]] = row[2]
    return shares


def modelled(values: Array, missing: NDArray[np.bool_], *, factors: bool) -> Array:
    """Values (K×W) with those that are missing put in by a model of least squares: one effect a row, one a column.

    With ``factors`` the effects are multiplied, where all values are positive; else they are added. A row or column
    without any value stays as it is.
    """
    if not missing.any():
        return values
    known = np.ma.masked_invalid(values)
    factors = factors and bool(np.all(values[np.isfinite(values)] > 0))
    scaled, of_column = np.ma.log(known) if factors else known, np.ma.zeros(values.shape[1])
    for _ in range(_ROUNDS):
        of_row = (scaled - of_column).mean(axis=1, keepdims=True)
        of_column = (scaled - of_row).mean(axis=0)
    fitted = np.ma.exp(of_row + of_column) if factors else of_row + of_column
    return np.where(missing, np.ma.filled(fitted, np.nan), values)


def _common_conditions(text: str) -> str:
    """What all jobs share: without the window, and without the steps that each of them took."""
    shared = re.sub(r"^window [^(]*\([^)]*\), ", "", text)  # "window 16×16 at (top 1, left 2), ×4, LR 64×64, …"
    return re.sub(r"\d+ steps \((tolerance [^)]*)\)", r"\1", shared)
