"""Which input pixels a super-resolution network used.

Local attribution maps (Gu & Dong, CVPR 2021) for any super-resolution network, with completeness gap and map
error::

    import srlens

    network = srlens.load_network("imdn-x4.pth")  # or srlens.Network.wrap(module, scale=4)
    image = srlens.read_image("lr.png")
    result = srlens.attribute(network, image, srlens.Window(top=110, left=150, height=16, width=16))
    result.map, result.diffusion_index, result.completeness_gap, result.map_error

Names are imported when first used, so that ``import srlens`` stays light.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from srlens._version import __version__

if TYPE_CHECKING:
    from srlens.attribution.attribute import attribute, field
    from srlens.attribution.baseline import BASELINES, Baseline
    from srlens.attribution.detector import DETECTORS, Detector
    from srlens.attribution.explainer import Explainer
    from srlens.attribution.field import Field
    from srlens.attribution.method import METHODS, Method
    from srlens.attribution.path import CURVES, LinearFromBlack, LinearFromBlur, Path, ProgressiveBlur
    from srlens.attribution.result import Attribution
    from srlens.attribution.scene import Algorithm, Explanation, Scene
    from srlens.comparison.compare import compare
    from srlens.comparison.explained import Explained, Measurable
    from srlens.comparison.measures import MEASURES, Measure, add_measure
    from srlens.imaging.degrade import DEGRADATIONS, Degradation, add_degradation, degrade, make_lr
    from srlens.imaging.files import read_image, write_image
    from srlens.imaging.open import open_image
    from srlens.imaging.window import Window
    from srlens.measures.concentration import diffusion_index, effective_pixels, gini
    from srlens.networks.load import load_network
    from srlens.networks.network import Network
    from srlens.networks.open import load_default, open_network
    from srlens.networks.receptive_field import ReceptiveField, Stage
    from srlens.networks.zoo.family import Family
    from srlens.networks.zoo.registry import add_family
    from srlens.records.archive import load
    from srlens.study.mine import mine
    from srlens.study.report.build import build_report
    from srlens.study.run import run_study

_HOMES = {
    "Algorithm": "srlens.attribution.scene",
    "Attribution": "srlens.attribution.result",
    "BASELINES": "srlens.attribution.baseline",
    "Baseline": "srlens.attribution.baseline",
    "CURVES": "srlens.attribution.path",
    "DEGRADATIONS": "srlens.imaging.degrade",
    "DETECTORS": "srlens.attribution.detector",
    "Degradation": "srlens.imaging.degrade",
    "Detector": "srlens.attribution.detector",
    "Explained": "srlens.comparison.explained",
    "Explainer": "srlens.attribution.explainer",
    "Explanation": "srlens.attribution.scene",
    "Family": "srlens.networks.zoo.family",
    "Field": "srlens.attribution.field",
    "LinearFromBlack": "srlens.attribution.path",
    "LinearFromBlur": "srlens.attribution.path",
    "MEASURES": "srlens.comparison.measures",
    "METHODS": "srlens.attribution.method",
    "Measurable": "srlens.comparison.explained",
    "Measure": "srlens.comparison.measures",
    "Method": "srlens.attribution.method",
    "Network": "srlens.networks.network",
    "Path": "srlens.attribution.path",
    "ProgressiveBlur": "srlens.attribution.path",
    "ReceptiveField": "srlens.networks.receptive_field",
    "Scene": "srlens.attribution.scene",
    "Stage": "srlens.networks.receptive_field",
    "Window": "srlens.imaging.window",
    "add_degradation": "srlens.imaging.degrade",
    "add_family": "srlens.networks.zoo.registry",
    "add_measure": "srlens.comparison.measures",
    "attribute": "srlens.attribution.attribute",
    "build_report": "srlens.study.report.build",
    "compare": "srlens.comparison.compare",
    "degrade": "srlens.imaging.degrade",
    "diffusion_index": "srlens.measures.concentration",
    "effective_pixels": "srlens.measures.concentration",
    "field": "srlens.attribution.attribute",
    "gini": "srlens.measures.concentration",
    "load": "srlens.records.archive",
    "load_default": "srlens.networks.open",
    "load_network": "srlens.networks.load",
    "make_lr": "srlens.imaging.degrade",
    "mine": "srlens.study.mine",
    "open_image": "srlens.imaging.open",
    "open_network": "srlens.networks.open",
    "read_image": "srlens.imaging.files",
    "run_study": "srlens.study.run",
    "write_image": "srlens.imaging.files",
}

__all__ = [
    "BASELINES",
    "CURVES",
    "DEGRADATIONS",
    "DETECTORS",
    "MEASURES",
    "METHODS",
    "Algorithm",
    "Attribution",
    "Baseline",
    "Degradation",
    "Detector",
    "Explained",
    "Explainer",
    "Explanation",
    "Family",
    "Field",
    "LinearFromBlack",
    "LinearFromBlur",
    "Measurable",
    "Measure",
    "Method",
    "Network",
    "Path",
    "ProgressiveBlur",
    "ReceptiveField",
    "Scene",
    "Stage",
    "Window",
    "__version__",
    "add_degradation",
    "add_family",
    "add_measure",
    "attribute",
    "build_report",
    "compare",
    "degrade",
    "diffusion_index",
    "effective_pixels",
    "field",
    "gini",
    "load",
    "load_default",
    "load_network",
    "make_lr",
    "mine",
    "open_image",
    "open_network",
    "read_image",
    "run_study",
    "write_image",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'srlens' has no attribute {name!r}")
    value = getattr(import_module(_HOMES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
