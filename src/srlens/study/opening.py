"""Opening what a job names, and making sure that it is what was planned."""

from dataclasses import replace

import torch

from srlens.comparison.subject import Subject, read_subject
from srlens.errors import CheckpointError, ImageError, StudyError
from srlens.imaging.clip import clip_digest
from srlens.imaging.degrade import GIVEN
from srlens.imaging.files import image_digest
from srlens.imaging.open import image_file
from srlens.networks.catalog import shipped_name
from srlens.networks.network import Network
from srlens.networks.open import open_network
from srlens.networks.random_weights import with_random_weights
from srlens.study.job import ImageRef, NetworkRef, Reading

_CHANGED = "{} is not {} was planned: its SHA-256 is {}, expected {}. {}"
_REMEDY = "It was changed or was missing; put it right and run again with --resume."


def identified(ref: NetworkRef) -> NetworkRef:
    """The same with what is known once it is opened: what it takes, and the SHA-256 (hex) of its weights.

    That is the one digest by which judges, parts and maps are joined.

    Raises:
        SrlensError, OSError: it cannot be opened.
    """
    network = _opened(ref, torch.device("cpu"))
    depth = network.channels // (network.frames or 1)
    found = {"digest": network.digest, "field_known": network.receptive_field.known, "depth": depth}
    return ref.model_copy(update={**found, "colour": network.colour, "frames": network.frames})


def open_planned_network(ref: NetworkRef, device: torch.device) -> Network:
    """Open the network of a job.

    Raises:
        CheckpointError: its content is not what was planned, or it cannot be used.
        StudyError: it has another scale than the study.
        SrlensError: see :func:`srlens.networks.open.open_network`.
    """
    network = _opened(ref, device)
    if network.digest != ref.digest:
        other_weights = "The factory gives other weights every time: load them, or seed it."
        remedy = other_weights if ref.module else _REMEDY
        raise CheckpointError(_CHANGED.format(ref.open, "what", network.digest, ref.digest, remedy))
    if network.scale != ref.scale:
        raise StudyError(f"{ref.label} has scale {network.scale}, the study {ref.scale}; leave it out.")
    network = replace(network, kind=ref.kind) if ref.kind is not None else network
    return network if ref.random_seed is None else with_random_weights(network, ref.random_seed)


def _opened(ref: NetworkRef, device: torch.device) -> Network:
    return open_network(
        ref.open,
        scale=None if shipped_name(ref.open) and not ref.module else ref.scale,
        device=device,
        **ref.model_dump(include={"value_range", "channels", "name", "module"}),
    )


def open_planned_subject(ref: ImageRef, scale: int, reading: Reading) -> Subject:
    """Read the picture of a job and make its LR image, if it is not that itself.

    Raises:
        ImageError: it is missing, damaged, or not the picture that was planned.
    """
    found = picture_digest(ref.spec, reading)
    if found != ref.digest:
        raise ImageError(_CHANGED.format(ref.spec, "the picture that", found, ref.digest, _REMEDY))
    made = {"is_hr": reading.degradation != GIVEN, "seed": reading.seed or 0}
    return replace(read_subject(ref.spec, scale, **{**vars(reading), **made}), name=ref.name)


def picture_digest(spec: str, reading: Reading) -> str:
    """SHA-256 (hex) of a picture's file, or of a clip.

    Raises:
        ImageError: it cannot be read.
    """
    return (clip_digest if reading.clip else image_digest)(image_file(spec))
