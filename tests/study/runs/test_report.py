"""The report of synthetic results: verdicts where the truth is known, and the work that 10,000 jobs take."""

import json
import subprocess
import sys

import numpy as np
import pytest

from srlens.comparison.measures import shown_in
from srlens.comparison.table import typed_frame
from srlens.errors import StudyError
from srlens.measures.extent import gaussian_area
from srlens.study.blocks import arrange
from srlens.study.report.build import build_report
from srlens.study.report.interest import areas_of_interest
from srlens.study.report.pictures import gallery_figures
from srlens.study.report.tables import correlation_rows, window_rows
from srlens.study.row import columns
from srlens.study.seal import BLANK, sealing
from srlens.study.store import Failure, Kept, Store
from srlens.study.uncertainty import holm
from srlens.study.verdicts import judge

LOOKS = [measure.key for measure in shown_in("texture")]
KINDS = ("convolution", "convolution", "convolution", "global pooling", "transformer", "global pooling", "non-local")


def synthetic(
    folder,
    *,
    networks=7,
    windows=40,
    effect=1.0,
    used=0.2,
    regular=1.0,
    skip=(),
    unconverged=(),
    per_picture=4,
    reach=17.0,
):
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
                    "family": f"family{k // 2}",
                    "parameters": 10_000 * (k + 1) ** (3 if k % 2 else 1),
                    "kind": kinds[k],
                    "receptive_field": f"{11 + 10 * k} LR px",
                    "image": f"picture{w // per_picture}",
                    "lr_height": 64,
                    "lr_width": 64,
                    "diffusion_index": float(np.exp(spread[w])),
                    "effective_pixels": float(10 * np.exp(spread[w])),
                    "area95": 50.0,
                    "receptive_field_used": float(np.clip(rng.normal(used, 0.05), 0.001, 1)),
                    "receptive_field_side": reach,
                    "receptive_field_pixels": 400 if reach is not None else 4096,
                    "height": 16,
                    "width": 16,
                    "scale": 4,
                    "radius_mean": 3.0,
                    "psnr_image": float(quality[w]),
                    "psnr_window": float(quality[w] - 5),
                    "ssim_image": 0.8,
                    "reference_psnr_image": 15.0,
                    "reference_psnr_window": 10.0,
                    "map_error": 0.04,
                    "converged": (k, w) not in unconverged,
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
            "images": [{"name": f"picture{i}", "digest": "x"} for i in range(pictures)],
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


@pytest.mark.parametrize("few", [{"networks": 3}, {"windows": 12}, {"per_picture": 20}, {"per_picture": 6}])
def test_few_data_decide_nothing(tmp_path, few):
    assert verdicts(tmp_path, **few)[:3] == ["cannot be decided"] * 3


def findings_of(folder, **truth):
    store, _ = synthetic(folder, **truth)
    plan = store.read_plan()
    return judge(arrange(store.read_parts([job for row in plan["jobs"] for job in row]), plan))


def test_what_so_few_networks_cannot_show_is_said(tmp_path):
    """Two networks against three: one deal in ten puts them apart as far."""
    first, second, third, _ = findings_of(tmp_path, networks=5).verdicts
    assert (first.answer, second.answer, third.answer) == ("supported", "cannot be decided", "supported")
    assert "The least possible p is 0.0083." in first.evidence
    assert "The least possible p is 0.1. Cannot be decided with n = 2 networks against 3." in second.evidence
    assert "The least possible p is 0.031." in third.evidence
    fewer = findings_of(tmp_path / "fewer", networks=3, windows=24, per_picture=6).verdicts
    assert "Cannot be decided with n = 3 networks, 4 pictures." in fewer[0].evidence
    assert not any("nan" in verdict.evidence for verdict in fewer)


def test_crop_and_window_must_agree(tmp_path):
    store, _ = synthetic(tmp_path)
    plan = store.read_plan()
    blocks = arrange(store.read_parts([job for row in plan["jobs"] for job in row]), plan)
    blocks.values["psnr_window"] = 30 - blocks.values["psnr_window"]
    first = judge(blocks).verdicts[0]
    assert first.answer == "undecided"
    assert first.p > 0.9  # the largest of four


def test_a_gaussian_field_is_the_measure_of_the_receptive_field_used(tmp_path):
    """What depth alone gives is no finding: eight random convolutions use under a third of what they see."""
    small, middle, large = (findings_of(tmp_path / str(used), used=used, windows=32) for used in (0.2, 0.45, 0.8))
    assert [found.verdicts[2].answer for found in (small, middle, large)] == ["supported", "undecided", "not supported"]
    use = small.used["net0"]
    variance = 16 / 3 + 4**2 / 12  # of eight convolutions, and of the window's 4 LR pixels
    assert use.reference == pytest.approx(-2 * np.pi * variance * np.log(0.05) / 400, rel=0.02)
    assert use.ratio.value == pytest.approx(use.share.value / use.reference, rel=0.1)
    whole = findings_of(tmp_path / "global", used=0.05, windows=32, reach=None).used["net0"]
    assert whole.reference == pytest.approx(gaussian_area(64, 4096, 4) / 4096)


