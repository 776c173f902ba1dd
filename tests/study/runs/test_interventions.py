"""The findings by intervention, where the truth is known; and a study that measures the reach."""

import numpy as np
import polars
import pytest

from srlens.study.blocks import INDEX, Blocks
from srlens.study.interventions import ask, rows
from srlens.study.plan import make_plan
from srlens.study.report.build import build_report
from srlens.study.run import run_study

KINDS = ("convolution",) * 5 + ("non-local", "transformer", "global pooling", "transformer", "non-local")
WINDOWS, PICTURES = 40, 10


def blocks(reach: np.ndarray, index: np.ndarray, quality: np.ndarray) -> Blocks:
    """Networks at windows, four of a picture, in a receptive field of 60 LR pixels to each side."""
    count = len(reach)
    values = {
        INDEX: index,
        "causal_reach": reach,
        "causal_reach_field": np.full(reach.shape, 60.0),
        "psnr_image": quality,
        "psnr_window": quality - 3,
        **{key: np.zeros(reach.shape) for key in ("lr_top", "lr_left")},
        **{key: np.full(reach.shape, 64.0) for key in ("lr_height", "lr_width")},
    }
    values["lr_top"] = np.tile(np.arange(WINDOWS, dtype=float), (count, 1))  # every window a crop of its own
    labels = tuple(f"network {k}" for k in range(count))
    return Blocks(
        labels=labels,
        kinds=KINDS[:count],
        families=labels,
        fields=("global",) * count,
        places=tuple(map(str, range(WINDOWS))),
        jobs=tuple(labels for _ in range(WINDOWS)),
        images=tuple(f"picture {w // (WINDOWS // PICTURES)}" for w in range(WINDOWS)),
        windows=((0, 0, 16, 16),) * WINDOWS,
        values=values,
        present=np.ones(reach.shape, dtype=bool),
        left_out=(),
        windows_planned=WINDOWS,
        lr_sizes=((64, 64),),
        conditions="",
        random=np.full(reach.shape, np.nan),
    )


def simulated(*, wide: float, effect: float, seed: int = 0) -> Blocks:
    """Ten networks: the reach of the wide ones ``wide`` times that of the others, PSNR following its logarithm."""
    rng = np.random.default_rng(seed)
    level = np.where(np.array(KINDS) == "convolution", 4, 4 * wide) * np.exp(rng.normal(0, 0.2, 10))
    hard = rng.normal(0, 0.2, WINDOWS)
    reach = np.round(level[:, None] * np.exp(hard + rng.normal(0, 0.1, (10, WINDOWS))))
    quality = 25 + effect * np.log(level)[:, None] + rng.normal(0, 0.3, (10, 1)) + rng.normal(0, 0.5, WINDOWS)
    return blocks(reach, np.exp(hard) * level[:, None] ** 0.5, quality)


def test_what_is_there_is_found() -> None:
    found = {one.key: one for one in ask(simulated(wide=4, effect=2))}
    expected = {"quality-pearson", "quality-spearman", "kinds", "field", "index-networks", "index-windows"}
    assert found.keys() == expected
    assert {key: one.answer for key, one in found.items()} == dict.fromkeys(expected, "supported")
    ratio = found["kinds"].estimate
    assert ratio.low < 4 * 0.9 < ratio.high  # of reach + 1: (16 + 1) / (4 + 1) and rounding make it less than 4
    assert all(one.p_holm >= one.estimate.p for one in found.values())
    assert (found["kinds"].finding, found["index-windows"].finding) == (2, None)
    assert "wide networks (n = 5) over that of convolutions only (n = 5)" in found["kinds"].statistic
    assert found["kinds"].sample == "10 networks, 40 windows, 10 pictures"


def test_what_is_not_there_is_not_found() -> None:
    answers = [{one.key: one.answer for one in ask(simulated(wide=1, effect=0, seed=s))} for s in range(10)]
    for key in ("quality-pearson", "quality-spearman", "kinds"):
        assert sum(one[key] == "supported" for one in answers) <= 2  # of ten, each with a chance of 5 %
    far = simulated(wide=4, effect=0)
    far.values["causal_reach"] = np.full_like(far.index, 50.0) + np.arange(10)[:, None]
    assert {one.key: one.answer for one in ask(far)}["field"] == "not supported"


