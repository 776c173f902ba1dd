"""How far a run is: counts, rate and remaining time."""

import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Report:
    """The state of a run.

    Attributes:
        total: jobs of the study.
        done: jobs with a result, those of earlier runs among them.
        failed: jobs without one.
        rate: jobs a second, in this run; 0 until the first has ended.
        remaining: seconds to go at that rate; None while it is not known.
        final: the run has ended.
    """

    total: int
    done: int
    failed: int
    rate: float
    remaining: float | None
    final: bool = False


@dataclass
class Tracker:
    """Counts what comes back.

    Attributes:
        total: jobs of the study.
        found: results of earlier runs.
        failed: jobs without a result.
        callback: whom to tell.
        computed: results of this run.
        ahead: results that are stored, but not reported back yet.
    """

    total: int
    found: int
    failed: int
    callback: Callable[[Report], None] | None
    computed: int = 0
    ahead: int = 0
    _ends: deque[float] = field(default_factory=lambda: deque(maxlen=200))
    _started: float = field(default_factory=time.monotonic)

    def count(self, *, failed: bool, computed: bool) -> None:
        """One more job has ended."""
        self._ends.append(time.monotonic())
        self.ahead = max(0, self.ahead - 1)
        if failed:
            self.failed += 1
        elif computed:
            self.computed += 1
        else:
            self.found += 1

    def tell(self, *, final: bool = False) -> None:
        """Report the state."""
        if self.callback is None:
            return
        done = min(self.total, self.found + self.computed + self.ahead)
        rate = self._rate()
        left = self.total - done - self.failed
        self.callback(Report(self.total, done, self.failed, rate, left / rate if rate > 0 else None, final))

    def _rate(self) -> float:
        """Jobs a second: over the last 200 that came back, or since the start where batches report at their end."""
        count, since = len(self._ends) + self.ahead, self._started
        if not self.ahead and count >= 2:
            count, since = count - 1, self._ends[0]
        return count / max(time.monotonic() - since, 1e-9)
