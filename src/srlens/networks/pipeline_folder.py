"""A pipeline of diffusers that lies in a folder, as a network."""

import os
from pathlib import Path
from typing import Any

from srlens.errors import CheckpointError
from srlens.networks.network import Network


def open_pipeline(folder: str | os.PathLike[str], *, steps: int, **options: Any) -> Network:
    """Open a super-resolution pipeline that diffusers saved: weights from safetensors alone, no code, no download.

    Args:
        folder: with ``model_index.json``.
        steps: of the scheduler.
        **options: of :meth:`srlens.Network.from_pipeline`.

    Raises:
        CheckpointError: no such folder, or diffusers cannot load it in that way.
        SettingError: see :meth:`srlens.Network.from_pipeline`.
        MissingExtraError: diffusers or transformers is not installed.
    """
    # Without transformers diffusers has no super-resolution pipelines, and says so in other words.
    from srlens.extras import diffusers, transformers

    path = Path(folder)
    if not (path / "model_index.json").is_file():
        raise CheckpointError(f"{path} is no folder of a diffusers pipeline: it has no model_index.json.")
    try:
        pipeline = diffusers.DiffusionPipeline.from_pretrained(path, local_files_only=True, use_safetensors=True)
    except (OSError, ValueError, KeyError, AttributeError) as error:
        words = " ".join(str(error).split())[:300]
        raise CheckpointError(
            f"{path} cannot be loaded by diffusers {diffusers.__version__} with transformers "
            f"{transformers.__version__}, from safetensors files alone: {type(error).__name__}: {words}"
        ) from error
    return Network.from_pipeline(pipeline, steps=steps, **{"name": path.name, **options})
