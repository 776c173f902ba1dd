"""Mine hard windows: over many pictures, where given networks do worst. The paper's principles: local, and hard."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from srlens.comparison.comparable import common_scale
from srlens.comparison.hard_window import Candidate, hard_windows, without_overlaps
from srlens.comparison.subject import Subject, read_subject
from srlens.errors import SettingError, StudyError
from srlens.imaging.samples import SAMPLES
from srlens.naming import known_name
from srlens.networks.network import Network
from srlens.study.job import ImageRef, WindowRef
from srlens.study.window_list import WindowList

#: Files of a folder that count as pictures.
SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp", ".webp", ".tif", ".tiff")


@dataclass(frozen=True, eq=False)
class Mined:
    """The windows found, and what became of the pictures.

    Attributes:
        windows: the list to freeze.
        skipped: name of each picture that gave no window, with the reason.
    """

    windows: WindowList
    skipped: tuple[tuple[str, str], ...]


def mine(
    images: Sequence[str | Path],
    networks: Sequence[Network],
    *,
    count: int = 150,
    size: int = 16,
    lr_size: int | None = 64,
    per_image: int | None = None,
    separation: int | None = None,
    degradation: str = "matlab",
    progress: Callable[[int, int], None] | None = None,
) -> Mined:
    """Find the windows where the networks' mean PSNR is lowest. The same input gives the same list.

    Candidates stand on a grid of half the window's size, away from the picture's edges by that size where there is
    room. They are taken in order of their PSNR, at most ``per_image`` of a picture, and no two near one another.

    Args:
        images: HR picture files, folders of them, or packaged photographs by name.
        networks: the judges, all of one scale.
        count: windows wanted; fewer where the pictures do not hold so many.
        size: side of the windows, in SR pixels.
        lr_size: side of the LR crop that a study will show the networks; smaller pictures are left out. None: all
            are taken.
        per_image: at most so many windows of one picture; by default twice its even share, so that no picture
            decides a study alone.
        separation: SR pixels that are left free between windows; by default ``size``.
        degradation: how the LR is made.
        progress: called with (pictures done, pictures).

    Raises:
        SettingError: no network, different scales, a count or size below 1.
        StudyError: no picture gave a window; says why.
    """
    scale = common_scale(networks, "mining", named=False)
    if count < 1 or size < 1 or (per_image is not None and per_image < 1):
        raise SettingError(f"count (={count}), size (={size}) and per_image (={per_image}) must be at least 1.")
    specs = find_images(images)
    apart = size if separation is None else separation
    cap = per_image if per_image is not None else max(1, -(-2 * count // len(specs)))
    found: list[WindowRef] = []
    skipped: list[tuple[str, str]] = []
    for done, (spec, name) in enumerate(zip(specs, _unique_names(specs), strict=True), start=1):
        try:
            subject = read_subject(spec, scale, is_hr=True, degradation=degradation)
            candidates = _candidates(subject, networks, size, lr_size)
        except ValueError as error:  # every error of input: damaged, too small, wrong channels
            skipped.append((name, str(error)))
        else:
            ref = ImageRef(name, spec, subject.digest or "")
            chosen = without_overlaps(candidates, cap, apart)
            found += [WindowRef(ref, candidate.window, round(candidate.psnr, 4)) for candidate in chosen]
        if progress is not None:
            progress(done, len(specs))
    if not found:
        reasons = "; ".join(f"{name}: {reason}" for name, reason in skipped[:3])
        raise StudyError(f"None of the {len(specs)} pictures gave a window. {reasons}")
    found.sort(key=lambda ref: (ref.psnr, ref.image.name, ref.window.top, ref.window.left))
    conditions: dict[str, int | str] = {"size": size, "per_image": cap, "separation": apart}
    conditions |= {"lr_size": lr_size} if lr_size is not None else {}
    judges = tuple((network.name, network.digest) for network in networks)
    return Mined(WindowList(scale, degradation, conditions, judges, tuple(found[:count])), tuple(skipped))


def find_images(given: Sequence[str | Path]) -> list[str]:
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
            inside = sorted(str(p) for p in path.rglob("*") if p.suffix.lower() in SUFFIXES and p.is_file())
            if not inside:
                raise StudyError(f"The folder {entry} holds no picture ({', '.join(SUFFIXES)}).")
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
    return hard_windows([network.upscale(lr) for network in networks], subject.hr, size=size)
