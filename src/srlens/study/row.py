"""One row of a study's results: every measure, and what names the job."""

import json
from typing import Any

import torch

from srlens._version import __version__
from srlens.comparison.explained import Explained
from srlens.comparison.measures import JOB_KEYS, MEASURES, measured
from srlens.study.job import Job


def columns() -> dict[str, type]:
    """The columns of a study's results, with their types."""
    own = {key: int if key == "threads" else str for key in sorted(JOB_KEYS)}
    return {**own, **{key: measure.kind for key, measure in MEASURES.items()}}


def job_row(job: Job, explained: Explained, *, threads: int) -> dict[str, Any]:
    """Everything that is known of a finished job, flat."""
    return {
        "job": job.id,
        "place": job.place_id,
        "threads": threads,
        "settings": json.dumps(explained.result.method.to_record(), sort_keys=True),
        "srlens": __version__,
        "torch": torch.__version__,
        **measured(explained),
    }