def test_qualities_are_told_in_the_same_direction_and_holm_counts_all_rows(tmp_path):
    store, _ = synthetic(tmp_path)
    plan = store.read_plan()
    blocks = arrange(store.read_parts([job for row in plan["jobs"] for job in row]), plan)
    blocks.values["lpips"] = 1 - blocks.values["psnr_image"] / 40
    blocks.values["ssim_image"] = blocks.values["psnr_image"] / 40
    rows = correlation_rows(judge(blocks), blocks.scale)
    assert len(rows) == 12  # PSNR of crops and windows, SSIM, LPIPS; Pearson, Spearman, given the parameters
    assert all(row["value"] > 0.9 for row in rows if row["correlation"] == "pearson")
    assert [row["paper"] for row in rows if row["quality"].startswith("LPIPS")] == [0.819, 0.901, None]
    assert all(row["p_holm"] > row["p"] for row in rows[:1])


def test_families_are_told_beside_networks(tmp_path):
    first, second, *_ = findings_of(tmp_path, networks=9).verdicts
    assert "With each of the 5 families counted as one: Pearson 0.99" in first.evidence
    assert "With each family counted as one (3 against 2)" in second.evidence


def test_luck_of_any_finding_is_told_after_holm(tmp_path):
    verdicts = findings_of(tmp_path).verdicts
    assert [v.p_holm for v in verdicts] == holm([v.p for v in verdicts])
    page = build_report(tmp_path).page.read_text(encoding="utf-8")
    assert "one or more of the four in at most 20 %" in page


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
        "40 of 40 windows",
        "2 missing results are put in by a model",
        "Given the logarithm of the parameters",
        "with one network left out",
        "The least possible p is",
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


def test_galleries_hold_the_first_and_the_last_ranks(tmp_path):
    """Of three pictures each has windows in the upper half, which a gallery of the least noticed must not show."""
    store, _ = synthetic(tmp_path, windows=24, per_picture=8)
    plan = store.read_plan()
    blocks = arrange(store.read_parts([job for row in plan["jobs"] for job in row]), plan)
    kept = Kept(store, frozenset())
    interest = areas_of_interest(blocks, kept)
    figures = gallery_figures(window_rows(blocks, interest), blocks, interest, kept, 4)
    assert set(figures) == {"most-noticed", "least-noticed"}  # without maps there is no area of interest
    for name, ranks, title in (("most", range(1, 9), "ranks 1 to 8"), ("least", range(24, 16, -1), "ranks 17 to 24")):
        words = [text.get_text() for text in figures[f"{name}-noticed"].texts]
        assert [int(word[1:].split()[0]) for word in words if word.startswith("#")] == list(ranks)
        assert f"{name.capitalize()} noticed windows: {title} of 24" in words


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="reads the peak memory from /proc")
def test_ten_thousand_jobs_are_read_once(tmp_path):
    """What the time goes with; benchmarks/report.py measures the time itself."""
    synthetic(tmp_path, networks=10, windows=1000)
    script = f"""
from pathlib import Path
import polars
from srlens.measures.extent import gaussian_area
from srlens.study.report.build import build_report
from srlens.study.report.tables import correlation_rows
scans, scan = [], polars.scan_parquet
polars.scan_parquet = lambda files, **options: scans.append(len(files)) or scan(files, **options)
build_report(Path({str(tmp_path)!r}))
# Not ru_maxrss: a process inherits that of the one that started it, and this test's may be large.
status = Path("/proc/self/status").read_text().splitlines()
print(scans)
print(next(line for line in status if line.startswith("VmHWM")).split()[1])
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    work, kibibytes = done.stdout.splitlines()[-2:]
    assert work == "[10000]"  # one reading of all parts
    assert int(kibibytes) < 2 * 1024 * 1024
    assert (tmp_path / "report" / "report.html").exists()


def test_a_map_that_did_not_converge_counts_as_missing_and_is_named(tmp_path):
    store, _ = synthetic(tmp_path / "r", unconverged=[(0, 3), (1, 5)])
    built = build_report(tmp_path / "r")
    assert (~built.blocks.present).sum() == 2
    assert not built.blocks.present[0, 3]
    plan = store.read_plan()
    stored = store.read_parts([job for row in plan["jobs"] for job in row])
    told = stored.filter(~stored["converged"]).row(0, named=True)
    assert built.blocks.index[0, 3] != told["diffusion_index"]
    assert built.blocks.values["psnr_window"][0, 3] == pytest.approx(
        told["psnr_window"]
    )  # the picture is as good as any
    notice = next(words for words in built.notices if "did not reach their tolerance" in words)
    assert notice.startswith("2 maps")
    assert "net0 at p3, net1 at p5" in notice
