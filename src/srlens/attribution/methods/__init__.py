"""The methods: how a map is made. Each file is one, built on :class:`srlens.attribution.scene.Scene` alone."""
