"""Statistics against closed forms, other libraries, and what chance gives."""

import math

import numpy as np
import pytest
from scipy import stats

from srlens.study.bootstrap import bootstrap_weights, mean_interval
from srlens.study.statistics import associate, compare_pairs, contrast_groups, correlate_networks, holm, pearson_rows

RNG = np.random.default_rng(3)


def synthetic(networks=9, windows=60, slope=1.0, noise=0.3):
    """Networks whose quality rises with their log DI."""
    level = np.linspace(0, 3, networks)
    index = np.exp(level[:, None] + RNG.normal(0, 0.3, (networks, windows)))
    quality = 20 + slope * level[:, None] + RNG.normal(0, 1, windows) + RNG.normal(0, noise, (networks, windows))
    return index, quality, np.arange(windows) // 4


def test_correlation_is_that_of_the_means():
    index, quality, clusters = synthetic()
    found = correlate_networks(index, quality, clusters, resamples=200)
    x, y = np.log(index.mean(axis=1)), quality.mean(axis=1)
    assert found.pearson.value == pytest.approx(stats.pearsonr(x, y).statistic)
    assert found.spearman.value == pytest.approx(stats.spearmanr(x, y).statistic)
    assert found.pearson.windows.low <= found.pearson.value <= found.pearson.windows.high
    assert (found.networks, found.windows, found.pictures) == (9, 60, 15)


def test_order_p_is_exact_for_few_networks():
    index, quality, clusters = synthetic(networks=5, noise=0.0)
    assert correlate_networks(index, quality, clusters, resamples=50).spearman.p == pytest.approx(1 / math.factorial(5))


def test_bootstrap_is_seeded_and_its_weights_sum_to_one():
    clusters = np.array([0, 0, 1, 2, 2, 2])
    a, b = (bootstrap_weights(6, clusters, 50, seed=4) for _ in range(2))
    assert np.array_equal(a, b)
    assert np.allclose(a.sum(axis=1), 1)
    assert np.array_equal(a[:, 0], a[:, 1])  # windows of one picture go together


def test_bootstrap_interval_of_a_mean_agrees_with_theory():
    values = RNG.normal(5, 2, 400)
    mean, span = mean_interval(values, None)
    half = 1.96 * values.std() / 20
    assert span.low == pytest.approx(mean - half, abs=0.1 * half)
    assert span.high == pytest.approx(mean + half, abs=0.1 * half)


def test_pictures_widen_the_interval_when_their_windows_agree():
    clusters = np.repeat(np.arange(10), 20)
    values = RNG.normal(0, 1, 10)[clusters] + RNG.normal(0, 0.1, 200)
    _, alone = mean_interval(values, None)
    _, together = mean_interval(values, clusters)
    assert together.high - together.low > 3 * (alone.high - alone.low)


def test_holm_by_hand():
    assert holm([0.01, 0.04, 0.03, math.nan]) == pytest.approx([0.03, 0.06, 0.06, math.nan], nan_ok=True)
    assert holm([]) == []


def test_pairs_are_wilcoxon_with_holm():
    index, _, _ = synthetic(networks=3)
    pairs = compare_pairs(index)
    assert [(p.a, p.b) for p in pairs] == [(0, 1), (0, 2), (1, 2)]
    expected = stats.wilcoxon(np.log(index[0]) - np.log(index[1])).pvalue
    assert pairs[0].p == pytest.approx(expected)
    assert pairs[0].p_holm >= pairs[0].p
    assert pairs[0].ratio == pytest.approx(np.exp((np.log(index[0]) - np.log(index[1])).mean()))


def test_equal_networks_do_not_differ():
    index = np.ones((2, 10))
    assert compare_pairs(index)[0].p == 1.0


def test_contrast_of_groups_and_its_smallest_p():
    index, _, clusters = synthetic(networks=8)
    found = contrast_groups(index, np.arange(8) >= 5, clusters, resamples=200)
    assert found.ratio.value > 3
    assert found.ratio.p == pytest.approx(1 / math.comb(8, 3))


def test_association_agrees_with_scipy_and_finds_nothing_in_noise():
    index, _, clusters = synthetic(windows=200)
    overall = np.log(index).mean(axis=0)
    looks = {"same": overall * 2, "noise": RNG.normal(size=200), "flat": np.zeros(200)}
    found = associate(index, looks, clusters, resamples=500)
    assert found["same"].spearman.value == pytest.approx(1)
    assert found["noise"].spearman.value == pytest.approx(stats.spearmanr(overall, looks["noise"]).statistic)
    assert found["noise"].spearman.windows.low < 0 < found["noise"].spearman.windows.high
    assert math.isnan(found["flat"].spearman.value)
    assert found["same"].p_holm == pytest.approx(2 * found["same"].spearman.p)


def test_constant_rows_have_no_correlation():
    assert math.isnan(float(pearson_rows(np.ones(4), np.arange(4.0))))
