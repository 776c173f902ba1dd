"""Image files, bit depth, colour and resampling."""
