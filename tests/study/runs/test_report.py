"""The report of synthetic results: verdicts where the truth is known, and the work that 10,000 jobs take."""

import json
import subprocess
import sys

import numpy as np
import pytest

from srlens.comparison.measures import shown_in
from srlens.comparison.table import typed_frame
from srlens.errors import StudyError
from srlens.study.blocks import arrange
from srlens.study.report.build import build_report
from srlens.study.row import columns
from srlens.study.seal import BLANK, sealing
from srlens.study.store import Failure, Store
from srlens.study.verdicts import judge

LOOKS = [measure.key for measure in shown_in("texture")]
KINDS = ("convolution", "convolution", "convolution", "global pooling", "transformer", "global pooling", "non-local")


def synthetic(folder, *, networks=7, windows=40, effect=1.0, used=0.2, regular=1.0, skip=(), per_picture=4):
    """A folder of results in which the strength of each finding is chosen."""
    rng = np.random.default_rng(11)
    store = Store(folder)
    (folder / "parts").mkdir(parents=True)
    kinds = [KINDS[k * len(KINDS) // networks] for k in range(networks)]
    level = np.linspace(0, 3, networks)
    pictures = -(-windows // per_picture)
    regularity = rng.uniform(0, 1, windows)
    hard = rng.normal(0, 1, windows)
    ids = [[f"{k:04d}{w:06d}" for w in range(windows)] for k in range(networks)]
    rows = []
    for k in range(networks):
        quality = 20 + effect * level[k] + hard + rng.normal(0, 0.2, windows)
        spread = effect * level[k] + regular * regularity + rng.normal(0, 0.2, windows)
        for w in range(windows):
            if (k, w) in skip:
                continue
            looks = {name: float(rng.uniform()) for name in LOOKS} | {LOOKS[0]: float(regularity[w])}
            rows.append(
                {
                    "job": ids[k][w],
                    "place": f"p{w}",
                    "network": f"net{k}",
                    "weights_sha256": f"d{k}",
                    "kind": kinds[k],
                    "receptive_field": f"{11 + 10 * k} LR px",
                    "image": f"picture{w // per_picture}",
                    "lr_height": 64,
                    "lr_width": 64,
                    "diffusion_index": float(np.exp(spread[w])),
                    "effective_pixels": float(10 * np.exp(spread[w])),
                    "area95": 50.0,
                    "receptive_field_used": float(np.clip(rng.normal(used, 0.05), 0, 1)),
                    "radius_mean": 3.0,
                    "psnr_image": float(quality[w]),
                    "psnr_window": float(quality[w] - 5),
                    "ssim_image": 0.8,
                    "reference_psnr_image": 15.0,
                    "reference_psnr_window": 10.0,
                    "map_error": 0.04,
                    "completeness_gap": 0.01,
                    "evaluations": 9,
                    "conditions": "window 16×16 at (top 1, left 2), ×4, LR 64×64, gradient detector, tolerance 0.1",
                    **looks,
                }
            )
    frame = typed_frame(rows, columns())
    for row in range(len(frame)):
        with sealing(store.part(rows[row]["job"])) as part:
            frame[row].write_parquet(part, compression="uncompressed", statistics=False, metadata={"srlens": BLANK})
    store.write_plan(
        {
            "format": "srlens-plan-1",
            "title": "Synthetic <study>",
            "scale": 4,
            "settings": {
                "detector": "gradient",
                "path": {"name": "progressive blur"},
                "rule": "midpoint",
                "parameterisation": "arc length",
                "tolerance": 0.1,
                "steps": None,
            },
            "networks": [{"label": f"net{k}", "name": None, "kind": None} for k in range(networks)],
            "images": [{"name": f"picture{i}", "sha256": "x"} for i in range(pictures)],
            "windows": [
                {"image": w // per_picture, "window": [w, w, 16, 16], "mined_psnr": 12.0, "place": f"p{w}"}
                for w in range(windows)
            ],
            "jobs": ids,
        }
    )
    return store, rows


def verdicts(folder, **truth):
    store, _ = synthetic(folder, **truth)
    plan = store.read_plan()
    frame = store.read_parts([job for row in plan["jobs"] for job in row])
    return [verdict.answer for verdict in judge(arrange(frame, plan)).verdicts]


def test_what_is_there_is_found(tmp_path):
    assert verdicts(tmp_path) == ["supported"] * 4


def test_what_is_not_there_is_not_claimed(tmp_path):
    found = verdicts(tmp_path, effect=-1.0, used=0.8, regular=-1.0)
    assert found[1:] == ["not supported"] * 3
    assert found[0] == "supported"  # both fall together: a correlation has no other way


def test_no_effect_is_not_supported(tmp_path):
    assert "supported" not in verdicts(tmp_path, effect=0.0, used=0.5, regular=0.0, windows=60)


@pytest.mark.parametrize("few", [{"networks": 3}, {"windows": 12}, {"per_picture": 20}])
def test_few_data_decide_nothing(tmp_path, few):
    assert "undecided" in verdicts(tmp_path, **few)[:2]


def test_the_page_is_whole_and_needs_nothing(tmp_path):
    store, _ = synthetic(tmp_path / "r", skip=[(0, 0), (1, 5)])
    store.write_failure(Failure("0000000000", "net0", "picture0", "window", "ImageError", "gone <b>", False))
    built = build_report(tmp_path / "r")
    page = built.page.read_text(encoding="utf-8")
    for text in (
        "Synthetic &lt;study&gt;",
        "0.851",
        "0.880",
        "Supported",
        "gone &lt;b&gt;",
        "38 of 40 windows",
        "Holm",
    ):
        assert text in page, text
    for outside in ('src="http', "<script", "<link", 'src="/'):
        assert outside not in page
    names = {file.name for file in built.files}
    assert {"networks.csv", "pairs.csv", "correlations.csv", "windows.csv", "jobs.csv"} <= names
    assert {"psnr-against-di.pdf", "texture.pdf", "receptive-field-used.pdf", "diffusion-index.pdf"} <= names
    assert len(json.loads((tmp_path / "r" / "report" / "report.json").read_text())["pairs"]) == 21
    assert built.missing == 2


def test_the_report_is_the_same_every_time(tmp_path):
    synthetic(tmp_path / "r")
    one, two = (build_report(tmp_path / "r", tmp_path / name) for name in ("one", "two"))
    assert one.page.read_bytes() == two.page.read_bytes()


def test_a_network_without_results_is_left_out_by_name(tmp_path):
    store, _ = synthetic(tmp_path, skip=[(2, w) for w in range(30)])
    plan = store.read_plan()
    blocks = arrange(store.read_parts([job for row in plan["jobs"] for job in row]), plan)
    assert blocks.left_out == (("net2", "10 of 40 windows"),)
    assert len(blocks.labels) == 6
    assert len(blocks.places) == 40


def test_nothing_to_report_is_an_error(tmp_path):
    with pytest.raises(StudyError, match="holds no study"):
        build_report(tmp_path)
    store, rows = synthetic(tmp_path / "r")
    for row in rows:
        store.part(row["job"]).unlink()
    with pytest.raises(StudyError, match="0 of 280 results"):
        build_report(tmp_path / "r")


def test_damaged_parts_count_as_missing(tmp_path):
    store, rows = synthetic(tmp_path)
    part = store.part(rows[0]["job"])
    part.write_bytes(b"PAR1" + b"\x00" * 40 + b"PAR1")  # whole at first sight
    frame = store.read_parts([row["job"] for row in rows])
    assert len(frame) == len(rows) - 1


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="reads the peak memory from /proc")
def test_ten_thousand_jobs_are_read_once_and_drawn_from_few_times(tmp_path):
    """What the time goes with; benchmarks/report.py measures the time itself."""
    synthetic(tmp_path, networks=10, windows=1000)
    script = f"""
from pathlib import Path
import polars
from srlens.study import bootstrap
from srlens.study.report.build import build_report
scans, scan = [], polars.scan_parquet
polars.scan_parquet = lambda files, **options: scans.append(len(files)) or scan(files, **options)
build_report(Path({str(tmp_path)!r}))
# Not ru_maxrss: a process inherits that of the one that started it, and this test's may be large.
status = Path("/proc/self/status").read_text().splitlines()
print(scans, bootstrap._weights.cache_info().misses)
print(next(line for line in status if line.startswith("VmHWM")).split()[1])
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    work, kibibytes = done.stdout.splitlines()[-2:]
    assert work == "[10000] 2"  # one reading of all parts, one bootstrap of windows and one of pictures
    assert int(kibibytes) < 2 * 1024 * 1024
    assert (tmp_path / "report" / "report.html").exists()
