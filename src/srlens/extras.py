"""Libraries that not every use needs, by the extra of srlens that brings each: ``from srlens.extras import polars``."""
# ruff: noqa: PLC0414 - each is exported under its own name

from importlib import import_module
from typing import TYPE_CHECKING, Any

from srlens.errors import MissingExtraError

if TYPE_CHECKING:
    import diffusers as diffusers
    import gradio as gradio
    import huggingface_hub as huggingface_hub
    import imagecodecs as imagecodecs
    import jinja2 as jinja2
    import lpips as lpips
    import polars as polars
    import pooch as pooch
    import pydantic as pydantic
    import spandrel as spandrel
    import submitit as submitit
    import tifffile as tifffile
    import transformers as transformers

#: What each extra of pyproject.toml brings.
EXTRAS = {
    "files": ("imagecodecs", "pooch", "spandrel", "tifffile"),
    "study": ("jinja2", "polars", "pydantic"),
    "app": ("gradio",),
    "hub": ("huggingface_hub",),
    "slurm": ("submitit",),
    "lpips": ("lpips",),
    "diffusion": ("diffusers", "transformers"),
}


def __getattr__(name: str) -> Any:
    """The library of that name.

    Raises:
        MissingExtraError: it is not installed; says which extra brings it.
    """
    extra = next((extra for extra, libraries in EXTRAS.items() if name in libraries), None)
    if extra is None:
        raise AttributeError(f"module 'srlens.extras' has no attribute {name!r}")
    try:
        return import_module(name)
    except ImportError as error:
        raise MissingExtraError(f"This needs {name} ({error}). Install it: pip install 'srlens[{extra}]'.") from error
