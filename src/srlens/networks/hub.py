"""Files of the Hugging Face Hub: ``hf://owner/repo/file[@revision]``."""

import re
from pathlib import Path

from srlens.errors import CatalogError, CheckpointError
from srlens.networks.catalog import file_sha256
from srlens.networks.origin import Origin

_PART = r"[A-Za-z0-9][A-Za-z0-9._-]*"
_ADDRESS = re.compile(rf"({_PART}/{_PART})/([^@]+)(?:@([^@]+))?")
_TIMEOUT = 10  # seconds without an answer
#: File names that say nothing of the network: it is called by its repository.
_NAMELESS = frozenset({"model", "pytorch_model", "diffusion_pytorch_model", "weights", "checkpoint"})


def fetch_from_hub(address: str) -> Origin:
    """The file behind ``owner/repo/file[@revision]``, downloaded once and kept in the hub's own cache.

    What is in the cache is used where the hub cannot be reached. ``HF_ENDPOINT``, ``HF_HOME``, ``HF_TOKEN`` and
    ``HF_HUB_OFFLINE`` hold, as for every program that uses ``huggingface_hub``.

    Args:
        address: the file may lie in folders; the revision is a branch, a tag or a commit, ``main`` by default.

    Returns:
        The local file; its source names the commit and the file's SHA-256.

    Raises:
        CheckpointError: the address is not of that form.
        CatalogError: there is no such file, it cannot be reached, or it is not what the hub says it is.
        MissingExtraError: ``huggingface_hub`` is not installed.
    """
    from srlens.extras import huggingface_hub

    parts = _ADDRESS.fullmatch(address)
    if parts is None or ".." in Path(parts[2]).parts:
        raise CheckpointError(
            f"hf://{address} names no file of the hub. Write hf://owner/repo/file, with folders where there are any, "
            "and @revision behind it for another than main: hf://owner/repo/weights/imdn.pth@v1.0."
        )
    repository, file, revision = parts.groups()
    download = huggingface_hub.hf_hub_download  # first: what it needs is imported with it, the errors among it
    errors = huggingface_hub.errors
    try:
        path = Path(download(repository, file, revision=revision, etag_timeout=_TIMEOUT))
    except errors.LocalEntryNotFoundError as error:  # before its parents: the hub was not reached
        raise CatalogError(
            f"hf://{address} is not in the cache, and the hub cannot be reached. With a network: fetch it once. "
            "Without one: copy the file here, and open it by its path."
        ) from error
    except errors.RepositoryNotFoundError as error:
        raise CatalogError(
            f"The hub has no repository {repository}, or it is private or gated: then accept its terms there and log "
            "in (`hf auth login`, or HF_TOKEN)."
        ) from error
    except errors.RevisionNotFoundError as error:
        raise CatalogError(f"{repository} has no revision {revision}. Give a branch, a tag or a commit.") from error
    except errors.EntryNotFoundError as error:
        raise CatalogError(f"{repository} has no file {file} in the revision {revision or 'main'}.") from error
    except (errors.HfHubHTTPError, OSError) as error:
        raise CatalogError(f"hf://{address} cannot be fetched: {str(error).splitlines()[0]}") from error
    sha256 = file_sha256(path)
    promised = path.resolve().name  # in the cache, a large file is called by the hash that the hub promises of it
    if re.fullmatch("[0-9a-f]{64}", promised) and promised != sha256:
        raise CatalogError(
            f"{path} is not what the hub says it is: its SHA-256 is {sha256}, promised {promised}. Remove "
            f"{path.resolve()}, and fetch it again."
        )
    commit = path.parts[len(path.parts) - len(Path(file).parts) - 1]  # …/snapshots/<commit>/<file>
    name = repository.partition("/")[2] if path.stem in _NAMELESS else None
    return Origin(path, f"hf://{repository}/{file}@{commit}, SHA-256 {sha256}", name)
