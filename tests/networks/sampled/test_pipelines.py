"""diffusers' super-resolution pipelines as networks: what they compute, maps end to end, noise that stands still.

The pipelines are tiny, with random weights, as diffusers' own tests build them.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar

import pytest
import torch
from torch import Tensor

import srlens
from srlens.errors import CheckpointError, NoAttentionError, SettingError
from srlens.networks.sampler import Condition, Noise

diffusers = pytest.importorskip("diffusers", reason="needs srlens[diffusion]")
transformers = pytest.importorskip("transformers", reason="needs srlens[diffusion]")

# Of EulerDiscreteScheduler of diffusers 0.42.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept:DeprecationWarning")

SIDE = {"upscale": 8, "latent upscale": 32, "latent diffusion": 8}
WINDOW = srlens.Window(top=4, left=4, height=8, width=8)


class Tokenizer:
    """Stands in for CLIP's, whose vocabulary is a download: characters' codes, padded to a length."""

    model_max_length = 8
    added_tokens_encoder: ClassVar[dict[str, int]] = {}

    def tokenize(self, text: str) -> list[str]:
        return list(text)

    def __call__(self, prompt: str | list[str], **options: Any) -> Any:
        texts = [prompt] if isinstance(prompt, str) else prompt
        rows = [[ord(letter) % 999 for letter in text[:7]] + [999] * (8 - len(text[:7])) for text in texts]
        return transformers.BatchEncoding({"input_ids": torch.tensor(rows), "attention_mask": torch.ones(len(rows), 8)})

    def batch_decode(self, ids: Any) -> list[str]:
        return [""] * len(ids)


def text_encoder(width: int) -> Any:
    torch.manual_seed(0)
    return transformers.CLIPTextModel(
        transformers.CLIPTextConfig(
            bos_token_id=0,
            eos_token_id=2,
            hidden_size=width,
            intermediate_size=37,
            layer_norm_eps=1e-5,
            num_attention_heads=4,
            num_hidden_layers=2,
            pad_token_id=1,
            vocab_size=1000,
            max_position_embeddings=8,
        )
    ).eval()  # fmt: skip


def vae() -> Any:
    torch.manual_seed(0)
    return diffusers.AutoencoderKL(
        scaling_factor=0.08333,
        block_out_channels=[32, 32, 64], in_channels=3, out_channels=3, latent_channels=4,
        down_block_types=["DownEncoderBlock2D"] * 3, up_block_types=["UpDecoderBlock2D"] * 3,
    ).eval()  # fmt: skip


def ddim(**options: Any) -> Any:
    return diffusers.DDIMScheduler(
        beta_start=0.0001, beta_end=0.02, beta_schedule="linear", set_alpha_to_one=False, **options
    )


def upscale(clip_sample: bool = False) -> Any:
    torch.manual_seed(0)
    unet = diffusers.UNet2DConditionModel(
        block_out_channels=(32, 32, 64), layers_per_block=1, sample_size=32, in_channels=7, out_channels=4,
        down_block_types=("DownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D"),
        up_block_types=("CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "UpBlock2D"), cross_attention_dim=32,
        attention_head_dim=8, use_linear_projection=True, only_cross_attention=(True, True, False),
        num_class_embeds=100,
    ).eval()  # fmt: skip
    return diffusers.StableDiffusionUpscalePipeline(
        unet=unet, low_res_scheduler=diffusers.DDPMScheduler(), scheduler=ddim(clip_sample=clip_sample), vae=vae(),
        text_encoder=text_encoder(32), tokenizer=Tokenizer(), max_noise_level=350,
    )  # fmt: skip


def latent_upscale() -> Any:
    torch.manual_seed(0)
    unet = diffusers.UNet2DConditionModel(
        act_fn="gelu", attention_head_dim=8, norm_num_groups=None, block_out_channels=[32, 32, 64, 64],
        time_cond_proj_dim=160, conv_in_kernel=1, conv_out_kernel=1, cross_attention_dim=32,
        down_block_types=("KDownBlock2D", "KCrossAttnDownBlock2D", "KCrossAttnDownBlock2D", "KCrossAttnDownBlock2D"),
        in_channels=8, mid_block_type=None, only_cross_attention=False, out_channels=5,
        resnet_time_scale_shift="scale_shift",
        time_embedding_type="fourier", timestep_post_act="gelu",
        up_block_types=("KCrossAttnUpBlock2D", "KCrossAttnUpBlock2D", "KCrossAttnUpBlock2D", "KUpBlock2D"),
    ).eval()  # fmt: skip
    return diffusers.StableDiffusionLatentUpscalePipeline(
        unet=unet, scheduler=diffusers.EulerDiscreteScheduler(prediction_type="sample"), vae=vae(),
        text_encoder=text_encoder(32), tokenizer=Tokenizer(),
    )  # fmt: skip


def latent_diffusion(clip_sample: bool = False) -> Any:
    torch.manual_seed(0)
    unet = diffusers.UNet2DModel(
        block_out_channels=(32, 64), layers_per_block=2, sample_size=32, in_channels=6, out_channels=3,
        down_block_types=("DownBlock2D", "AttnDownBlock2D"), up_block_types=("AttnUpBlock2D", "UpBlock2D"),
    ).eval()  # fmt: skip
    torch.manual_seed(0)
    vqvae = diffusers.VQModel(
        block_out_channels=[32, 64], in_channels=3, out_channels=3, down_block_types=["DownEncoderBlock2D"] * 2,
        up_block_types=["UpDecoderBlock2D"] * 2, latent_channels=3,
    ).eval()  # fmt: skip
    return diffusers.LDMSuperResolutionPipeline(vqvae=vqvae, unet=unet, scheduler=ddim(clip_sample=clip_sample))


PIPELINES: dict[str, Callable[..., Any]] = {
    "upscale": upscale, "latent upscale": latent_upscale, "latent diffusion": latent_diffusion
}  # fmt: skip


@pytest.fixture(params=PIPELINES)
def kind(request: pytest.FixtureRequest) -> str:
    """A kind of pipeline."""
    return str(request.param)


def picture(side: int) -> Tensor:
    """A smooth picture with an edge."""
    rows, columns = torch.meshgrid(torch.linspace(0, 1, side), torch.linspace(0, 1, side), indexing="ij")
    return torch.stack([0.2 + 0.6 * (rows > columns), 0.5 + 0.3 * torch.sin(9 * rows), 0.7 * columns + 0.1])


def network_of(kind: str, **options: Any) -> srlens.Network:
    return srlens.Network.from_pipeline(PIPELINES[kind](), **{"steps": 2, "seed": 1, "noise_level": 20, **options})


@pytest.mark.parametrize("prompt", ["", "a cat"])
def test_it_computes_what_the_pipeline_computes(kind: str, prompt: str, monkeypatch: pytest.MonkeyPatch) -> None:
    check_against_pipeline(PIPELINES[kind](), kind, 3, monkeypatch, prompt)


#: Of each pipeline; the latent upscaler reads the scheduler's sigmas, which only Euler's has.
SCHEDULERS = {
    "upscale": ["its own", "EulerDiscreteScheduler", "DDIMScheduler", "LCMScheduler"],
    "latent upscale": ["its own", "EulerDiscreteScheduler"],
    "latent diffusion": ["its own", "EulerDiscreteScheduler", "DDIMScheduler", "LCMScheduler"],
}


@pytest.mark.parametrize(("kind", "scheduler"), [(kind, name) for kind, names in SCHEDULERS.items() for name in names])
def test_one_step_is_what_the_pipeline_computes(kind: str, scheduler: str, monkeypatch: pytest.MonkeyPatch) -> None:
    pipeline = PIPELINES[kind]()
    if scheduler != "its own":
        # At the last time step, where one step starts from noise alone: as distilled networks are called.
        given = {"timestep_spacing": "trailing"} if scheduler != "LCMScheduler" else {}
        pipeline.scheduler = getattr(diffusers, scheduler).from_config(pipeline.scheduler.config, **given)
    check_against_pipeline(pipeline, kind, 1, monkeypatch)


def check_against_pipeline(
    pipeline: Any, kind: str, steps: int, monkeypatch: pytest.MonkeyPatch, prompt: str = ""
) -> None:
    """The network's output is that of the pipeline's own call, with the same noise."""
    image = picture(SIDE[kind])[None]
    network = srlens.Network.from_pipeline(pipeline, steps=steps, seed=1, prompt=prompt)
    pipeline.set_progress_bar_config(disable=True)

    def noise(shape: tuple[int, ...], *_: Any, **__: Any) -> Tensor:
        # Which noise is for what: the picture's has its channels, but the code of the VAE is smaller than the latent.
        of_picture = tuple(shape) in {(1, 3, 8, 8), (1, 4, 8, 8)} and kind != "latent diffusion"
        return Noise(1)(1 if of_picture and (kind, shape[1]) != ("upscale", 4) else 0, torch.empty(shape))

    for module in (type(pipeline).__module__, "diffusers.models.autoencoders.vae"):
        monkeypatch.setattr(f"{module}.randn_tensor", noise)
    guided = {"prompt": prompt, "guidance_scale": 9.0} if kind != "latent diffusion" else {}
    noisy = {"noise_level": 20} if kind == "upscale" else {}
    given = 2 * image - 1 if kind == "latent diffusion" else image
    expected = pipeline(image=given, num_inference_steps=steps, output_type="pt", **guided, **noisy).images
    torch.testing.assert_close(network(image).clamp(0, 1), expected, rtol=1e-4, atol=1e-5)


def test_the_noise_stands_still(kind: str) -> None:
    network, image = network_of(kind), picture(SIDE[kind])
    first = network(image[None])
    assert torch.equal(network(image[None]), first)
    torch.testing.assert_close(network(image.expand(2, -1, -1, -1))[1:], first, rtol=1e-4, atol=1e-5)
    assert (network.seeded(2)(image[None]) - first).abs().max() > 1e-3


@pytest.mark.slow
def test_maps_are_complete(kind: str) -> None:
    result = srlens.attribute(network_of(kind, rounded=False), picture(SIDE[kind]), WINDOW, steps=200)
    assert result.completeness_gap is not None
    assert result.completeness_gap < 0.01
    assert result.facts["sampler_steps"] == 2


def test_clamps_of_ddim_are_reported() -> None:
    image = picture(8)
    for clip in (False, True):
        network = srlens.Network.from_pipeline(latent_diffusion(clip_sample=clip), steps=2)
        found = srlens.sampler_report(network, image, WINDOW).clamps
        assert [(one.stage, one.low, one.high) for one in found] == [("step 1", -1, 1), ("step 2", -1, 1)][: 2 * clip]
        assert all(0 < one.share < 1 for one in found)


class SpatialKeys(srlens.Sampler):
    """A UNet of diffusers whose cross-attention reads features of the LR picture, place by place, as PASD's does."""

    steps = 2

    def __init__(self) -> None:
        super().__init__()
        self.unet = upscale().unet
        torch.manual_seed(0)
        self.features = torch.nn.Conv2d(3, 32, 3, padding=1)

    def condition(self, image: Tensor, noise: srlens.Noise) -> Condition:
        return image, self.features(image).flatten(2).transpose(1, 2)

    def begin(self, condition: Condition, noise: srlens.Noise) -> Tensor:
        return noise(0, condition[0].new_empty(len(condition[0]), 4, *condition[0].shape[-2:]))

    def step(self, latent: Tensor, index: int, condition: Condition, noise: srlens.Noise) -> Tensor:
        given = torch.cat([latent, condition[0]], dim=1)
        levels = torch.zeros(len(latent), dtype=torch.long)
        return latent - 0.1 * self.unet(given, index, encoder_hidden_states=condition[1], class_labels=levels).sample

    def end(self, latent: Tensor, condition: Condition) -> Tensor:
        return latent[:, :3]


