"""Three networks at one window
============================

Three networks share their convolutions. The second adds channel attention by global pooling, the third non-local
attention: both can see the whole picture. How far do they look?
"""

import srlens

networks = [srlens.load_default(name) for name in ("plain", "channel", "nonlocal")]
clean = srlens.open_image("pagoda")
image = srlens.make_lr(clean, 4)
comparison = srlens.compare(networks, image, srlens.Window(168, 168, 16, 16), clean=clean)
comparison.figure()

# %%
# One colour scale and one bandwidth for all, so that what looks wider is wider. The numbers:

for row in comparison.rows:
    index, psnr = row.result.diffusion_index, row.psnr_window
    print(f"{row.network.name:20} DI {index:5.2f}   PSNR of the window {psnr:.2f} dB")
