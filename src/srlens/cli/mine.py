"""``srlens mine``: hard windows over many pictures, frozen."""

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from srlens.cli import options


def mine(
    *images: str,
    networks: Annotated[list[str], Parameter(consume_multiple=True, negative=())],
    count: int = 150,
    size: int = 16,
    lr_size: int = 64,
    per_image: int | None = None,
    separation: int | None = None,
    degradation: str = "matlab",
    opened_as: options.JudgesVerb = options.JudgesVerb(),
    out: Annotated[Path, Parameter(name=["--out", "-o"])] = Path("windows.toml"),
) -> None:
    """Find the windows on which the given networks do worst, and freeze them in a list for studies.

    Writes the list (TOML, with the SHA-256 of every picture) and a contact sheet (PNG) beside it. The same pictures
    and networks give the same list.

    Parameters
    ----------
    images
        HR picture files, folders of them, or the packaged photographs (pagoda, hopper).
    networks
        The judges: windows are ranked by their mean PSNR. Checkpoint files, shipped or published networks.
    count
        Windows wanted.
    size
        Side of the windows in SR pixels.
    lr_size
        Side of the LR crop that the study will show the networks; smaller pictures are left out. 0: take all.
    per_image
        At most so many windows of one picture; by default twice its even share.
    separation
        SR pixels left free between windows; by default their size.
    degradation
        How the LR is made from HR: matlab (its bicubic), matlab-uint8 (with its 8-bit rounding), pil.
    out
        The list; the contact sheet gets its name with .png.
    """
    from srlens.cli.console import say
    from srlens.cli.progress import progress_bars
    from srlens.study.contact_sheet import write_contact_sheet
    from srlens.study.mine import mine as run
    from srlens.study.window_list import write_window_list

    options.writable(out.parent)
    judges = opened_as.open(*networks)
    with progress_bars() as bars:
        mined = run(
            images,
            judges,
            count=count,
            size=size,
            lr_size=lr_size or None,
            per_image=per_image,
            separation=separation,
            degradation=degradation,
            progress=bars.step("mining", "pictures"),
        )
    write_window_list(mined.windows, out)
    sheet = write_contact_sheet(mined.windows, out.with_suffix(".png"))
    found = mined.windows.windows
    pictures = len(mined.windows.images)
    say(f"{len(found)} windows of {pictures} pictures, mean PSNR {found[0].psnr:.2f} to {found[-1].psnr:.2f} dB.")
    if len(found) < count:
        say(f"Fewer than the {count} wanted: raise --per-image, or give more pictures.")
    for name, reason in mined.skipped:
        say(f"Left out {name}: {reason}")
    say(f"Written: {out}, {sheet}")
