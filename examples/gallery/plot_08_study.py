"""A study from Python
===================

One window proves nothing. A study computes every network at every one of many hard windows, stores each result as soon
as it is there, and ends in a report. This one is tiny, so that it has nothing to prove: the report says so.
"""

import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import matplotlib.pyplot as plt

import srlens

folder = Path(tempfile.mkdtemp())
mined = srlens.mine(["pagoda", "hopper"], count=4, lr_size=48)  # judged by bicubic, not by the networks compared
srlens.write_window_list(mined.windows, folder / "windows.toml")
(folder / "study.toml").write_text(
    """
    title = "Three networks, four windows"
    scale = 4
    windows = "windows.toml"
    networks = [{ open = "plain" }, { open = "channel" }, { open = "nonlocal" }]
    images = { given = "hr", lr_size = 48 }
    method = { tolerance = 0.2 }
    output = { folder = "results", maps = true }
    """
)
# Without an executor each worker is a process of its own, and the script needs ``if __name__ == "__main__":``.
summary = srlens.run_study(folder / "study.toml", executor=ThreadPoolExecutor(1))
print(f"{summary.computed} of {summary.total} jobs computed")

# %%
# The report is one page (``report.page``) with figures and tables beside it. Four findings of the paper are asked for:

report = srlens.build_report(folder / "results")
for verdict in report.findings.verdicts:
    print(f"{verdict.number}. {verdict.claim}\n   {verdict.answer}")

# %%
# Every result is a row of a table: the diffusion index, window by window.

figure, axes = plt.subplots(figsize=(6, 2.2), layout="constrained")
for (network,), rows in report.frame.sort("network").group_by("network", maintain_order=True):
    axes.plot(rows["diffusion_index"], [network] * len(rows), "o", color="tab:blue", alpha=0.6)
axes.set(xlabel="diffusion index (LR 48×48)", ylim=(2.5, -0.5))
figure
