"""Results on disk: written whole or not at all, with everything needed to read them again."""
