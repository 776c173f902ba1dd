"""The settings of methods as the command line, study files, links and the page offer them: each stands here once.

No torch in here: ``--help`` reads this.
"""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Setting:
    """One setting.

    Attributes:
        name: keyword of :func:`srlens.attribute`; ``max_steps`` is ``--max-steps`` on the command line.
        kind: ``str``, ``int`` or ``float``.
        help: one line, with unit and default.
        choices: the accepted words, where no more can be added.
        label: for the page.
    """

    name: str
    kind: type[str] | type[int] | type[float]
    help: str
    label: str
    choices: tuple[str, ...] = ()


#: Every setting of the methods that srlens has. One that is not given is left to the method.
SETTINGS: tuple[Setting, ...] = (
    Setting(
        "method", str, "lam (default), linear-blur, ig-black, gradient, gradient-input, occlusion; srlens.METHODS.",
        "method",
    ),
    Setting(
        "preset", str,
        '"paper": the published settings (σ 1.2, kernel 9, 50 steps uniform in σ, right Riemann rule, shifted DI).',
        "preset", choices=("default", "paper"),
    ),
    Setting("detector", str, "gradient (default), intensity, gabor, residual, residual-gradient, error.", "detector"),
    Setting(
        "tolerance", float,
        "Accepted relative L2 error of the map (estimated); steps are added until it holds (0.05).",
        "accepted map error (0.05)",
    ),
    Setting("steps", int, "A fixed number of steps instead of a tolerance.", "fixed steps (instead)"),
    Setting(
        "max_steps", int, "Limit of gradient evaluations when refining to the tolerance (729).", "most steps (729)",
    ),
    Setting("path", str, "Of the lam method: progressive-blur (default), linear-blur, linear-black.", "path"),
    Setting("rule", str, "midpoint (default), right-riemann, gauss-legendre.", "rule"),
    Setting(
        "parameterisation", str,
        "Where the nodes of the path lie: 'Laplacian arc length' (midpoint's default), 'arc length', uniform.",
        "parameterisation", choices=("Laplacian arc length", "arc length", "uniform"),
    ),
    Setting("sigma", float, "σ of the baseline's (or fill's) blur in LR pixels (1.2).", "blur σ, LR px"),
    Setting("kernel", int, "Side of the blur kernel in LR pixels, odd (9, or what σ needs).", "blur kernel, LR px"),
    Setting("block", int, "Of occlusion: side of the occluded block in LR pixels (4).", "block, LR px"),
    Setting(
        "stride", int, "Of occlusion: distance of neighbouring blocks in LR pixels (the block's side).",
        "block stride, LR px",
    ),
    Setting("fill", str, "Of occlusion: what a block is replaced by: blur (default), mean, black.", "fill of blocks"),
)  # fmt: skip


def given(values: dict[str, Any]) -> dict[str, Any]:
    """Those of the settings that were given, as keywords of :func:`srlens.attribute`."""
    return {one.name: values[one.name] for one in SETTINGS if values.get(one.name) is not None}
