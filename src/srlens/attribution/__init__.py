"""The mathematics of local attribution maps: torch and NumPy only."""
