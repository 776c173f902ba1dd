"""The picture of an area of interest: what is shown, on which scales, with which numbers."""

from dataclasses import replace

import numpy as np
import pytest

from srlens.errors import SettingError
from srlens.figures.interest import Shared, interest_figure
from srlens.measures import agreement


@pytest.fixture
def make_shared():
    def make(results):
        maps = [result.map for result in results]
        pairs = range(len(maps))
        return Shared(
            agreement.consensus(maps),
            agreement.difference(maps[-1], maps[0]),
            results[-1].network,
            results[0].network,
            "PSNR of the window",
            np.array([[agreement.rank_correlation(maps[i], maps[j]) for j in pairs] for i in pairs]),
            np.array([[agreement.overlap(maps[i], maps[j]) for j in pairs] for i in pairs]),
        )

    return make


def panel(figure, label):
    (axes,) = [axes for axes in figure.axes if axes.get_label() == label]
    return axes


@pytest.mark.parametrize(
    ("count", "size"), [(2, (40, 40)), (3, (24, 96)), (8, (40, 40)), (8, (96, 24)), (14, (40, 40))]
)
def test_panels_bars_and_text_stand_apart(make_result, make_images, make_shared, faults, count, size):
    results = [make_result(f"network-of-a-long-name-{i}", size, reach=1 + i, seed=i) for i in range(count)]
    figure = interest_figure(results, make_images(size)[0], make_shared(results))
    cells = {f"{value:.2f}" for value in np.linspace(-1, 1, 201)}
    # The numbers stand on the cells of the matrix on purpose.
    matrix = "'agreement'"
    found = [fault for fault in faults(figure) if not (matrix in fault and any(f"'{cell}'" in fault for cell in cells))]
    found = [fault for fault in found if not (matrix in fault and "'−" in fault)]
    assert found == []
    assert figure.get_figwidth() * 2.54 == pytest.approx(17)


def test_maps_and_scales(make_result, make_images, make_shared):
    results = [make_result(name, reach=reach, seed=3) for name, reach in (("near", 1.0), ("far", 5.0))]
    shared = make_shared(results)
    figure = interest_figure(results, make_images()[0], shared)
    consensus = panel(figure, "consensus").images[-1]
    assert np.allclose(consensus.get_array(), 100 * shared.consensus)
    assert consensus.norm.vmin == 0
    difference = panel(figure, "difference").images[-1]
    assert np.allclose(difference.get_array(), 100 * shared.difference)
    assert difference.norm.vmin == -difference.norm.vmax
    assert difference.norm.vmax == pytest.approx(100 * np.abs(shared.difference).max())
    assert float(difference.norm(0)) == pytest.approx(0.5)


def test_the_matrix_holds_both_measures(make_result, make_images, make_shared, all_words):
    results = [make_result(name, reach=1 + 2 * k, seed=k) for k, name in enumerate("abc")]
    shared = make_shared(results)
    figure = interest_figure(results, make_images()[0], shared)
    shown = panel(figure, "agreement").images[0].get_array()
    assert shown.mask.tolist() == np.eye(3, dtype=bool).tolist()
    assert shown[2, 0] == shared.rank_correlation[2, 0]
    assert shown[0, 2] == shared.overlap[0, 2]
    words = all_words(figure)
    assert f"{shared.overlap[0, 2]:.2f}" in words
    for part in (
        "c − a",
        "PSNR of the window",
        "LR 40×40",
        "SHA-256",
        f"{100 * shared.consensus.sum():.0f} % of the mass",
    ):
        assert part in words


def test_disjoint_maps_can_be_drawn(make_result, make_images, make_shared):
    a, b = make_result("a"), make_result("b")
    left, right = np.zeros((3, 40, 40)), np.zeros((3, 40, 40))
    left[:, :, 3], right[:, :, 30] = 1.0, 1.0
    results = [replace(a, map=left), replace(b, map=right)]
    shared = make_shared(results)
    assert shared.consensus.sum() == 0
    interest_figure(results, make_images()[0], shared)


def test_one_network_is_refused(make_result, make_images, make_shared):
    results = [make_result("a")]
    with pytest.raises(SettingError, match="at least two"):
        interest_figure(results, make_images()[0], make_shared(results))
