"""``srlens mine``: hard windows over many pictures, frozen."""

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from srlens.cli import options
from srlens.cli.parsing import writable


def mine(
    *images: str,
    networks: Annotated[list[str] | None, Parameter(consume_multiple=True, negative=())] = None,
    count: int = 150,
    size: int = 16,
    lr_size: int = 64,
    quantile: float = 0.25,
    per_image: int | None = None,
    separation: int | None = None,
    degradation: str | None = None,
    seed: int = 0,
    grey: Annotated[bool, Parameter(negative=())] = False,
    root: Path | None = None,
    opened_as: options.JudgesVerb = options.JudgesVerb(),
    out: Annotated[Path, Parameter(name=["--out", "-o"])] = Path("windows.toml"),
) -> None:
    """Find the windows of each picture that are hardest for doing nothing (bicubic), and freeze them for studies.

    Noise is as strong everywhere; there the judge is a Gaussian filter, which loses texture.

    Writes the list (TOML, with the SHA-256 of every picture) and a contact sheet (PNG) beside it. The same pictures
    and judges give the same list.

    Parameters
    ----------
    images
        HR picture files, folders of them, or the packaged photographs (pagoda, hopper).
    networks
        Judges instead of doing nothing: windows are ranked by their mean PSNR. Take none that the study will compare,
        since a network does badly where it was chosen for that.
    count
        Windows wanted.
    size
        Side of the windows in SR pixels.
    lr_size
        Side of the LR crop that the study will show the networks; smaller pictures are left out. 0: take all.
    quantile
        Share of a picture's candidate windows, the hardest, that count as hard.
    per_image
        At most so many windows of one picture; by default its even share, and what others leave.
    separation
        SR pixels left free between windows; by default their size.
    degradation
        How the input is made of the clean picture: matlab-uint8 (MATLAB's bicubic in 8 bits; the default), pil,
        bicubic-float; with --scale 1 noise:25, jpeg:10, blur:1.6, rain:4, haze:1, dark:0.2.
    seed
        Of the random numbers of the degradation (noise, rain), the same for every picture; the study must say the same.
    grey
        For a study of grey networks of scale 1: a colour picture becomes grey before it is degraded.
    root
        Paths of pictures are written relative to this folder; by default that of the list.
    out
        The list; the contact sheet gets its name with .png.
    """
    from srlens.cli.console import say
    from srlens.cli.progress import progress_bars
    from srlens.imaging.degrade import default_degradation
    from srlens.study.contact_sheet import write_contact_sheet
    from srlens.study.mine import mine as run
    from srlens.study.window_list import write_window_list

    writable(out.parent)
    judges = opened_as.open(*(networks or ()))
    with progress_bars() as bars:
        mined = run(
            images,
            judges,
            scale=opened_as.scale or 4,
            count=count,
            size=size,
            lr_size=lr_size or None,
            quantile=quantile,
            per_image=per_image,
            separation=separation,
            degradation=default_degradation(None, degradation),
            seed=seed,
            grey=grey,
            progress=bars.step("mining", "pictures"),
        )
    write_window_list(mined.windows, out, root)
    sheet = write_contact_sheet(mined.windows, out.with_suffix(".png"))
    found = mined.windows.windows
    pictures = len(mined.windows.images)
    lowest, highest = found[0].psnr, found[-1].psnr  # hardest first
    say(
        f"{len(found)} windows of {pictures} pictures ({mined.windows.made}); PSNR of {mined.windows.judges} there: "
        f"{lowest:.2f} to {highest:.2f} dB."
    )
    if len(found) < count:
        say(f"Fewer than the {count} wanted: raise --quantile or --per-image, or give more pictures.")
    for name, reason in mined.skipped:
        say(f"No window of {name}: {reason}")
    say(f"Written: {out}, {sheet}")
