"""The study file: which networks, windows and settings, as strict TOML."""

import os
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, Self

from srlens.attribution.method import Method
from srlens.attribution.settings import SETTINGS
from srlens.errors import SettingError, StudyError
from srlens.extras import pydantic
from srlens.imaging.degrade import DEFAULT, canonical, parse_degradation


class _Strict(pydantic.BaseModel):
    """Unknown keys are errors, and nothing changes once it is read."""

    model_config = pydantic.ConfigDict(frozen=True, extra="forbid", strict=True)


class NetworkEntry(_Strict):
    """One network of the study."""

    #: A checkpoint file (relative to the study file), a shipped network (``plain``), a published one (``imdn-x4``),
    #: or with ``module`` the user's own ``package.module:factory``.
    open: Annotated[str, pydantic.Field(min_length=1)]
    #: For tables; the network's own by default.
    name: str | None = None
    #: How it gathers context, for finding 2, where srlens does not know it: ``convolution``, ``global pooling``,
    #: ``non-local`` or ``transformer``.
    kind: str | None = None
    value_range: Annotated[float, pydantic.Field(gt=0)] | None = None
    channels: Annotated[int, pydantic.Field(ge=1)] | None = None
    #: ``open`` is ``package.module:factory``: the module is imported and run.
    module: bool = False


class WindowEntry(_Strict):
    """One window, in pixels of the SR image of the whole picture."""

    #: A file (relative to the study file) or a packaged photograph (``pagoda``, ``hopper``).
    image: Annotated[str, pydantic.Field(min_length=1)]
    top: Annotated[int, pydantic.Field(ge=0)]
    left: Annotated[int, pydantic.Field(ge=0)]
    height: Annotated[int, pydantic.Field(ge=1)] = 16
    width: Annotated[int, pydantic.Field(ge=1)] = 16


def _none_for_false(value: Any) -> Any:
    """TOML has no None."""
    return None if value is False else value


def _known_degradation(text: str) -> str:
    try:
        parse_degradation(text)
    except SettingError as error:
        raise ValueError(str(error)) from error
    return canonical(text)


class ImagesSection(_Strict):
    """What the image files are, and how much of them a network is given."""

    #: ``hr``: the LR is made from them. ``lr``: they are LR, and nothing is known of PSNR.
    given: Literal["hr", "lr"] = "hr"
    #: Folder that paths of pictures start from (relative to the study file); by default that of the study file, and for
    #: a mined list where the list says.
    root: str | None = None
    #: How the LR is made: ``matlab-uint8``, ``pil``, ``bicubic-float``; or another of ``srlens.DEGRADATIONS``.
    degradation: Annotated[str, pydantic.AfterValidator(_known_degradation)] = DEFAULT
    #: Of the random numbers of the degradation (noise, rain), the same for every picture.
    seed: Annotated[int, pydantic.Field(ge=0)] = 0
    #: The pictures are of bands (TIFF, ``.npy``), of which these three, from 1, are shown as red, green and blue.
    bands: Annotated[tuple[int, int, int], pydantic.Field(strict=False)] | None = None
    #: Side of the LR crop around each window, in LR pixels; the diffusion index depends on it, so that it is the same
    #: for all. None (``false`` in TOML): the whole image. Where it is left out, that of the mined list, else 64.
    lr_size: Annotated[Annotated[int, pydantic.Field(ge=8)] | None, pydantic.BeforeValidator(_none_for_false)] = 64


class _Method(_Strict):
    """How the maps are computed, as :func:`srlens.attribute` takes it; what is not given is left to the method."""

    # Settings of methods that are not srlens's own pass; Method refuses the rest.
    model_config = pydantic.ConfigDict(extra="allow")

    def resolved(self) -> Method:
        """The method in full.

        Raises:
            SettingError: a value outside its range or an unknown name.
        """
        values = {name: value for name, value in self.model_dump().items() if value is not None}
        return Method(values.pop("method", "lam"), **values)

    @pydantic.model_validator(mode="after")
    def _resolvable(self) -> Self:
        try:
            self.resolved()
        except SettingError as error:
            raise ValueError(str(error)) from error
        return self


if TYPE_CHECKING:
    MethodSection = _Method
else:
    own = {s.name: (Annotated[s.type | None, pydantic.Field(description=s.help)], None) for s in SETTINGS}
    MethodSection = pydantic.create_model("MethodSection", __base__=_Method, __module__=__name__, **own)


