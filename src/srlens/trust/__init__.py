"""Whether a map is true: interventions on the image, and tests of given maps."""
