"""Mine hard windows: over many pictures, where the judge does worst. The paper's principles: local, and hard."""

import math
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from srlens.comparison.comparable import common_scale
from srlens.comparison.hard_window import Candidate, hard_windows, without_overlaps
from srlens.comparison.subject import Subject, read_subject, restore_grey
from srlens.errors import SettingError, StudyError
from srlens.imaging.check import whole_scale
from srlens.imaging.degrade import DEFAULT, canonical, drawn_seed
from srlens.imaging.files import PICTURE_SUFFIXES
from srlens.imaging.samples import SAMPLES
from srlens.imaging.terms import worded
from srlens.naming import known_name
from srlens.networks.network import Network
from srlens.study.job import ImageRef, WindowRef
from srlens.study.window_list import Condition, WindowList


@dataclass(frozen=True, eq=False)
class Mined:
    """The windows found, and what became of the pictures.

    Attributes:
        windows: the list to freeze.
        skipped: name of each picture without a window, with the reason.
    """

    windows: WindowList
    skipped: tuple[tuple[str, str], ...]


def mine(
    images: Sequence[str | os.PathLike[str]],
    networks: Sequence[Network] = (),
    *,
    scale: int = 4,
    count: int = 150,
    size: int = 16,
    lr_size: int | None = 64,
    quantile: float = 0.25,
    per_image: int | None = None,
    separation: int | None = None,
    degradation: str = DEFAULT,
    seed: int = 0,
    grey: bool = False,
    progress: Callable[[int, int], None] | None = None,
) -> Mined:
    """Find the windows of each picture where the judge's PSNR is lowest. The same input gives the same list.

    The judge is doing nothing (bicubic), unless networks are given; of noisy pictures, in which doing nothing errs
    alike everywhere, it is a Gaussian filter (``srlens.imaging.degrade.judge``). A network must not judge windows
    that it is compared at: chosen is where it does badly, by some dB more than others do.

    Candidates stand on a grid of half the window's size, away from the picture's edges by that size where there is
    room. Of each picture the hardest come first, no two near one another, and every picture gives its first window
    before one gives its second: an even share each, so that not a few pictures of stripes decide a study.

    Args:
        images: HR picture files, folders of them, or packaged photographs by name.
        networks: the judges, all of one scale; windows are ranked by their mean PSNR.
        scale: SR pixels per LR pixel, where no network says it.
        count: windows wanted; fewer where the pictures do not hold so many.
        size: side of the windows, in SR pixels.
        lr_size: side of the LR crop that a study will show the networks; smaller pictures are left out. None: all
            are taken.
        quantile: share of a picture's candidates, the hardest, that count as hard; in (0, 1].
        per_image: at most so many windows of one picture; by default as many as the others leave it.
        separation: SR pixels that are left free between windows; by default ``size``.
        degradation: how the LR is made.
        seed: of the degradation, where it draws random numbers; the same for every picture.
        grey: colour pictures are brought to grey first, as a study of grey networks of scale 1 does; judges that all
            restore grey say so themselves.
        progress: called with (pictures done, pictures).

    Raises:
        SettingError: different scales, a count or size below 1, no such quantile, or grey at another scale than 1.
        StudyError: no picture gave a window; says why.
    """
    scale = common_scale(networks, "mining", named=False) if networks else whole_scale(scale)
    if min(count, size, 1 if per_image is None else per_image) < 1 or not 0 < quantile <= 1:
        raise SettingError(
            f"count (={count}), size (={size}) and per_image (={per_image}) must be at least 1, quantile (={quantile}) "
            "above 0 and at most 1."
        )
    if grey and scale > 1:
        raise SettingError(f"grey is for networks of scale 1, which are given the grey itself; the scale is {scale}.")
    grey = grey or (bool(networks) and restore_grey(networks))
    specs, apart = find_images(images), size if separation is None else separation
    found: list[tuple[int, float, str, int, int, WindowRef]] = []
    skipped: dict[str, str] = {}
    known: dict[str | None, str] = {}
    for done, (spec, name) in enumerate(zip(specs, _unique_names(specs), strict=True), start=1):
        try:
            subject = read_subject(spec, scale, is_hr=True, degradation=degradation, seed=seed, grey=grey)
            if known.setdefault(subject.digest, name) != name:
                raise StudyError(f"it is the same picture as {known[subject.digest]}")
            candidates = _candidates(subject, networks, size, lr_size)
        except ValueError as error:  # every error of input: damaged, too small, wrong channels
            skipped[name] = worded(str(error), scale)
        else:
            ref = ImageRef(name, spec, subject.digest or "")
            hard = candidates[: math.ceil(quantile * len(candidates))]
            for rank, one in enumerate(without_overlaps(hard, per_image or count, apart)):
                psnr, w = round(one.psnr, 4), one.window
                found.append((rank, psnr, name, w.top, w.left, WindowRef(ref, w, psnr)))
        if progress is not None:
            progress(done, len(specs))
    if not found:
        reasons = "; ".join(f"{name}: {reason}" for name, reason in list(skipped.items())[:3])
        raise StudyError(f"None of the {len(specs)} pictures gave a window. {reasons}")
    chosen = sorted(sorted(found, key=lambda one: one[:-1])[:count], key=lambda one: one[1:-1])
    windows = tuple(one[-1] for one in chosen)
    spare = "none of its windows is among the hardest of so many pictures; raise the count"
    skipped |= dict.fromkeys(sorted({one[2] for one in found} - {one[2] for one in chosen}), spare)
    conditions: dict[str, Condition] = {"size": size, "separation": apart, "quantile": quantile}
    conditions |= {k: v for k, v in (("per_image", per_image), ("lr_size", lr_size)) if v is not None}
    judges = tuple((network.name, network.digest) for network in networks)
    unused = tuple(skipped.items())
    how, drawn = canonical(degradation), drawn_seed(degradation, seed)
    return Mined(WindowList(scale, how, conditions, judges, windows, unused, drawn, grey), unused)


