"""From a study file to its jobs: every network at every window."""

from collections.abc import Sequence
from dataclasses import astuple, dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from srlens.comparison.measures import BUILT_IN, MEASURES
from srlens.comparison.subject import restore_grey
from srlens.errors import SrlensError, StudyError
from srlens.imaging.degrade import GIVEN, drawn_seed
from srlens.imaging.samples import SAMPLES
from srlens.imaging.window import Window
from srlens.networks.catalog import catalog, shipped_name
from srlens.plugins import load_plugins
from srlens.study.job import ImageRef, Job, NetworkRef, Reading, WindowRef
from srlens.study.opening import identified, picture_digest
from srlens.study.schema import NetworkEntry, Study
from srlens.study.window_list import WindowList, read_window_list


@dataclass(frozen=True)
class Plan:
    """All that a study will compute.

    Raises:
        StudyError: two networks have one name or the same weights, take pictures of different kinds, or a window is
            listed twice.

    Attributes:
        study: the study file.
        networks: in its order.
        windows: in its order.
        added: keys of the measures that plug-ins add.
        mining: how the windows were mined, as plain values; None where they were given.
    """

    study: Study
    networks: tuple[NetworkRef, ...]
    windows: tuple[WindowRef, ...]
    added: tuple[str, ...] = ()
    mining: dict[str, Any] | None = None

    def __post_init__(self) -> None:
        if len({(w.image.digest, w.window) for w in self.windows}) < len(self.windows):
            raise StudyError("A window is listed twice. Every window of a study must be another one.")
        labels, run_as = [n.label for n in self.networks], [n.run_as for n in self.networks]
        if twice := [label for label in dict.fromkeys(labels) if labels.count(label) > 1]:
            raise StudyError(f"Two networks are called {', '.join(twice)}. Give each a `name` of its own.")
        if twins := [label for label, key in zip(labels, run_as, strict=True) if run_as.count(key) > 1]:
            raise StudyError(f"{' and '.join(twins)} are one network: the same weights, run alike. Leave one out.")
        _check_alike(self.networks)

    def recalling(self, before: dict[str, Any]) -> "Plan":
        """The same plan, in which files that are gone are those that they were in an earlier :meth:`record`.

        So their results count on, and what is missing of them fails by name.
        """
        kept = {table: {one["spec"]: one for one in before[table]} for table in ("networks", "images")}

        def recalled(table: str, spec: str, digest: str, *names: str) -> dict[str, Any]:
            known = kept[table].get(spec, {}) if digest.startswith(UNAVAILABLE) else {}
            return {name: known[name] for name in names if name in known}

        networks = (
            n.model_copy(update=recalled("networks", n.open, n.digest, "digest", "colour", "frames", "depth"))
            for n in self.networks
        )
        images = (replace(w.image, **recalled("images", w.image.spec, w.image.digest, "digest")) for w in self.windows)
        windows = (replace(w, image=image) for w, image in zip(self.windows, images, strict=True))
        return replace(self, networks=tuple(networks), windows=tuple(windows))

    @cached_property
    def reading(self) -> Reading:
        """How every picture becomes what the networks are given."""
        return _reading(self.study, self.networks)

    @cached_property
    def jobs(self) -> tuple[Job, ...]:
        """Every network at every window, network by network, so that one is loaded once and used for all."""
        study = self.study
        tests = study.verification.reach, study.verification.faithfulness
        settings = (self.reading, study.images.lr_size, study.method, study.output.lpips, self.added, *tests)
        return tuple(Job(n, place.image, place.window, *settings) for n in self.networks for place in self.windows)

    @cached_property
    def random_jobs(self) -> tuple[Job, ...]:
        """Networks with random weights at the first window of each picture, network by network; none unless asked.

        One window a picture is enough: what it is a reference of, the use of a receptive field that is known, is told
        with its spread over pictures.
        """
        first = {place.image: place for place in reversed(self.windows)}
        kept = (job for job in self.jobs if job.network.field_known and first[job.image].window == job.window)
        drawn = {network: network.model_copy(update={"random_seed": 0}) for network in self.networks}
        every = (
            replace(job, network=drawn[job.network], lpips=False, added=(), reach=False, faithfulness=False)
            for job in kept
        )
        return tuple(every) if self.study.random_weights else ()

    def record(self) -> dict[str, Any]:
        """The plan as plain values: what the report needs to know without the files."""
        images = list(dict.fromkeys(window.image for window in self.windows))
        number = {image: i for i, image in enumerate(images)}
        ids = [job.id for job in self.jobs]
        width = len(self.windows)
        return {
            "format": PLAN_FORMAT,
            "title": self.study.title,
            "scale": self.study.scale,
            "images_given": self.study.images.model_dump(mode="json"),
            "reading": self.reading.record(),
            "mining": self.mining,
            "settings": self.study.method.resolved().to_record(),
            "question": self.study.method.resolved().question,
            "networks": [{"label": n.label, "spec": n.open, **n.model_dump(include=_TOLD)} for n in self.networks],
            "images": [{"name": i.name, "digest": i.digest, "spec": i.spec} for i in images],
            "windows": [
                {"image": number[w.image], "window": astuple(w.window), "mined_psnr": w.psnr, "place": job.place_id}
                for w, job in zip(self.windows, self.jobs, strict=False)
            ],
            "jobs": [ids[k * width : (k + 1) * width] for k in range(len(self.networks))],
            "random_jobs": [
                [job.id for job in self.random_jobs if job.network.label == network.label] for network in self.networks
            ],
        }