def test_without_a_reach_nothing_is_asked() -> None:
    given = simulated(wide=4, effect=2)
    given.values["causal_reach"] = np.full_like(given.index, np.nan)
    assert ask(given) == ()
    del given.values["causal_reach"]
    assert ask(given) == ()


def test_too_few_networks_decide_nothing() -> None:
    whole = simulated(wide=4, effect=2)
    few = blocks(*(whole.values[key][3:6] for key in ("causal_reach", INDEX, "psnr_image")))
    assert {one.answer for one in ask(few)} == {"cannot be decided"}
    assert all(one.estimate.value == row["value"] for one, row in zip(ask(few), rows(ask(few)), strict=True))


@pytest.mark.parametrize("switch", [True, False, None])
def test_a_study_measures_the_reach_where_it_is_asked_to(make_study, here, switch) -> None:
    study = make_study(verification={} if switch is None else {"reach": switch})
    summary = run_study(study, executor=here)
    assert not summary.failures
    frame = polars.read_parquet(study.folder / "parts" / "*.parquet")
    # Two gradients cost less than a reach, so that it is not measured unless asked for.
    assert frame["causal_reach"].null_count() == (0 if switch else len(frame))
    if switch:
        assert (frame["causal_reach_field"] <= 20).all()
        assert set(frame["causal_reach_threshold"]) == {40.0}
    assert len({job.id for job in make_plan(study).jobs}) == 6
    if switch is not None:
        page = build_report(study.folder).page.read_text(encoding="utf-8")
        assert ("By intervention" in page) == switch


def test_gains_over_other_orders_are_paired_by_network_and_window() -> None:
    rng = np.random.default_rng(3)
    given = simulated(wide=1, effect=0)
    noise = rng.normal(0, 0.02, (3, 10, WINDOWS))
    given.values.update(gain_over_distance=0.1 + noise[0], gain_over_gradient=noise[1] - noise[1].mean())
    given.values["gain_over_ig_black"] = noise[2] - 0.1
    found = {one.key: one for one in ask(given)}
    answers = {order: found[f"faithful-{order}"].answer for order in ("distance", "gradient", "ig_black")}
    assert answers == {"distance": "supported", "gradient": "undecided", "ig_black": "not supported"}
    estimate = found["faithful-distance"].estimate
    assert estimate.value == pytest.approx(given.values["gain_over_distance"].mean())
    # The standard error of the mean of 10 × 40 values of spread 0.02, once over networks and once over pictures.
    assert estimate.high - estimate.low == pytest.approx(2 * 2 * 0.02 / 20 * 2**0.5, rel=0.5)
    assert "above 0 at 100%" in found["faithful-distance"].statistic


def test_a_study_tests_its_maps_where_it_is_asked_to(make_study, here) -> None:
    study = make_study(verification={"reach": False, "faithfulness": True}, networks=[{"open": "a.pth"}])
    assert not run_study(study, executor=here).failures
    frame = polars.read_parquet(study.folder / "parts" / "*.parquet")
    assert frame.select("gain_over_distance", "gain_over_gradient", "gain_over_ig_black").null_count().row(0) == (
        0,
        0,
        0,
    )
    # FSRCNN is near linear, so that sums of its map go with the effects.
    assert (frame["infidelity_correlation"] > 0.5).all()
    assert frame["causal_reach"].null_count() == len(frame)
    assert "more faithful than the plain gradient" in build_report(study.folder).page.read_text(encoding="utf-8")


def test_the_switch_is_part_of_what_a_job_is(make_study) -> None:
    ids = [make_plan(make_study(verification={"reach": reach})).jobs[0].id for reach in (True, False)]
    assert ids[0] != ids[1]
    assert ids[0] == make_plan(make_study(verification={"reach": True})).jobs[0].id
