"""What a file is that cannot be read as what it was given for, by its first bytes: for messages."""

_PAGE = "a web page: the download went wrong"
_STARTS = (
    (b"version https://git-lfs", "a Git LFS pointer: fetch the file itself with `git lfs pull`"),
    (b"<!doctype html", _PAGE),
    (b"<html", _PAGE),
    (b"gif8", "GIF, a picture: save the wanted frame as PNG"),
    (b"\x89png", "a PNG picture"),
    (b"\xff\xd8\xff", "a JPEG picture"),
    (b"ii*\0", "a TIFF picture"),
    (b"mm\0*", "a TIFF picture"),
    (b"%pdf", "a PDF"),
    (b"\x89hdf", "HDF5, as Keras writes it: save the weights from PyTorch"),
    (b"gguf", "GGUF, a language model"),
)


def kind_of(data: bytes) -> str | None:
    """A phrase for what the first 512 bytes of a file tell ("a web page: …"); None where they tell nothing."""
    start = data[:512].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    for magic, phrase in _STARTS:
        if start.startswith(magic):
            return phrase
    if b"<svg" in start:
        return "SVG, a drawing: export it to PNG"
    if b"ftyp" in data[4:8]:
        return "HEIC, AVIF or a video: convert it to PNG"
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "a WebP picture"
    # The version of a protocol buffer, then a text or the graph; a safetensors file may have such a length.
    if data[:1] == b"\x08" and data[2:3] in (b"\x12", b"\x3a", b"\x42") and data[8:9] != b"{":
        return "ONNX, a compiled graph: save the weights from PyTorch"
    return None
