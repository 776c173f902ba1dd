"""Statistics against closed forms, other libraries, and what chance gives."""

import math

import numpy as np
import pytest
from scipy import stats

from srlens.study.blocks import modelled
from srlens.study.statistics import (
    associate,
    compare_pairs,
    contrast_groups,
    correlate_networks,
    least_order_p,
    majority_p,
    merged,
    pearson,
)
from srlens.study.uncertainty import Estimate, holm, mean_interval, over_pictures

RNG = np.random.default_rng(3)


def synthetic(networks=9, windows=60, slope=1.0, noise=0.3):
    """Networks whose quality rises with their log DI."""
    level = np.linspace(0, 3, networks)
    index = np.exp(level[:, None] + RNG.normal(0, 0.3, (networks, windows)))
    quality = 20 + slope * level[:, None] + RNG.normal(0, 1, windows) + RNG.normal(0, noise, (networks, windows))
    return index, quality, np.arange(windows) // 4


def test_correlation_is_that_of_the_means():
    index, quality, clusters = synthetic()
    found = correlate_networks(index, quality, clusters)
    x, y = np.log(index.mean(axis=1)), quality.mean(axis=1)
    assert found.pearson.value == pytest.approx(stats.pearsonr(x, y).statistic)
    assert found.spearman.value == pytest.approx(stats.spearmanr(x, y).statistic)
    assert found.pearson.low <= found.pearson.value <= found.pearson.high
    assert found.networks == 9


def test_order_p_is_exact_for_few_networks():
    index, quality, clusters = synthetic(networks=5, noise=0.0)
    found = correlate_networks(index, quality, clusters)
    assert found.spearman.p == pytest.approx(1 / math.factorial(5)) == pytest.approx(least_order_p(5))


def test_networks_are_the_sample_of_a_correlation():
    """More windows do not make nine networks more: the interval stays Fisher's, where pictures change nothing."""
    level, quality = np.linspace(0, 3, 9), RNG.normal(0, 1, 9)
    for windows in (16, 1600):
        index = np.tile(np.exp(level)[:, None], windows)
        found = correlate_networks(index, np.tile(quality[:, None], windows), np.arange(windows) % 8)
        expected = stats.pearsonr(level, quality).confidence_interval()
        assert (found.pearson.low, found.pearson.high) == pytest.approx(tuple(expected))
        assert found.spearman.high - found.spearman.low > 0.8


def test_pictures_that_turn_the_correlation_widen_its_interval():
    level, clusters = np.linspace(0, 3, 9), np.repeat(np.arange(8), 2)
    slopes = RNG.normal(0.3, 3, 8)[clusters]
    steady = level[:, None] * 0.3 + RNG.normal(0, 0.5, (9, 1)) + np.zeros(16)
    turning = steady + level[:, None] * (slopes - slopes.mean())  # the same means
    index = np.tile(np.exp(level)[:, None], 16)
    one, other = (correlate_networks(index, quality, clusters).pearson for quality in (steady, turning))
    assert other.value == pytest.approx(one.value)
    assert other.high - other.low > 1.2 * (one.high - one.low)


def test_what_one_network_does_at_one_picture_is_not_counted_twice():
    """Noise of single networks at single pictures is in the spread of networks already."""
    index, quality, clusters = synthetic(noise=1.0)
    found = correlate_networks(index, quality, clusters).pearson
    expected = stats.pearsonr(np.log(index.mean(axis=1)), quality.mean(axis=1)).confidence_interval()
    assert (found.low, found.high) == pytest.approx(tuple(expected), abs=0.03)


def test_partial_correlation_by_hand_and_one_network_left_out():
    index, quality, clusters = synthetic(noise=2.0)
    sizes = np.linspace(0, 3, 9) + RNG.normal(0, 1, 9)
    found = correlate_networks(index, quality, clusters, sizes)
    x, y = np.log(index.mean(axis=1)), quality.mean(axis=1)
    xy, xs, ys = (stats.pearsonr(*pair).statistic for pair in ((x, y), (x, sizes), (y, sizes)))
    assert found.partial is not None
    assert found.partial.value == pytest.approx((xy - xs * ys) / math.sqrt((1 - xs**2) * (1 - ys**2)))
    without = [stats.pearsonr(np.delete(x, k), np.delete(y, k)).statistic for k in range(9)]
    assert found.leave_one_out == pytest.approx((min(without), max(without)))
    assert correlate_networks(index, quality, clusters).partial is None
    assert (
        correlate_networks(index, np.full_like(quality, 0.8), clusters, sizes).partial is None
    )  # not that of rounding


