"""What a file is that cannot be read as what it was given for, by its first bytes: for messages."""

_PAGE = "a web page: the download went wrong"
# Where, what (in small letters), and what that is.
_MAGIC = (
    (0, b"version https://git-lfs", "a Git LFS pointer: fetch the file itself with `git lfs pull`"),
    (0, b"<!doctype html", _PAGE),
    (0, b"<html", _PAGE),
    (0, b"<svg", "SVG, a drawing: export it to PNG"),
    (0, b"gif8", "GIF, a picture: save the wanted frame as PNG"),
    (0, b"\x89png", "a PNG picture"),
    (0, b"\xff\xd8\xff", "a JPEG picture"),
    (0, b"ii*\0", "a TIFF picture"),
    (0, b"mm\0*", "a TIFF picture"),
    (8, b"webpvp8", "a WebP picture"),
    (4, b"ftyp", "HEIC, AVIF or a video: convert it to PNG"),
    (0, b"%pdf", "a PDF"),
    (0, b"\x89hdf", "HDF5, as Keras writes it: save the weights from PyTorch"),
    (0, b"gguf", "GGUF, a language model"),
    # A small version, then the producer's name.
    *((0, bytes([8, version, 0x12]), "ONNX, a compiled graph: save the weights from PyTorch") for version in range(32)),
)


def kind_of(data: bytes) -> str | None:
    """A phrase for what the first 512 bytes of a file tell ("a web page: …"); None where they tell nothing."""
    raw = data[:512].lower()
    forms = (raw, raw.lstrip(b"\xef\xbb\xbf \t\r\n"), raw[raw.find(b"<svg") :])
    known = (phrase for at, magic, phrase in _MAGIC if any(form.startswith(magic, at) for form in forms))
    return next(known, None) if data[8:9] != b"{" else None  # safetensors: a length of any eight bytes, then JSON
