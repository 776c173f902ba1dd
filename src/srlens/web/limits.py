"""What the page accepts, so that no upload and no request can exhaust the machine."""

from dataclasses import dataclass

MIB = 1 << 20


@dataclass(frozen=True)
class Limits:
    """Upper bounds; every refusal names the bound that it hit.

    Attributes:
        picture_bytes: of an uploaded picture file.
        picture_pixels: of an uploaded picture, read from its header before it is decoded.
        lr_pixels: of the LR image that the networks get; times the steps that a network takes which samples.
        checkpoint_bytes: of an uploaded network file, and of what its archive unpacks to.
        uploaded_networks: kept for one page.
        compared_networks: in one run.
        window: longest side of the window, in SR pixels.
        field_windows: windows of a field.
        evaluations: gradient evaluations of one map.
        seed: the largest of a sampler's noise.
        sessions: pages whose pictures and results are kept; the one idle longest goes first.
        session_bytes: pictures and uploaded networks of all pages together.
        waiting: runs in the queue; further ones are told to come back.
    """

    picture_bytes: int = 48 * MIB
    picture_pixels: int = 4_200_000
    lr_pixels: int = 512 * 512
    checkpoint_bytes: int = 256 * MIB
    uploaded_networks: int = 3
    compared_networks: int = 6
    window: int = 256
    field_windows: int = 1024
    evaluations: int = 2187
    seed: int = 2**32 - 1
    sessions: int = 64
    session_bytes: int = 1536 * MIB
    waiting: int = 16