#: What the plan keeps of a network.
_TOLD = {"name", "kind", "digest", "colour", "frames", "depth"}

PLAN_FORMAT = "srlens-plan-1"

#: What the digest of a file begins with that is not there, or cannot be used.
UNAVAILABLE = "unavailable: "


def make_plan(study: Study) -> Plan:
    """Find the files of a study and hash them.

    A file that is missing or damaged is no error here: its jobs will fail with that reason, and the others run.

    Raises:
        StudyError: the list of windows cannot be used or does not fit the study; a network is named twice.
        PluginError: a plug-in cannot be loaded.
    """
    load_plugins()
    networks = tuple(_network(study, entry) for entry in study.networks)
    added = tuple(sorted(set(MEASURES) - BUILT_IN))
    if not isinstance(study.windows, str):
        reading = _reading(study, networks)
        known = {name: _image(study, name, reading) for name in dict.fromkeys(entry.image for entry in study.windows)}
        given = (WindowRef(known[e.image], Window(**e.model_dump(exclude={"image"}))) for e in study.windows)
        return Plan(study, networks, tuple(given), added)
    listed = _listed(study, study.resolve(study.windows), networks)
    mined_for = {name: listed.conditions[name] for name in ("lr_size",) if name in listed.conditions}
    if not set(mined_for) & study.images.model_fields_set:  # what the study leaves open is as it was mined
        study = study.model_copy(update={"images": study.images.model_copy(update=mined_for)})
    judges = {digest for _, digest in listed.networks}
    own = [network.label for network in networks if network.digest in judges]
    if own and not study.own_judges:
        raise StudyError(
            f"{', '.join(own)} judged the windows of {study.windows}, and would be compared where it was chosen that "
            "they do badly. Mine with bicubic (`srlens mine` without --networks) or with other judges; or say "
            "`own_judges = true`, and the report will say so."
        )
    mining = {**listed.conditions, "judges": listed.networks, "own_judges": own, "unused": listed.unused}
    return Plan(study, networks, listed.windows, added, mining)


def _network(study: Study, entry: NetworkEntry) -> NetworkRef:
    spec = entry.open
    named = entry.module or shipped_name(spec) or spec in catalog() or "://" in spec
    # A file that is missing still has the place where it would be, so that it is found once it is back.
    if not named and ("/" in spec or "." in spec or study.resolve(spec).is_file()):
        spec = str(study.resolve(spec))
    ref = NetworkRef(**{**dict(entry), "open": spec}, scale=study.scale, digest="")
    try:
        return identified(ref)
    except (SrlensError, OSError) as error:
        return ref.model_copy(update={"digest": f"{UNAVAILABLE}{spec} ({type(error).__name__})"})


def _reading(study: Study, networks: Sequence[NetworkRef]) -> Reading:
    """What networks that can be opened say of their pictures; the others fail in any case."""
    images, known = study.images, [network for network in networks if network.colour is not None]
    how = images.degradation if images.given == "hr" else GIVEN
    grey = bool(known) and restore_grey(known)
    clip = any(network.frames is not None for network in known)
    return Reading(how, drawn_seed(how, images.seed), grey, clip, images.bands)


def _check_alike(networks: Sequence[NetworkRef]) -> None:
    """Raise StudyError where no one picture would do for all networks."""
    known = [network for network in networks if network.colour is not None]
    grey = [network.label for network in known if restore_grey([network])]
    if grey and len(grey) < len(known):
        others = [network.label for network in known if network.label not in grey]
        raise StudyError(
            f"{', '.join(grey)} restore grey pictures, {', '.join(others)} others. The luma of a degraded colour "
            "picture is no degraded grey picture (its noise is weaker), so that neither maps nor PSNR could be "
            "compared. Make a study of each."
        )
    if len({network.frames for network in known}) > 1:
        told = [f"{n.label} ({f'clips of {n.frames} frames' if n.frames else 'pictures'})" for n in known]
        raise StudyError(f"The networks take different things: {', '.join(told)}. Make a study of each.")


def _listed(study: Study, path: Path, networks: Sequence[NetworkRef]) -> WindowList:
    listed, images = read_window_list(path, study.root), study.images
    for label, mined, wanted in (
        ("scale", listed.scale, study.scale),
        ("degradation", listed.degradation, images.degradation),
        ("seed", listed.seed, drawn_seed(images.degradation, images.seed)),
    ):
        if mined != wanted:
            raise StudyError(
                f"{path.name} was mined with {label} {mined!r}, but the study has {label} {wanted!r}. Mine again with "
                f"--{label} {wanted}, or change `{label}`."
            )
    grey = _reading(study, networks).grey
    if listed.grey != grey and any(network.colour is not None for network in networks):
        mined_in, restored, how = ("colour", "grey", "with") if grey else ("grey", "colour", "without")
        raise StudyError(
            f"{path.name} was mined on pictures in {mined_in}, but the networks of the study restore {restored}. Mine "
            f"again {how} --grey, or take other networks."
        )
    return listed


def _image(study: Study, text: str, reading: Reading) -> ImageRef:
    spec = text if text in SAMPLES else str((study.root or study.base).absolute() / Path(text).expanduser())
    try:
        digest = picture_digest(spec, reading)
    except SrlensError as error:
        digest = f"{UNAVAILABLE}{spec} ({type(error).__name__})"
    return ImageRef(Path(text).stem, spec, digest)
