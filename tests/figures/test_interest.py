"""The picture of an area of interest: what is shown, on which scales, with which numbers."""

from dataclasses import replace

import numpy as np
import pytest

from srlens.comparison.interest import area_of_interest
from srlens.figures.interest import interest_figure


@pytest.fixture
def make_comparison(make_rows, make_images, compared):
    """Networks as a comparison, judged by PSNR, which grows along them; ``maps`` in place of the synthetic ones."""

    def make(names, size=(40, 40), maps=None):
        rows = make_rows(names, size)
        if maps is not None:
            rows = [replace(row, result=replace(row.result, map=one)) for row, one in zip(rows, maps, strict=True)]
        return compared(rows, make_images(size)[0])

    return make


def panel(figure, label):
    (axes,) = [axes for axes in figure.axes if axes.get_label() == label]
    return axes


@pytest.mark.parametrize(
    ("count", "size"), [(2, (40, 40)), (3, (24, 96)), (8, (40, 40)), (8, (96, 24)), (14, (40, 40))]
)
def test_panels_bars_and_text_stand_apart(make_comparison, faults, count, size):
    comparison = make_comparison([f"network-of-a-long-name-{i}" for i in range(count)], size)
    figure = interest_figure(area_of_interest(comparison))
    cells = {f"{value:.2f}" for value in np.linspace(-1, 1, 201)}
    # The numbers stand on the cells of the matrix on purpose.
    matrix = "'agreement'"
    found = [fault for fault in faults(figure) if not (matrix in fault and any(f"'{cell}'" in fault for cell in cells))]
    found = [fault for fault in found if not (matrix in fault and "'−" in fault)]
    assert found == []
    assert figure.get_figwidth() * 2.54 == pytest.approx(17)


def test_maps_and_scales(make_comparison):
    comparison = make_comparison(["near", "far"])
    interest = area_of_interest(comparison)
    figure = interest_figure(interest)
    consensus = panel(figure, "consensus").images[-1]
    assert np.allclose(consensus.get_array(), 100 * interest.consensus)
    assert consensus.norm.vmin == 0
    difference = panel(figure, "difference").images[-1]
    assert np.allclose(difference.get_array(), 100 * interest.difference)
    assert difference.norm.vmin == -difference.norm.vmax
    assert difference.norm.vmax == pytest.approx(100 * np.abs(interest.difference).max())
    assert float(difference.norm(0)) == pytest.approx(0.5)


def test_the_matrix_holds_both_measures(make_comparison, all_words):
    comparison = make_comparison(list("abc"))
    interest = area_of_interest(comparison)
    figure = interest_figure(interest)
    ranks, overlap = (interest.matrix(list("abc"), measure) for measure in ("rank_correlation", "overlap"))
    shown = panel(figure, "agreement").images[0].get_array()
    assert shown.mask.tolist() == np.eye(3, dtype=bool).tolist()
    assert shown[2, 0] == ranks[2, 0]
    assert shown[0, 2] == overlap[0, 2]
    words = all_words(figure)
    assert f"{overlap[0, 2]:.2f}" in words
    for part in (
        "c − a",
        "PSNR of the window",
        "LR 40×40",
        "SHA-256",
        f"{100 * interest.consensus.sum():.0f} % of the mass",
    ):
        assert part in words


def test_disjoint_maps_can_be_drawn(make_comparison):
    left, right = np.zeros((3, 40, 40)), np.zeros((3, 40, 40))
    left[:, :, 3], right[:, :, 30] = 1.0, 1.0
    comparison = make_comparison(["a", "b"], maps=[left, right])
    interest = area_of_interest(comparison)
    assert interest.consensus.sum() == 0
    interest_figure(interest)
