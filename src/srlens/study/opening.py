"""Opening what a job names, and making sure that it is what was planned."""

from dataclasses import replace

import torch

from srlens.comparison.subject import Subject, read_subject
from srlens.errors import CheckpointError, ImageError, StudyError
from srlens.imaging.degrade import GIVEN
from srlens.imaging.files import image_digest
from srlens.imaging.open import image_file
from srlens.networks.catalog import shipped_name
from srlens.networks.network import Network
from srlens.networks.open import open_network
from srlens.networks.random_weights import with_random_weights
from srlens.study.job import ImageRef, NetworkRef

_CHANGED = "{} is not {} was planned: its SHA-256 is {}, expected {}. {}"
_REMEDY = "It was changed or was missing; put it right and run again with --resume."


def identified(ref: NetworkRef) -> NetworkRef:
    """The same with the SHA-256 (hex) of its weights, the one digest by which judges, parts and maps are joined.

    Raises:
        SrlensError, OSError: it cannot be opened.
    """
    network = _opened(ref, torch.device("cpu"))
    return ref.model_copy(update={"digest": network.digest, "field_known": network.receptive_field.known})


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


def open_planned_subject(ref: ImageRef, scale: int, degradation: str) -> Subject:
    """Read the picture of a job and make its LR image; it is the LR image where ``degradation`` is ``"given"``.

    Raises:
        ImageError: it is missing, damaged, or not the picture that was planned.
    """
    found = image_digest(image_file(ref.spec))
    if found != ref.digest:
        raise ImageError(_CHANGED.format(ref.spec, "the picture that", found, ref.digest, _REMEDY))
    subject = read_subject(ref.spec, scale, is_hr=degradation != GIVEN, degradation=degradation)
    return replace(subject, name=ref.name)
