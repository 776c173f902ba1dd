"""One network at one window, several methods side by side: Figures 3 and 4 of Gu & Dong (CVPR 2021)."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from torch import Tensor

from srlens.attribution.method import METHODS, Method
from srlens.attribution.result import Attribution
from srlens.attribution.scene import Progress
from srlens.comparison.compare import explain, shown, step_of
from srlens.comparison.explained import Explained
from srlens.comparison.measures import MEASURES, columns, measured
from srlens.comparison.subject import Subject
from srlens.comparison.table import typed_frame
from srlens.errors import SettingError
from srlens.imaging.window import Window
from srlens.networks.facts import NetworkFacts
from srlens.networks.network import Network
from srlens.shown import Shown
from srlens.trust.faithfulness import Faithfulness, faithfulness
from srlens.trust.reach_result import Reach

if TYPE_CHECKING:
    import polars

#: What is compared unless other methods are named.
COMPARED = ("lam", "ig-black", "linear-blur", "gradient", "gradient-input", "occlusion", "causal-effect")


_SHARED = ("network", "causal_reach")  # by all methods of a network
_TESTS = ("gain_over_distance", "infidelity_correlation")


@dataclass(frozen=True, eq=False, repr=False)
class MethodComparison(Shown):
    """Several methods' maps of one network at one window.

    Their units differ (of the detector; per unit of the image for ``gradient``), so figures divide each map by its
    mass, the sum of its absolute values.

    Attributes:
        subject: the LR image, and HR where it is known.
        window: in SR pixels.
        window_choice: how the window was chosen, one sentence.
        network: what was explained.
        sr: its SR image, C×sh×sw in [0, 1].
        outside: by how much the SR image left [0, 1] before it was clamped.
        results: one a method, in the order given.
        seconds: wall time of each.
        reach: the causal reach, which is the network's and no method's; None where it was not measured.
        faithfulness: of each map against the order of distance; empty where they were not tested.
    """

    subject: Subject
    window: Window
    window_choice: str
    network: NetworkFacts
    sr: Tensor
    outside: float | None
    results: tuple[Attribution, ...]
    seconds: tuple[float, ...]
    reach: Reach | None = None
    faithfulness: tuple[Faithfulness, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """Of the methods."""
        return tuple(result.method.name for result in self.results)

    @property
    def rows(self) -> tuple[Explained, ...]:
        """Each method's result with network and pictures, from which measures are drawn."""
        tested = self.faithfulness or (None,) * len(self.results)
        known: dict[str, Any] = {"outside": self.outside, "reach": self.reach}
        return tuple(
            Explained(self.network, result, self.sr, self.subject, seconds, faithfulness=tests, **known)
            for result, seconds, tests in zip(self.results, self.seconds, tested, strict=True)
        )

    @property
    def summary(self) -> str:
        """What it is, in one line."""
        indices = ", ".join(f"{result.method.name} {result.diffusion_index:.2f}" for result in self.results)
        return f"{self.network.name}, {self.subject.name}, {self.window}, DI: {indices}"

    def columns(self) -> list[tuple[str, list[str]]]:
        """The table in words: of each column its heading and a text a method. What all share is left out."""
        size = "{}×{}".format(*self.results[0].lr_size)
        own = [(m, v) for m, v in columns(self.rows, "terminal") if not m.of_picture and m.key not in _SHARED]
        own += [(MEASURES[key], [MEASURES[key].value(row) for row in self.rows]) for key in _TESTS if self.faithfulness]
        return [(measure.heading_at(size), [measure.number(value) for value in values]) for measure, values in own]

    def to_frame(self) -> "polars.DataFrame":
        """One row a method with every measure, as a polars data frame."""
        return typed_frame([measured(row) for row in self.rows], {key: m.kind for key, m in MEASURES.items()})

    def record(self) -> dict[str, Any]:
        """Numbers and conditions as plain values, for result.json."""
        return {
            "image": self.subject.name,
            "image_sha256": self.subject.digest,
            "part_of_image": vars(self.subject.part).copy() if self.subject.part is not None else None,
            "degradation": self.subject.degradation,
            "window_choice": self.window_choice,
            "methods": [{**measured(row), **row.result.record()} for row in self.rows],
        }


def compare_methods(
    network: Network,
    image: Subject | Tensor,
    window: Window | None = None,
    methods: Sequence[str | Method] = COMPARED,
    *,
    clean: Tensor | None = None,
    size: int = 16,
    reach: bool | None = None,
    faithful: bool = True,
    memory: int | None = None,
    regional: bool = True,
    seed: int | None = None,
    progress: Callable[[str], Progress] | None = None,
    **settings: Any,
) -> MethodComparison:
    """Attribute one window of one network by several methods.

    Args:
        network: what is explained.
        image: as for :func:`srlens.compare`.
        window: likewise.
        methods: names of :data:`srlens.METHODS`, or :class:`srlens.Method` objects, no two of one name.
        clean: as for :func:`srlens.compare`.
        size: likewise.
        reach: likewise; once, since it is the network's.
        faithful: whether each map is tested against the order of distance and for adding up; see
            ``srlens.trust.faithfulness`` for what that costs.
        memory: as for :func:`srlens.attribute`.
        regional: likewise.
        seed: likewise.
        progress: gives a progress callback for a method's name.
        **settings: of the methods, as for :func:`srlens.attribute`; each goes to the methods that have it.

    Raises:
        SettingError: no method, an unknown one, two of one name, or a setting that none of them has.
        SrlensError: the errors of :func:`srlens.compare`.
    """
    chosen = _with_settings(methods, settings)
    one = network if seed is None else network.seeded(seed)
    subject, window, choice, (sr,) = shown([one], image, window, clean, size)
    how: dict[str, Any] = {"memory": memory, "regional": regional}
    rows = []
    for k, method in enumerate(chosen):
        steps = partial(step_of, progress, {"map": method.name})
        told: dict[str, Any] = {"method": method, "reach": reach if k == 0 else False, "seed": seed}
        rows.append(explain(network, subject, window, sr, progress=steps, **told, **how))
    first = rows[0]
    results, seconds = tuple(row.result for row in rows), tuple(row.seconds or 0.0 for row in rows)
    tests: tuple[Faithfulness, ...] = ()
    if faithful:
        tests = faithfulness(one, subject.lr, results, clean=subject.hr, rivals=(), **how)
    shared = (first.network, first.sr, first.outside)
    return MethodComparison(subject, window, choice, *shared, results, seconds, first.reach, tests)


_EVERYWHERE = ("preset", "detector")


def _with_settings(methods: Sequence[str | Method], settings: Mapping[str, Any]) -> list[Method]:
    """The methods, each with those of the settings that it has."""
    names = [method if isinstance(method, str) else method.name for method in methods]
    if not names:
        raise SettingError(f"Give at least one method; there are {', '.join(METHODS)}.")
    if doubles := sorted({name for name in names if names.count(name) > 1}):
        raise SettingError(f"The method {doubles[0]!r} is named twice; files and rows go by name. Name it once.")
    accepted = {name: (*_EVERYWHERE, *METHODS.entry(name).accepts) for name in names}
    if unknown := [key for key in settings if not any(key in takes for takes in accepted.values())]:
        raise SettingError(f"{unknown[0]!r} is a setting of none of the methods {', '.join(names)}.")
    made = []
    for name, method in zip(names, methods, strict=True):
        own = {key: value for key, value in settings.items() if key in accepted[name]}
        made.append(method.but(**own) if isinstance(method, Method) else Method(name, **own))
    return made
