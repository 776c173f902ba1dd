"""``srlens mine``: hard windows over many pictures, frozen."""

from functools import partial
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter


def mine(
    *images: str,
    networks: Annotated[list[str], Parameter(consume_multiple=True, negative=())],
    count: int = 150,
    size: int = 16,
    lr_size: int = 64,
    per_image: int | None = None,
    separation: int | None = None,
    degradation: str = "matlab",
    scale: int | None = None,
    device: str | None = None,
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
    scale
        Which scale of files that hold several.
    device
        cpu, cuda, cuda:1, mps; by default the best one there is.
    out
        The list; the contact sheet gets its name with .png.
    """
    from rich.console import Console

    from srlens.cli.devices import choose_device
    from srlens.cli.progress import progress_bars
    from srlens.networks.open import open_network
    from srlens.study.contact_sheet import write_contact_sheet
    from srlens.study.mine import mine as run
    from srlens.study.window_list import write_window_list

    target = choose_device(device)
    judges = [open_network(spec, scale=scale, device=target) for spec in networks]
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
    say = partial(Console().print, highlight=False, markup=False, soft_wrap=True)
    found = mined.windows.windows
    pictures = len(mined.windows.images)
    say(f"{len(found)} windows of {pictures} pictures, mean PSNR {found[0].psnr:.2f} to {found[-1].psnr:.2f} dB.")
    if len(found) < count:
        say(f"Fewer than the {count} wanted: raise --per-image, or give more pictures.")
    for name, reason in mined.skipped:
        say(f"Left out {name}: {reason}")
    say(f"Written: {out}, {sheet}")
