"""A causal effect map in two looks: on our scale with its uncertain blocks, and as its authors draw it."""

import matplotlib
import numpy as np
from matplotlib.colors import ListedColormap

from srlens.attribution.result import Attribution
from srlens.comparison.subject import Subject
from srlens.figures.caption import conditions, part_shown, remarks, weights
from srlens.figures.scales import MAP_SCALE, common_limit, linear_scale, signed_scale
from srlens.figures.shading import Shading, grey, uncertain_blocks
from srlens.figures.style import find_look
from srlens.figures.view import View

#: Ends of the authors' scale in dB (Hu et al. 2025): super-resolution, and by degradation.
_CLIPPED, _CLIPPED_BY = 2.5, {"noise": 1.0, "rain": 2.0}
_OPACITY = 0.6


def effect_panels(result: Attribution, subject: Subject | None) -> list[tuple[str, str, Shading]]:
    """Name, label and shading of the two panels: effects a block on our scale, and on the authors'."""
    effects = result.effects
    assert effects is not None
    unit = result.method.detector.unit
    lr = subject.picture if subject is not None else None
    captions = [f"effect of a block, {unit}", unit] if unit else ["effect of a block (detector)", "effect"]
    limit = common_limit([effects]) or 1.0
    ours = Shading(effects, signed_scale(limit), _OURS, captions=captions, dots=uncertain_blocks(result))
    end, below = _end(result, subject), None if lr is None else grey(lr)
    scale = linear_scale(end or limit, clipped=end is not None)
    theirs = Shading(effects, scale, _SEISMIC, below, captions)
    clipped = f"Linear, clipped at ±{end:g} {unit}" if end is not None else "Linear scale"
    return [("Causal effect", "map", ours), (clipped, "clipped effect", theirs)]


def effect_caption(result: Attribution, subject: Subject | None, view: View) -> str:
    """Everything that the panels depend on."""
    facts, unit = result.facts, result.method.detector.unit
    side, reached = facts["block"], facts["blocks"] - facts["blocks_outside_reach"]
    made = facts.get("degraded_anew")
    anew = f", in the clean picture, degraded anew by {made}" if made is not None else ""
    threshold = f"{facts['threshold']:.2g}{' ' * bool(unit)}{unit}"
    sentences = [
        conditions([result]),
        f"Effect of a block of {side}×{side} LR pixels: what the detector loses on average when natural patches "
        f"replace it{anew}; red: it helps, blue: it harms.",
        f"Left: the colour scale is a {MAP_SCALE}; dots mark effects whose 95 % interval holds 0 "
        f"({facts['blocks_uncertain']} of {facts['blocks_fine']}).",
        f"Right: as the method's authors draw it{'' if subject is None else ', over the grey LR image'}.",
        f"Of {facts['blocks']} blocks {facts['blocks_outside_reach']} cannot reach the window; of the {reached} others "
        f"{reached - facts['blocks_fine']} count as 0, since they changed the detector by less than {threshold} in the "
        "coarse stage.",
        *part_shown(view, pictured=subject is not None),
        remarks([result]),
        weights([result]),
    ]
    return " ".join(sentences)


def _end(result: Attribution, subject: Subject | None) -> float | None:
    """Where the authors' scale ends; None for another detector than PSNR, for which they have none."""
    if result.method.detector.unit != "dB":
        return None
    task = subject.degradation.partition(":")[0] if subject is not None and result.scale == 1 else ""
    return _CLIPPED_BY.get(task, _CLIPPED)


def _blended(name: str) -> ListedColormap:
    colours = matplotlib.colormaps[name](np.linspace(0, 1, 256))
    colours[:, 3] = _OPACITY
    return ListedColormap(colours.tolist(), name=f"{name}-blended")


_OURS = find_look("default").map_colours
_SEISMIC = _blended("seismic")
