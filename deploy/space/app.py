"""The page of srlens as a Space: it listens where the platform says."""

import os

import srlens
from srlens.web.server import wait_for_signal

with srlens.serving(host="0.0.0.0", port=int(os.environ.get("GRADIO_SERVER_PORT", "7860"))):
    wait_for_signal()
