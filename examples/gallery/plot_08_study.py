"""A study from Python
===================

One window proves nothing. A study computes every network at every one of many hard windows, stores each result as soon
as it is there, and ends in a report. This one is tiny, so that it has nothing to prove: the report says so.
"""

import tempfile
from pathlib import Path

import srlens

folder = Path(tempfile.mkdtemp())
mined = srlens.mine(["pagoda", "hopper"], count=6, lr_size=48)  # judged by bicubic, not by the networks compared
srlens.write_window_list(mined.windows, folder / "windows.toml")
(folder / "study.toml").write_text(
    """
    title = "Three networks, six windows"
    scale = 4
    windows = "windows.toml"
    networks = [{ open = "plain" }, { open = "channel" }, { open = "nonlocal" }]
    images = { given = "hr", lr_size = 48 }
    method = { tolerance = 0.1 }
    output = { folder = "results", maps = true }
    """
)
summary = srlens.run_study(folder / "study.toml", workers=1)
print(summary)

# %%
# The report is one page with figures and tables beside it.

report = srlens.build_report(folder / "results")
for verdict in report.findings:
    print(verdict)
