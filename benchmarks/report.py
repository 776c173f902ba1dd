"""Time and memory of the report of 10,000 synthetic jobs: ``python benchmarks/report.py``."""

import resource
import sys
import tempfile
import time
from pathlib import Path

from srlens.study.report.build import build_report

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests" / "study" / "runs"))
from test_report import synthetic

if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as name:
        synthetic(Path(name), networks=10, windows=1000)
        before, started = time.process_time(), time.perf_counter()
        build_report(Path(name))
        wall, processor = time.perf_counter() - started, time.process_time() - before
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    print(f"{wall:.1f} s, {processor:.1f} s of processor, at most {peak:.2f} GiB")
