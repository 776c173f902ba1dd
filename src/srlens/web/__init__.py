"""The web page: drop a picture, click a place, see which pixels the networks used. A thin face over ``study``."""
