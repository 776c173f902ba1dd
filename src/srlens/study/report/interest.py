"""The area of interest at the windows of a study: how many networks use a pixel, and how far they agree in pairs."""

from dataclasses import dataclass

import numpy as np

from srlens.comparison.interest import AREA
from srlens.measures.agreement import consensus
from srlens.measures.concentration import absolute_map
from srlens.measures.extent import mass_membership
from srlens.records.archive import load
from srlens.study.blocks import Array, Blocks
from srlens.study.store import Kept


@dataclass(frozen=True, eq=False)
class Interest:
    """Agreement of the networks' areas, the smallest that hold 90 % of each map's mass.

    Attributes:
        users: by the number of a window: h×w, the share of the networks whose area holds each LR pixel, in [0, 1].
        shared: W, the share of the mass that all networks place alike; NaN at windows of which a map is not there.
        most: W, LR pixels that are in the areas of more than half of the networks; NaN likewise.
        overlap: K×K, intersection over union of the areas of two networks, mean over windows; NaN where no map is.
    """

    users: dict[int, Array]
    shared: Array
    most: Array
    overlap: Array


def areas_of_interest(blocks: Blocks, kept: Kept) -> Interest:
    """Compare the networks' maps at every window at which all of them are kept."""
    count, width = blocks.index.shape
    users: dict[int, Array] = {}
    shared, most, overlaps = np.full(width, np.nan), np.full(width, np.nan), []
    for w in np.flatnonzero(blocks.present.all(axis=0)).tolist():
        files = [kept.store.map(job) for job in blocks.jobs[w]]
        if not all(map(kept.whole, files)):
            continue
        masses = [absolute_map(load(file).map) for file in files]
        areas = np.stack([mass_membership(mass, AREA) for mass in masses])
        users[w] = areas.mean(axis=0)
        shared[w], most[w] = consensus(masses).sum(), (users[w] > 0.5).sum()
        flat = areas.reshape(count, -1)
        overlaps.append([np.minimum(flat, one).sum(axis=1) / np.maximum(flat, one).sum(axis=1) for one in flat])
    overlap = np.mean(overlaps, axis=0) if overlaps else np.full((count, count), np.nan)
    return Interest(users, shared, most, overlap)
