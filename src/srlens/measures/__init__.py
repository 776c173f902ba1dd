"""Numbers drawn from maps and images."""
