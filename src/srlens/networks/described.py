"""A network in words: what is known of it in a line and, for notebooks, in a table."""

from html import escape
from typing import TYPE_CHECKING

from srlens.networks.noise_map import told_level

if TYPE_CHECKING:
    from srlens.networks.network import Network


def in_a_line(network: "Network") -> str:
    """Less than 200 characters."""
    facts = ", ".join(f"{label} {value}" for label, value in list(_known(network).items())[1:])
    text = f"Network {network.name}: {facts}"
    return text if len(text) < 200 else f"{text[:198]}…"


def as_table(network: "Network") -> str:
    """HTML, a row a fact."""
    rows = (f"<tr><th>{label}</th><td>{escape(value)}</td></tr>" for label, value in _known(network).items())
    return f"<table>{''.join(rows)}</table>"


def _known(network: "Network") -> dict[str, str]:
    frames, level = network.frames, network.noise_level
    told = f"σ {told_level(level):g}" + (", unless the picture's is known" if level is None else "")
    known = {
        "network": network.name,
        "family": network.family,
        "kind": network.kind,
        "scale": f"×{network.scale}",
        "channels": f"{network.channels} ({network.colour})",
        **({"frames": f"{frames}, of {network.channels // frames} channels"} if frames else {}),
        "value range": f"0–{network.value_range:g}",
        **({"noise level": told} if network.noise_map else {}),
        "receptive field": network.receptive_field.in_words(network.scale),
        "parameters": f"{network.parameters:,}",
        "source": network.source,
    }
    return {label: value if value is not None else "unknown" for label, value in known.items()}