def test_attention_of_a_unet_with_spatial_keys_is_read() -> None:
    sampler = SpatialKeys().requires_grad_(False)
    before = dict(sampler.unet.attn_processors)
    maps = srlens.attention(srlens.Network.from_sampler(sampler, scale=1, multiple=4), picture(16), WINDOW)
    read = {layer.name.removeprefix("sampler.unet.") + ".processor" for layer in maps.layers}
    # Where the UNet has cross-attention only, its first attention is one as well; those of the middle read themselves.
    own = {name for name in before if ".attn1." in name and ("mid_block" in name or "blocks.2" in name)}
    assert read >= {name for name in before if ".attn2." in name}
    assert own
    assert not read & own
    assert {layer.sram.shape for layer in maps.layers} == {(2, 8, 16, 16)}
    for layer in maps.layers:
        assert layer.sram.sum(axis=(2, 3)) == pytest.approx(1)
    after = sampler.unet.attn_processors
    assert all(after[name] is processor for name, processor in before.items())


def test_pipelines_that_read_the_picture_by_concatenation_are_refused(kind: str) -> None:
    with pytest.raises(NoAttentionError, match="concatenated to the latent, as in diffusers' super-resolution"):
        srlens.attention(network_of(kind), picture(SIDE[kind]), WINDOW)


def test_a_scheduler_that_carries_steps_along_is_refused() -> None:
    pipeline = latent_diffusion()
    pipeline.scheduler = diffusers.PNDMScheduler()
    with pytest.raises(SettingError, match="PNDMScheduler carries earlier steps along"):
        srlens.Network.from_pipeline(pipeline, steps=2)


def test_a_folder_is_opened(tmp_path: Path) -> None:
    pipeline, image = latent_diffusion(), picture(8)[None]
    pipeline.save_pretrained(tmp_path / "tiny")
    network = srlens.open_pipeline(tmp_path / "tiny", steps=2, seed=1)
    assert network.name == "tiny"
    torch.testing.assert_close(network(image), network_of("latent diffusion")(image))
    with pytest.raises(CheckpointError, match="no folder of a diffusers pipeline"):
        srlens.open_pipeline(tmp_path, steps=2)


def test_another_pipeline_is_refused() -> None:
    with pytest.raises(SettingError, match="int is none of the pipelines that are known"):
        srlens.Network.from_pipeline(3, steps=2)
