"""Results as complete blocks: every network at every window that all of them have, so that comparisons are paired."""

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
_FEWEST = 0.5  # share of the windows below which a network is left out


@dataclass(frozen=True, eq=False)
class Blocks:
    """K networks at W windows, no value missing but for what was not measured.

    Attributes:
        labels: of the networks, in the study's order.
        kinds: how each gathers context; ``"unknown"`` where it is not known.
        fields: the receptive field of each, as a table prints it.
        places: id of each window.
        jobs: of each window, the ids of its K jobs.
        images: name of the picture of each window.
        windows: (top, left, height, width) of each, in SR pixels of the picture.
        values: every measure that is a number to K×W; NaN where it was not measured.
        left_out: label of each network that has too few results, with the reason.
        windows_planned: of the study.
        lr_sizes: different sizes of the LR crops; more than one makes diffusion indices incomparable.
        conditions: one line that says how the maps were made.
    """

    labels: tuple[str, ...]
    kinds: tuple[str, ...]
    fields: tuple[str, ...]
    places: tuple[str, ...]
    jobs: tuple[tuple[str, ...], ...]
    images: tuple[str, ...]
    windows: tuple[tuple[int, int, int, int], ...]
    values: dict[str, Array]
    left_out: tuple[tuple[str, str], ...]
    windows_planned: int
    lr_sizes: tuple[tuple[int, int], ...]
    conditions: str

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


def arrange(frame: "polars.DataFrame", plan: dict[str, Any]) -> Blocks:
    """Put the rows of a study in order by its plan.

    A network with results at fewer than half of the windows is left out; of the windows those are kept at which all
    the others have a result.

    Raises:
        StudyError: no window is left.
    """
    jobs, windows = plan["jobs"], plan["windows"]
    position = {job: (k, w) for k, row in enumerate(jobs) for w, job in enumerate(row)}
    count, width = len(jobs), len(windows)
    frame = frame.filter(frame["job"].is_in(list(position)))
    at = np.array([position[job] for job in frame["job"].to_list()], dtype=np.int64).reshape(-1, 2)
    present = np.zeros((count, width), dtype=bool)
    present[at[:, 0], at[:, 1]] = True
    enough = present.sum(axis=1) >= max(1, _FEWEST * width)
    complete = present[enough].all(axis=0) if enough.any() else np.zeros(width, dtype=bool)
    if not complete.any():
        raise StudyError(
            f"The study has {len(frame)} of {count * width} results, and no window at which all networks have one. "
            "Go on with `srlens study run --resume`."
        )
    names = [network["label"] for network in plan["networks"]]
    rows: list[int] = np.flatnonzero(enough).tolist()
    columns: list[int] = np.flatnonzero(complete).tolist()
    first = frame.row(0, named=True)

    def placed(name: str) -> Array:
        matrix = np.full((count, width), np.nan)
        matrix[at[:, 0], at[:, 1]] = frame[name].cast(float).to_numpy()
        return matrix[np.ix_(rows, columns)]

    of_network = {
        int(k): frame.row(row, named=True) for k, row in zip(*np.unique(at[:, 0], return_index=True), strict=True)
    }
    sizes = frame.select("lr_height", "lr_width").unique().sort("lr_height", "lr_width").rows()
    return Blocks(
        labels=tuple(names[k] for k in rows),
        kinds=tuple(plan["networks"][k]["kind"] or of_network[k]["kind"] or "unknown" for k in rows),
        fields=tuple(of_network[k]["receptive_field"] for k in rows),
        places=tuple(windows[w]["place"] for w in columns),
        jobs=tuple(tuple(jobs[k][w] for k in rows) for w in columns),
        images=tuple(plan["images"][windows[w]["image"]]["name"] for w in columns),
        windows=tuple(tuple(windows[w]["window"]) for w in columns),
        values={measure.key: placed(measure.key) for measure in MEASURES.values() if measure.kind in (float, int)},
        left_out=tuple((names[k], f"{int(present[k].sum())} of {width} windows") for k in np.flatnonzero(~enough)),
        windows_planned=width,
        lr_sizes=tuple((int(h), int(w)) for h, w in sizes),
        conditions=_common_conditions(str(first["conditions"])),
    )


def _common_conditions(text: str) -> str:
    """What all jobs share: without the window, and without the steps that each of them took."""
    start = text.find("×", text.find("left"))  # "window 16×16 at (top 1, left 2), ×4, LR 64×64, …"
    return re.sub(r"\d+ steps \((tolerance [^)]*)\)", r"\1", text[max(start, 0) :])
