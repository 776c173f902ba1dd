"""A network as srlens sees it: LR (or observed) picture in [0, 1] to SR (or restored) picture, differentiable."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, fields, replace
from typing import Any, Literal, Self

import torch
from torch import Tensor, nn

from srlens.errors import ChannelError, ImageError, ModuleError, SettingError
from srlens.imaging.check import check_noise, check_range, clamped, whole, whole_scale
from srlens.imaging.colour import full_range, luma, match_channels, merge_luma, studio_range
from srlens.imaging.resample import bicubic_upscale
from srlens.networks.colours import Colour, colour_of
from srlens.networks.described import as_table, in_a_line
from srlens.networks.facts import NetworkFacts
from srlens.networks.frames import clip_forward, stacked
from srlens.networks.frozen import frozen
from srlens.networks.module_tensors import copied, tensors, weights_digest
from srlens.networks.noise_map import with_noise_map
from srlens.networks.padding import Padding
from srlens.networks.receptive_field import UNKNOWN, ReceptiveField
from srlens.networks.returned import the_picture

Forward = Callable[[nn.Module, Tensor], Any]


def _call(module: nn.Module, x: Tensor) -> Any:
    return module(x)


@dataclass(frozen=True, eq=False)
class Network:
    """Any super-resolution or restoration network behind one convention, with what is known about it.

    Calling it takes N×C×h×w in [0, 1] and returns N×C'×sh×sw in [0, 1] terms, unclamped and differentiable,
    whatever range and padding the bare module works with. It never runs in inference mode. Build it with
    :func:`srlens.load_network` or :meth:`wrap`.

    Attributes:
        module: the bare module, in the range ``value_range``; used as it stands, never copied.
        scale: SR pixels per LR pixel, in both directions; 1 for restoration, where LR is the observed picture.
        channels: input channels.
        value_range: the largest input value that the bare module works with: 1.0 or 255.0.
        name: for captions and file names.
        family: the architecture, e.g. ``"IMDN"``; None for a module that srlens does not know.
        kind: how it gathers context (``"convolution"``, ``"global pooling"``, ``"non-local"``,
            ``"transformer"``); None where unknown.
        colour: ``"rgb"``; ``"y"`` for a network of the luma of BT.601 in studio range, 16–235 of 255; ``"grey"`` for
            one of grey in full range; ``"any"`` for other inputs. RGB and grey pictures are converted for the first
            three, see :meth:`prepare`.
        padding: the sizes that the module takes.
        receptive_field: the theoretical receptive field.
        forward: how the module is called, ``forward(module, x)``; a tuple or list result counts by its first entry,
            but a list of several tensors of one size, which may be steps, is refused.
        pre_upsampled: the module takes the image already enlarged (VDSR, SRCNN): it is enlarged by MATLAB's
            bicubic first, and attribution still speaks of LR pixels.
        noise_map: the module takes one channel more, everywhere the level of the noise (DRUNet, FFDNet).
        noise_level: that level, σ in 8-bit grey levels; None: that of the picture where it is known, else
            15.
        source: where it came from (file name, factory), for records.
        frames: of the clips that it takes, T×C×h×w; ``channels`` counts those of all frames. None for pictures.
    """

    module: nn.Module
    scale: int
    channels: int = 3
    value_range: float = 1.0
    name: str = "network"
    family: str | None = None
    kind: str | None = None
    colour: Colour = "rgb"
    padding: Padding = field(default_factory=Padding)
    receptive_field: ReceptiveField = UNKNOWN
    forward: Forward = _call
    pre_upsampled: bool = False
    noise_map: bool = False
    noise_level: float | None = None
    source: str | None = None
    frames: int | None = None

    @classmethod
    def wrap(
        cls,
        module: nn.Module,
        *,
        scale: int,
        value_range: float = 1.0,
        channels: int = 3,
        name: str | None = None,
        kind: str | None = None,
        colour: Colour | None = None,
        multiple: int = 1,
        minimum: int = 1,
        forward: Forward | None = None,
        pre_upsampled: bool = False,
        noise_map: bool = False,
        noise_level: float | None = None,
        frames: int | None = None,
    ) -> Self:
        """Make any ``nn.Module`` a first-class network.

        The module stays as it is and yours; in eval mode with frozen weights only while srlens computes.

        Args:
            module: takes N×C×h×w, returns N×C'×sh×sw (or a tuple that starts with it).
            scale: SR pixels per LR pixel, at least 1.
            value_range: the largest input value that ``module`` works with, 1.0 or 255.0 as a rule.
            channels: input channels; of one frame where there are frames.
            name: for captions; the class name if None.
            kind: how it gathers context, for comparisons between kinds.
            colour: what the channels are, see :class:`Network`; by default ``"rgb"`` for three; ``"y"`` for one, but
                ``"grey"`` at scale 1; ``"any"`` otherwise.
            multiple: LR height and width must be multiples of this; the image is padded by reflection and the
                attribution of the padding flows back into the mirrored pixels.
            minimum: the smallest LR height and width.
            forward: for modules with further arguments, e.g. ``lambda module, x: module(x, 4)``.
            pre_upsampled: the module takes the image already enlarged by bicubic.
            noise_map: the module takes one channel more than ``channels``, the level of the noise.
            noise_level: that level, σ in 8-bit grey levels; see :class:`Network`.
            frames: the module takes clips, N×T×C×h×w of so many frames T, and returns the centre frame, N×C'×H×W, or
                all of them; images and maps are T×C×h×w then, and windows those of the centre frame.

        Raises:
            SettingError: a value outside its range, or ``module`` is no ``nn.Module``.
        """
        if not isinstance(module, nn.Module):
            raise SettingError(f"Network.wrap takes a torch.nn.Module, got {type(module).__name__}.")
        scale = whole_scale(scale)
        channels = whole("channels", channels) * (1 if frames is None else whole("frames", frames, 2))
        called = forward if forward is not None else _call
        return cls(
            module=module,
            scale=scale,
            channels=channels,
            value_range=check_range(value_range),
            name=name if name is not None else type(module).__name__,
            kind=kind,
            colour=colour_of(channels, colour if frames is None else "any", scale=scale),
            padding=Padding(multiple=whole("multiple", multiple), minimum=whole("minimum", minimum)),
            forward=called if frames is None else clip_forward(called, frames),
            pre_upsampled=pre_upsampled,
            frames=frames,
            noise_map=noise_map or noise_level is not None,
            noise_level=None if noise_level is None else check_noise(noise_level),
        )

    @classmethod
    def from_sampler(
        cls,
        sampler: Callable[[Tensor], Tensor] | nn.Module,
        *,
        scale: int,
        seed: int = 0,
        last: int | None = None,
        **known: Any,
    ) -> Self:
        """Make a network of something that samples: random noise, many steps. Its noise is fixed by ``seed``.

        Args:
            sampler: a :class:`srlens.Sampler`, whose steps are recomputed for the gradient instead of kept; or any
                function or module that takes N×C×h×w, draws from torch's random generator and returns N×C'×sh×sw.
            scale: SR pixels per LR pixel.
            seed: of the noise, the same at every evaluation and for every picture of a batch.
            last: the gradient goes through so many last steps only; None for all.
            **known: further arguments of :meth:`wrap`.

        Raises:
            SettingError: a value outside its range.
        """
        from srlens.networks.called_sampler import CalledSampler
        from srlens.networks.sampled import SampledModule
        from srlens.networks.sampler import Sampler

        called = sampler if isinstance(sampler, Sampler) else CalledSampler(sampler)
        name = getattr(sampler, "__name__", type(sampler).__name__)
        return cls.wrap(SampledModule(called, seed, last), scale=scale, **{"name": name, **known})

    @classmethod
    def from_pipeline(
        cls,
        pipeline: Any,
        *,
        steps: int,
        seed: int = 0,
        last: int | None = None,
        prompt: str = "",
        guidance: float = 9.0,
        noise_level: int = 20,
        rounded: bool = True,
        name: str | None = None,
    ) -> Self:
        """Make a network of a super-resolution pipeline of diffusers, with its noise fixed by ``seed``.

        Takes ``StableDiffusionUpscalePipeline``, ``StableDiffusionLatentUpscalePipeline`` and
        ``LDMSuperResolutionPipeline``. The clamp at their end is left out.

        Args:
            pipeline: loaded; its networks are used as they stand, its scheduler is copied.
            steps: of the scheduler.
            seed: of all noise: the latent's, the picture's, the scheduler's.
            last: the gradient goes through so many last steps only; None for all.
            prompt: of the Stable Diffusion pipelines.
            guidance: weight of the prompt, where there is one.
            noise_level: of the LR picture in ``StableDiffusionUpscalePipeline``.
            rounded: ``LDMSuperResolutionPipeline`` rounds its latent to a codebook. The gradient passes as if it did
                not, and maps are far from complete; False leaves the rounding out, and explains that network.
            name: for captions; the pipeline's class if None.

        Raises:
            SettingError: a pipeline of another kind, a scheduler that cannot repeat a step, a value out of range.
        """
        from srlens.networks.pipelines import sampler_of

        sampler = sampler_of(
            pipeline, steps=steps, prompt=prompt, guidance=guidance, noise_level=noise_level, rounded=rounded
        )
        title = name if name is not None else type(pipeline).__name__
        return cls.from_sampler(
            sampler, scale=sampler.scale, seed=seed, last=last, multiple=sampler.multiple, minimum=sampler.multiple,
            name=title,
        )  # fmt: skip

    def __call__(self, x: Tensor) -> Tensor:
        """Super-resolve N×C×h×w in [0, 1]; returns N×C'×sh×sw in [0, 1] terms, unclamped, differentiable.

        ``x`` is never written to, not even by modules that overwrite their input.

        Raises:
            ImageError: ``x`` is not N×C×h×w.
            ChannelError: ``x`` has another channel count than the network takes.
            ImageTooSmallError: ``x`` is smaller than the network can take.
            NetworkOutputError: the module returned another shape than ``scale`` promises, or several pictures.
            ModuleError: the module itself raised.
        """
        if x.ndim != 4:
            raise ImageError(
                f"A network takes a batch N×C×h×w, got shape {tuple(x.shape)}; for one image: image[None]."
            )
        self.check_channels(x)
        height, width = x.shape[-2:]
        # The wider of the two types up to the module, so that half precision rounds once; MPS has no float64.
        wide = torch.promote_types(torch.float32 if self.device.type == "mps" else x.dtype, self.dtype)
        padded = self.padding.apply(x).to(device=self.device, dtype=wide)
        given = bicubic_upscale(padded, self.scale) if self.pre_upsampled else padded
        given = (given * self.value_range if self.value_range != 1 else given).to(self.dtype)
        y = self.run_module(given.clone() if given is x else given)
        y = the_picture(y, padded, self.scale, self.name)
        y = y[..., : height * self.scale, : width * self.scale]
        return y / self.value_range if self.value_range != 1 else y

    def seeded(self, seed: int) -> "Network":
        """The same network, with random numbers drawn from ``seed`` anew at each call; the process's own go on.

        Of a sampled network ``seed`` is that of its noise.
        """
        if (with_seed := getattr(self.module, "with_seed", None)) is not None:
            return replace(self, module=with_seed(seed))

        def forward(module: nn.Module, x: Tensor) -> Any:
            with torch.random.fork_rng([x.device] if x.device.type == "cuda" else []):
                torch.manual_seed(seed)
                return self.forward(module, x)

        return replace(self, forward=forward)

    def run_module(self, x: Tensor) -> Any:
        """What the bare module makes of N×C×h×w, in its own range and of a size that it takes.

        Raises:
            ModuleError: it raised; other errors of srlens and those of a full memory pass.
        """
        try:
            given = with_noise_map(x, self.noise_level, self.value_range) if self.noise_map else x
            return self.forward(self.module, given)
        except torch.OutOfMemoryError:
            raise
        except Exception as error:  # whatever the module raises is reported under its name
            if type(error).__module__.startswith("srlens."):
                raise
            words = " ".join(str(error).split())[:300]
            other = "" if x.dtype == torch.float32 else "; or try network.to(dtype=torch.float32)"
            raise ModuleError(
                f"{self.name} fails on an input of {tuple(x.shape)} in {str(x.dtype).removeprefix('torch.')}: "
                f"{type(error).__name__}: {words}. What it needs can be said to srlens.Network.wrap: certain sizes "
                f"(multiple=, minimum=), further arguments (forward=), other channels (channels=){other}."
            ) from error

    def told(self, noise: float | None) -> "Network":
        """The same network, told the level of a picture's noise, unless it takes none or was told one already.

        Args:
            noise: σ in 8-bit grey levels; None where that is not known.
        """
        return replace(self, noise_level=noise) if self.noise_map and self.noise_level is None else self

    def check_channels(self, x: Tensor) -> None:
        """Raise ChannelError unless ``x`` (…×C×h×w) has the channel count that the network takes."""
        if x.shape[-3] != self.channels:
            last = " Its last axis has as many: bands come first, C×h×w." if x.shape[-1] == self.channels else ""
            raise ChannelError(
                f"The image has {x.shape[-3]} channels; {self.name} takes {self.channels}. "
                f"Convert the image, or load a network for its channels.{last}"
            )

    def prepare(self, image: Tensor) -> Tensor:
        """Bring an image to the channels that the network takes.

        One rule for all: a grey picture is an RGB picture of three equal channels. So it is repeated for an RGB
        network; for one of luma it becomes Y of BT.601 in studio range, as RGB does; for one of grey it stays as it is,
        and RGB becomes the same luma in full range. A luma plane itself goes to a network of ``colour="any"``.

        Args:
            image: C×h×w in [0, 1]; of a network of clips T×C×h×w, which becomes (T·C)×h×w.

        Raises:
            ChannelError: no rule leads from the image's channels to the network's.
        """
        if self.frames is not None:
            return stacked(image, self.frames, self.channels, self.name)
        prepared = self.converted(image)
        self.check_channels(prepared)
        return prepared

    def converted(self, image: Tensor) -> Tensor:
        """:meth:`prepare` of any picture …×C×h×w in [0, 1], the clean one too; as it is where no rule exists."""
        if self.colour == "y" and image.shape[-3] in (1, 3):
            return luma(match_channels(image, 3))
        if self.colour == "grey" and image.shape[-3] == 3:
            return full_range(luma(image))
        return match_channels(image, 3) if self.colour == "rgb" else image

    def upscale(self, image: Tensor) -> Tensor:
        """:meth:`render` clamped to [0, 1], with an OutsideRangeWarning where it lies far outside."""
        return clamped(self.render(image), self.name)

    def render(self, image: Tensor) -> Tensor:
        """Super-resolve one picture for the eye and for PSNR: C×h×w in [0, 1] to C'×sh×sw in [0, 1] terms, not clamped.

        What a network of luma or grey makes is joined with Cb and Cr, enlarged by bicubic, to an RGB picture.
        """
        with torch.no_grad(), frozen(self.module):
            sr = self(self.prepare(image)[None])[0].to(device=image.device, dtype=image.dtype)
            if self.colour in ("y", "grey") and sr.shape[0] == 1:
                sr = studio_range(sr) if self.colour == "grey" else sr
                sr = merge_luma(sr, bicubic_upscale(match_channels(image, 3), self.scale))
        return sr

    def __repr__(self) -> str:
        """In less than 200 characters, without the module."""
        return in_a_line(self)

    def _repr_html_(self) -> str:
        """For notebooks: a table of what is known of it."""
        return as_table(self)

    @property
    def purpose(self) -> Literal["super-resolution", "restoration"]:
        """What it is for: restoration keeps the size of the picture."""
        return "restoration" if self.scale == 1 else "super-resolution"

    @property
    def device(self) -> torch.device:
        """Where the weights live (the CPU for a module without any)."""
        tensor = next(tensors(self.module), None)
        return tensor.device if tensor is not None else torch.device("cpu")

    @property
    def dtype(self) -> torch.dtype:
        """The floating-point type of the weights (float32 for a module without any)."""
        floating = (t.dtype for t in tensors(self.module) if t.is_floating_point())
        return next(floating, torch.float32)

    @property
    def parameters(self) -> int:
        """Number of parameters."""
        return sum(p.numel() for p in self.module.parameters())

    @property
    def digest(self) -> str:
        """SHA-256 (hex) of the weights: names, types, shapes and bytes, as they are now."""
        return weights_digest(self.module)

    @property
    def facts(self) -> NetworkFacts:
        """What is known of it, as it is now, without the module."""
        return self.facts_with(self.digest)

    def facts_with(self, digest: str) -> NetworkFacts:
        """:attr:`facts` where the digest was taken already: hashing the weights of a large network takes its time."""
        names = {one.name for one in fields(NetworkFacts)} - {"digest", "device"}
        return NetworkFacts(**{name: getattr(self, name) for name in names}, digest=digest, device=self.device.type)

    def to(self, device: torch.device | str | None = None, dtype: torch.dtype | None = None) -> Self:
        """A copy of the network on another device or in another floating-point type; this one is unchanged.

        Floating-point tensors that are mere attributes go along; what a call makes anew keeps its own type.
        """
        return replace(self, module=copied(self.module, device, dtype))


def check_networks(given: Iterable[object]) -> None:
    """Raise SettingError where one of them is no :class:`Network`; says how it becomes one."""
    for one in given:
        if not isinstance(one, Network):
            what, remedy = (
                f"the bare module {type(one).__name__}",
                "Wrap it first: srlens.Network.wrap(module, scale=…).",
            )
            if not isinstance(one, nn.Module):
                what, remedy = f"{one!r:.60}", "Open it first: srlens.open_network(name or file)."
            raise SettingError(f"srlens takes a srlens.Network, got {what}. {remedy}")
