"""One image file: what its header says, its pixels, and why it cannot be used."""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from PIL import Image

# Pillow's modes with 8 bits per channel that it converts to grey or to RGB
GREY = ("1", "L", "LA", "La")
COLOUR = ("RGB", "RGBA", "RGBa", "RGBX", "P", "PA", "CMYK", "YCbCr", "HSV")
ALPHA = ("LA", "La", "PA", "RGBA", "RGBa")
MAX_BITS = 8
# modes of grey images that Pillow keeps as they are, and how their pixels are stored
DEEP = {"I;16": "uint16", "I;16B": "uint16", "I;16L": "uint16", "F": "float32"}
PLAIN = "uint8"
# formats whose further pages are previews or layers of the first
SINGLE_FORMATS = ("MPO", "PSD")
ORIENTATION, ROTATED = 0x0112, (5, 6, 7, 8)  # the tag of EXIF, and its values that swap the sides
TIFF_BITS = 258
RAW_BITS = re.compile(r"^(?!BGR).*;(\d+)[A-Z]*$")  # BGR;16 are 5, 6 and 5 bits of a bitmap
# what files are that have the name of an image, by their first bytes
DISGUISES = {
    b"version https://git-lfs": "it is a pointer of Git LFS; run `git lfs pull`",
    b"<!doctype": "it is an HTML page, perhaps of a failed download",
    b"<html": "it is an HTML page, perhaps of a failed download",
    b"<?xml": "it is an XML document",
    b"<svg": "it is a vector image",
    b"%pdf": "it is a PDF document",
}

REPAIR = "repair or remove damaged files"
REDUCE = "convert images to 8 bits per channel, or provide them as an npz file"
SHRINK = "scale large images down"
CONVERT = "convert images to RGB"
ALIKE = "convert all images to the same number of bits"
BYTES_LEFT = re.compile(r" \(\d+ bytes not processed\)")  # differs between files


class UnusableImageError(Exception):
    """An image cannot be used.

    Attributes:
        reason: what is wrong, as the end of a sentence about the image.
        advice: what to do.
    """

    def __init__(self, reason: str, advice: str = REPAIR) -> None:
        super().__init__(reason)
        self.reason, self.advice = reason, advice


@dataclass(frozen=True)
class Header:
    """What the header of an image says.

    Attributes:
        size: height and width of the upright image.
        grey: whether it has no colours.
        alpha: whether it has an alpha channel or a transparent colour.
        pages: whether it has several pages or frames.
        turned: whether its EXIF orientation turns or mirrors it.
        dtype: of its pixels: uint8, for grey images also uint16 and float32.
    """

    size: tuple[int, int]
    grey: bool
    alpha: bool
    pages: bool
    turned: bool
    dtype: str = PLAIN


@contextmanager
def _opened(path: Path) -> Iterator[Image.Image]:
    """Open an image.

    Raises:
        UnusableImageError: Pillow cannot read it.
    """
    from PIL import Image

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of large images and odd metadata: errors tell
            with Image.open(path) as image:
                yield image
    except UnusableImageError:
        raise
    except Image.DecompressionBombError:
        raise UnusableImageError("has too many pixels", SHRINK) from None
    except Exception as error:  # damaged files raise almost any type in Pillow
        raise UnusableImageError(f"cannot be read as an image ({_why(path, error)})") from None


def _why(path: Path, error: Exception) -> str:
    """Why an image cannot be read."""
    if not path.exists():
        return "its link is broken" if path.is_symlink() else "it does not exist"
    try:
        with path.open("rb") as file:
            start = file.read(64).lstrip(b"\xef\xbb\xbf \r\n\t").lower()
    except OSError as denied:
        return denied.strerror or type(denied).__name__
    if not start:
        return "it is empty"
    disguise = next((what for head, what in DISGUISES.items() if start.startswith(head)), None)
    lines = BYTES_LEFT.sub("", str(error)).replace(f" {str(path)!r}", "").splitlines()
    return disguise or (lines[0] if lines else type(error).__name__)


