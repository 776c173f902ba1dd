"""
Denoising
=========

Which pixels does a denoiser use? A photograph is made noisy (σ 25 of 255), and two small denoisers explain the same
window: plain convolutions, and convolutions with non-local attention. "Doing nothing" is now the noisy picture.
"""

import srlens

subject = srlens.Subject.from_hr(
    srlens.open_image("pagoda")[:, 64:192, 64:192], 1, name="pagoda", degradation="noise:25", seed=0
)
networks = [srlens.open_network(name) for name in ("denoise-plain", "denoise-nonlocal")]
comparison = srlens.compare(networks, subject, srlens.Window(56, 56, 16, 16), tolerance=0.1)
comparison.figure()

# %%
# The caption says which question a map answers, and how the picture was degraded.

print(f"noisy picture {comparison.reference.psnr_image:.2f} dB")
for row in comparison.rows:
    print(f"{row.network.name:20} {row.psnr_image:.2f} dB, DI {row.result.diffusion_index:.2f}")
