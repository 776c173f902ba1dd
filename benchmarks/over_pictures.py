"""A cell of a table of benchmarks: pictures are the sample, windows of one picture are no independent witnesses."""

from collections import defaultdict
from collections.abc import Callable
from typing import Any

import numpy as np
from scipy import stats


def cell(rows: list[dict[str, Any]], of: Callable[[dict[str, Any]], Any], digits: int, interval: bool) -> str:
    """The mean of the pictures' means, with its t interval where asked for; "–" where nothing is known."""
    by_picture = defaultdict(list)
    for row in rows:
        try:
            value = of(row)
        except IndexError:  # fewer layers than stages
            value = None
        if value is not None:
            by_picture[row["picture"]].append(float(value))
    means = [float(np.mean(values)) for values in by_picture.values()]
    if not means:
        return "–"
    text = f"{np.mean(means):.{digits}f}"
    if interval and len(means) > 1:
        low, high = stats.t.interval(0.95, len(means) - 1, loc=np.mean(means), scale=stats.sem(means))
        text += f" [{low:.{digits}f}, {high:.{digits}f}]"
    return text.replace("-", "−")