def _bits(image: Image.Image) -> int:
    """Bits per channel of an opened image, before Pillow reduces them."""
    if image.mode == "F" or image.mode.startswith("I"):
        return 16 if ";16" in image.mode else 32
    if image.format == "TIFF":
        return max(image.tag_v2.get(TIFF_BITS, (1,)))  # type: ignore[attr-defined]
    for tile in getattr(image, "tile", ()):
        given = tile[3]
        if tile[0].startswith("ppm") and isinstance(given, tuple):
            return int(given[1]).bit_length()  # the largest value of a netpbm file
        raw = given[0] if isinstance(given, tuple) and given else given
        if isinstance(raw, str) and (found := RAW_BITS.match(raw)):
            return int(found[1])
    return MAX_BITS


def _orientation(image: Image.Image) -> int:
    if image.format == "PNG" and "exif" not in image.info:
        return 1  # only decoding tells whether one follows the pixels
    try:
        return image.getexif().get(ORIENTATION, 1)
    except Exception:  # damaged metadata of a readable image
        return 1


def read_header(path: Path, *, upright: bool = True) -> Header:
    """Read the header of an image, and check that its pixels can be read without a loss.

    Args:
        path: of the image.
        upright: whether its EXIF orientation counts; that of TIFF files always does.

    Raises:
        UnusableImageError: it is no readable image, or a colour image with more than 8 bits.
    """
    with _opened(path) as image:
        bits, mode = _bits(image), image.mode
        if bits > MAX_BITS and mode not in DEEP:
            of_mode = f"mode {mode}, {bits} bits"
            raise UnusableImageError(f"has more than 8 bits per channel ({of_mode})", REDUCE)
        if mode not in (*GREY, *COLOUR, *DEEP):
            raise UnusableImageError(f"has the colour mode {mode}, which cannot be read", CONVERT)
        orientation = _orientation(image) if upright or image.format == "TIFF" else 1
        width, height = image.size
        if orientation in ROTATED and image.format != "TIFF":  # Pillow turns TIFF files itself
            width, height = height, width
        return Header(
            size=(height, width),
            grey=mode in GREY or mode in DEEP,
            alpha=mode in ALPHA or "transparency" in image.info,
            pages=bool(getattr(image, "is_animated", False)) and image.format not in SINGLE_FORMATS,
            turned=orientation not in (0, 1),
            dtype=DEEP.get(mode, PLAIN),
        )


def read_pixels(
    path: Path,
    size: tuple[int, int],
    channels: int,
    dtype: str = PLAIN,
    *,
    upright: bool = True,
) -> np.ndarray:
    """Read the first page of an image, without transparency and resized.

    Args:
        path: of the image.
        size: height and width of the result.
        channels: 1 for grey, 3 for colour.
        dtype: of the pixels: see `Header`.
        upright: whether to turn it as its EXIF orientation says; Pillow always turns TIFF files.

    Returns:
        (height, width, channels).

    Raises:
        UnusableImageError: it is damaged, or has pixels of another dtype.
    """
    from PIL import Image, ImageOps

    with _opened(path) as image:
        if (found := DEEP.get(image.mode, PLAIN)) != dtype:
            raise UnusableImageError(f"has pixels of dtype {found}, not {dtype}", ALIKE)
        turns = upright and _orientation(image) not in (0, 1)
        turned = ImageOps.exif_transpose(image) if turns else image
        if dtype != PLAIN:
            return _deep_pixels(turned, size, dtype)
        converted = turned.convert("L" if channels == 1 else "RGB")
        if converted.size != size[::-1]:
            converted = converted.resize(size[::-1], Image.Resampling.BILINEAR)
        return np.asarray(converted).reshape(*size, channels)


def _deep_pixels(image: Image.Image, size: tuple[int, int], dtype: str) -> np.ndarray:
    """The pixels of a grey image with more than 8 bits, (height, width, 1)."""
    from PIL import Image

    values = np.asarray(image)
    if values.shape != size:
        smooth = Image.fromarray(values.astype(np.float32))
        values = np.asarray(smooth.resize(size[::-1], Image.Resampling.BILINEAR))
        values = values if dtype == "float32" else np.rint(values)
    return values.astype(dtype).reshape(*size, 1)