def find_images(given: Sequence[str | os.PathLike[str]]) -> list[str]:
    """Absolute paths (or names of packaged photographs), folders opened, each once, in a fixed order.

    Raises:
        StudyError: something is not there, or a folder holds no picture.
    """
    found: list[str] = []
    for entry in given:
        if known_name(entry, SAMPLES) is not None:
            found.append(str(entry))
            continue
        path = Path(entry).expanduser().absolute()
        if path.is_dir():
            inside = sorted(str(p) for p in path.rglob("*") if p.suffix.lower() in PICTURE_SUFFIXES and p.is_file())
            if not inside:
                raise StudyError(f"The folder {entry} holds no picture ({', '.join(PICTURE_SUFFIXES)}).")
            found += inside
        elif path.is_file():
            found.append(str(path))
        else:
            raise StudyError(f"There is no picture or folder {entry}.")
    if not found:
        raise StudyError("Give at least one picture or folder of pictures.")
    return list(dict.fromkeys(found))


def _unique_names(specs: Sequence[str]) -> list[str]:
    """Stems of the files; with the folder's name where two are alike, and a number where even that is."""
    stems = [Path(spec).stem for spec in specs]
    longer = [s if stems.count(s) == 1 else f"{Path(p).parent.name}/{s}" for p, s in zip(specs, stems, strict=True)]
    earlier = [longer[:k].count(name) for k, name in enumerate(longer)]
    return [f"{name}#{count + 1}" if count else name for name, count in zip(longer, earlier, strict=True)]


def _candidates(subject: Subject, networks: Sequence[Network], size: int, lr_size: int | None) -> list[Candidate]:
    lr = subject.lr
    if lr_size is not None and min(lr.shape[-2:]) < lr_size:
        raise StudyError(f"its LR image is {lr.shape[-2]}×{lr.shape[-1]}, smaller than the crop of {lr_size}")
    assert subject.hr is not None
    judged = [subject.told(network).upscale(lr) for network in networks] if networks else [subject.judge]
    return hard_windows(judged, subject.hr, size=size)