class VerificationSection(_Strict):
    """What is measured beside each map to tell whether it is true."""

    #: How far replaced pixels change the window (causal reach); by default where that costs less than the map.
    reach: bool | None = None
    #: Whether pixels in the map's order change the window earlier than by distance, by the gradient's order and by that
    #: of IG from black (deletion), and whether the map adds up (infidelity). It costs several maps.
    faithfulness: bool = False


class OutputSection(_Strict):
    """What is kept."""

    #: Relative to the study file.
    folder: str = "results"
    #: Keep the map of each job (safetensors).
    maps: bool = True
    #: Measure LPIPS too; needs the extra ``srlens[lpips]``, whose weights are downloaded on first use.
    lpips: bool = False


class Study(_Strict):
    """A study file as it was read."""

    title: str = "Study"
    scale: Annotated[int, pydantic.Field(ge=1)] = 4
    networks: Annotated[tuple[NetworkEntry, ...], pydantic.Field(min_length=1, strict=False)]  # TOML has lists
    #: A mined list (relative to the study file), or tables.
    windows: str | Annotated[tuple[WindowEntry, ...], pydantic.Field(min_length=1, strict=False)]
    #: Take windows that networks of this study judged, though these do badly there by choice; the report says so.
    own_judges: bool = False
    #: Compute each network with random weights too, at one window of each picture: a reference of finding 3.
    random_weights: bool = False
    images: ImagesSection = ImagesSection()
    method: MethodSection = MethodSection()
    verification: VerificationSection = VerificationSection()
    output: OutputSection = OutputSection()
    #: Folder that relative paths start from; set by :func:`read_study`.
    base: Path = pydantic.Field(default=Path(), exclude=True)
    #: The file itself; set by :func:`read_study`.
    file: Path | None = pydantic.Field(default=None, exclude=True)

    def resolve(self, text: str) -> Path:
        """A path of the study file as an absolute path."""
        return (self.base / Path(text).expanduser()).absolute()

    @property
    def root(self) -> Path | None:
        """Where paths of pictures start, if the study says so."""
        return None if self.images.root is None else self.resolve(self.images.root)

    @property
    def folder(self) -> Path:
        """Where the results go."""
        return self.resolve(self.output.folder)


def read_study(path: str | os.PathLike[str]) -> Study:
    """Read a study file.

    Raises:
        StudyError: it is missing, no TOML, or has a value that is not accepted; says which, and all of them.
    """
    file = Path(path)
    try:
        content = tomllib.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise StudyError(f"The study file {file} cannot be read: {error.strerror or error}.") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise StudyError(f"{file} is no TOML: {error}.") from error
    return study_from(content, base=file.parent, source=str(file)).model_copy(update={"file": file.absolute()})


def study_from(content: dict[str, Any], *, base: Path | None = None, source: str = "The study") -> Study:
    """Check a study given as plain values, as TOML would give them.

    Raises:
        StudyError: a value is not accepted; says which, and all of them.
    """
    if own := {"base", "file"} & set(content):
        raise StudyError(f"{source}: `{own.pop()}` is no setting; relative paths start at the study file.")
    try:
        study = Study.model_validate(content)
    except pydantic.ValidationError as error:
        lines = [f"  {_place(e['loc'])}: {_said(e)}" for e in error.errors()]
        raise StudyError(
            f"{source} has {len(lines)} value(s) that cannot be used:\n" + "\n".join(lines) + "\n"
            "`srlens study schema` prints what is accepted."
        ) from error
    return study.model_copy(update={"base": (base if base is not None else Path.cwd()).absolute()})


def study_schema() -> dict[str, Any]:
    """The JSON Schema of study files, for editors."""
    schema = Study.model_json_schema()
    for own in ("base", "file"):
        schema["properties"].pop(own, None)
    return schema


def _place(location: tuple[int | str, ...]) -> str:
    kept = [str(part) for part in location if not str(part).startswith(("constrained-", "tuple[")) and part != "str"]
    return ".".join(kept) or "the file"


def _said(error: Any) -> str:
    given = error.get("input")
    shown = f", got {given!r}" if isinstance(given, str | int | float | bool) else ""
    return f"{error['msg'].removeprefix('Value error, ')}{shown}"