def test_few_networks_and_few_pictures_have_no_interval():
    index, quality, clusters = synthetic()
    for found in (
        correlate_networks(index[:3], quality[:3], clusters).pearson,
        correlate_networks(index, quality, clusters // 3).spearman,  # five pictures
        contrast_groups(index, np.arange(9) >= 8, clusters).ratio,
        mean_interval(index[0], clusters // 3),
        associate(index, {"look": index[0]}, clusters // 3)["look"].spearman,
    ):
        assert math.isfinite(found.value)
        assert math.isnan(found.p)
        assert math.isnan(found.low)
        assert "(no interval)" in f"{found:3}"
    assert math.isnan(compare_pairs(index, clusters // 3)[0].p)


def test_jackknife_of_a_mean_is_the_variance_of_the_mean_of_pictures():
    clusters = np.repeat(np.arange(10), 20)
    values = RNG.normal(0, 1, 10)[clusters] + RNG.normal(0, 0.1, 200)
    means = values.reshape(10, 20).mean(axis=1)
    assert over_pictures(lambda kept: values[kept].mean(), clusters) == pytest.approx(means.var(ddof=1) / 10)
    found = mean_interval(values, clusters)
    assert (found.low, found.high) == pytest.approx(tuple(stats.ttest_1samp(means, 0).confidence_interval()))


def test_interval_of_a_positive_mean_is_positive():
    values = np.exp(RNG.normal(0, 2, 40))
    found = mean_interval(values, np.arange(40) // 5)
    assert found.value == pytest.approx(values.mean())
    assert 0 < found.low < found.value < found.high


def test_holm_by_hand():
    assert holm([0.01, 0.04, 0.03, math.nan]) == pytest.approx([0.03, 0.06, 0.06, math.nan], nan_ok=True)
    assert holm([]) == []


def test_pairs_are_student_over_pictures_with_holm():
    index, _, clusters = synthetic(networks=3)
    pairs = compare_pairs(index, clusters)
    assert [(p.a, p.b) for p in pairs] == [(0, 1), (0, 2), (1, 2)]
    means = (np.log(index[0]) - np.log(index[1])).reshape(15, 4).mean(axis=1)
    assert pairs[0].p == pytest.approx(stats.ttest_1samp(means, 0).pvalue)
    assert pairs[0].p_holm >= pairs[0].p
    assert pairs[0].ratio == pytest.approx(np.exp(means.mean()))


def test_pairs_take_the_windows_that_both_have():
    index, _, clusters = synthetic(networks=3)
    holes = index.copy()
    holes[0, :4], holes[1, 4:6] = np.nan, np.nan
    pair = compare_pairs(holes, clusters)[0]
    assert pair.p == pytest.approx(compare_pairs(index[:, 6:], clusters[6:])[0].p, rel=0.5)
    assert pair.share == (index[0, 6:] > index[1, 6:]).mean()


def test_equal_networks_do_not_differ():
    index = np.ones((2, 10))
    assert compare_pairs(index, np.arange(10))[0].p == 1.0


def test_windows_of_one_picture_are_no_independent_witnesses():
    """Two networks that differ at random from picture to picture: p is uniform, whatever the number of windows."""
    random, clusters = np.random.default_rng(5), np.repeat(np.arange(10), 20)
    found = [compare_pairs(np.exp(random.normal(size=(2, 10))[:, clusters]), clusters)[0].p for _ in range(400)]
    assert np.mean(np.array(found) < 0.05) < 0.05 + 3 * math.sqrt(0.05 * 0.95 / 400)


def test_contrast_of_groups_and_its_smallest_p():
    index, _, clusters = synthetic(networks=8)
    found = contrast_groups(index, np.arange(8) >= 5, clusters)
    assert found.ratio.value > 3
    assert found.least_p == pytest.approx(1 / math.comb(8, 3))
    assert found.ratio.p == pytest.approx(found.least_p)
    assert contrast_groups(index, np.arange(8) >= 7, clusters).least_p == 1  # one network has no spread


def test_contrast_is_welch_where_pictures_change_nothing():
    logs, wide = RNG.normal(0, 1, 9), np.arange(9) >= 4
    index = np.exp(np.tile(logs[:, None], 24))
    found = contrast_groups(index, wide, np.arange(24) // 3).ratio
    welch = stats.ttest_ind(logs[wide], logs[~wide], equal_var=False).confidence_interval()
    assert (found.low, found.high) == pytest.approx((math.exp(welch.low), math.exp(welch.high)))


def test_interval_of_a_perfect_order_is_not_a_point():
    """Five networks in order may be in order by chance: Fisher's z of 1 is infinite, and says nothing."""
    index, quality, clusters = synthetic(networks=5, noise=0.0)
    found = correlate_networks(index, quality, clusters).spearman
    assert found.value == found.high == 1
    assert 0 < found.low < 0.3


def test_twins_are_no_trouble():
    """Networks that are alike to the last bit have no spread; nothing is divided by it."""
    index = np.exp(np.tile([[0.0], [0.0], [1.0], [1.0]], 16))
    found = contrast_groups(index, np.arange(4) >= 2, np.arange(16) // 2)
    assert found.ratio.low == pytest.approx(math.e) == found.ratio.high
    assert found.ratio.p == pytest.approx(1 / 6)


def test_majority_is_the_sign_test():
    assert majority_p(8, 9) == pytest.approx(10 / 2**9)
    assert majority_p(5, 5) == pytest.approx(1 / 2**5)


def test_families_are_counted_once():
    values, names = merged(np.array([[1.0, 3.0], [5.0, 7.0], [3.0, 5.0]]), ["a", "b", "a"])
    assert names == ["a", "b"]
    assert values == pytest.approx(np.array([[2.0, 4.0], [5.0, 7.0]]))


@pytest.mark.parametrize("factors", [False, True])
def test_missing_results_stand_in_by_their_network_and_window(factors):
    """A network that failed at hard windows gains nothing by it."""
    rows, columns = RNG.uniform(1, 5, (6, 1)), RNG.uniform(1, 9, 30)
    truth = rows * columns if factors else rows + columns
    missing = RNG.uniform(size=truth.shape) < 0.2
    assert modelled(np.where(missing, np.nan, truth), missing, factors=factors) == pytest.approx(truth, rel=1e-6)


def test_what_nothing_is_known_of_stays_unknown():
    values = np.ones((3, 4))
    values[1] = np.nan
    found = modelled(values, np.isnan(values), factors=True)
    assert np.isnan(found[1]).all()
    assert (found[[0, 2]] == 1).all()


def test_association_agrees_with_scipy_and_finds_nothing_in_noise():
    index, _, clusters = synthetic(windows=200)
    overall = np.log(index).mean(axis=0)
    looks = {"same": overall * 2, "noise": RNG.normal(size=200), "flat": np.zeros(200)}
    found = associate(index, looks, clusters)
    assert found["same"].spearman.value == pytest.approx(1)
    assert found["noise"].spearman.value == pytest.approx(stats.spearmanr(overall, looks["noise"]).statistic)
    assert found["noise"].spearman.low < 0 < found["noise"].spearman.high
    assert math.isnan(found["flat"].spearman.value)
    assert found["same"].p_holm == pytest.approx(2 * found["same"].spearman.p)


def test_constant_rows_have_no_correlation():
    assert math.isnan(float(pearson(np.ones(4), np.arange(4.0))))


def test_an_estimate_as_text():
    assert f"{Estimate(0.5, -0.1, 0.8, 0.0004):2 dB}" == "0.50 dB [-0.10, 0.80], p < 0.001"
