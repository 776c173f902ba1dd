#!/usr/bin/env bash
# What srlens does on the GPU of this machine: one command, under eight minutes once everything is installed.
#
#   bash benchmarks/gpu.sh                       results in benchmarks/results/gpu.{json,csv,png}
#   bash benchmarks/gpu.sh --shared ../shared    with published checkpoints and golden maps, if they are not beside
#   bash benchmarks/gpu.sh --dry-run             every step on the CPU at small size
#
# Python ≥ 3.11 (PYTHON=python3.12 names another). What is missing is installed into .venv-gpu; a PyTorch that is there
# stays in use.
set -euo pipefail
cd "$(dirname "$0")/.."
export PYTHONPATH="$PWD/src${PYTHONPATH:+:$PYTHONPATH}"
python=${PYTHON:-python3}
needed='import torch, captum, cyclopts, lazy_loader, matplotlib, polars, pydantic, pytest, rich, scipy, spandrel'
if ! "$python" -c "$needed" 2>/dev/null; then
    [ -x .venv-gpu/bin/python ] || "$python" -m venv --system-site-packages .venv-gpu
    python=.venv-gpu/bin/python
    "$python" -c "$needed" 2>/dev/null || "$python" -m pip install --quiet --editable '.[study,bench]' pytest
fi
exec "$python" benchmarks/gpu.py "$@"
