"""``python -m srlens``."""

from srlens.cli.main import main

main()
