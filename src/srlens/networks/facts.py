"""What is known of a network without the network itself: what results keep of it."""

from dataclasses import dataclass

from srlens.networks.receptive_field import ReceptiveField


@dataclass(frozen=True)
class NetworkFacts:
    """The attributes of a :class:`srlens.Network` of these names, as they were when a result was made.

    Attributes:
        name: for captions and file names.
        scale: SR pixels per LR pixel.
        channels: input channels.
        value_range: the largest input value that the bare module works with.
        family: the architecture, or None.
        kind: how it gathers context, or None.
        receptive_field: the theoretical one.
        parameters: their number.
        digest: SHA-256 of the weights.
        device: where it computed: ``"cpu"``, ``"cuda"``, ``"mps"``.
        source: where it came from, or None.
        noise_level: σ in 8-bit grey levels that it was told, or None.
    """

    name: str
    scale: int
    channels: int
    value_range: float
    family: str | None
    kind: str | None
    receptive_field: ReceptiveField
    parameters: int
    digest: str
    device: str
    source: str | None
    noise_level: float | None = None
