"""What is read of an image file of any format and mode."""

import numpy as np
import pytest
from PIL import Image

from netsurgery.datasets.image_decoding import UnusableImageError, read_header, read_pixels

RNG = np.random.default_rng(0)
GREY = Image.fromarray(RNG.integers(0, 256, (5, 7), dtype=np.uint8))
COLOUR = Image.fromarray(RNG.integers(0, 256, (5, 7, 3), dtype=np.uint8))


def deep_png():
    """The bytes of a colour image with 16 bits per channel."""
    import struct
    import zlib

    def chunk(name, content):
        body = name + content
        return struct.pack(">I", len(content)) + body + struct.pack(">I", zlib.crc32(body))

    header = struct.pack(">IIBBBBB", 2, 2, 16, 2, 0, 0, 0)
    rows = (b"\0" + bytes(12)) * 2
    pixels = chunk(b"IDAT", zlib.compress(rows))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + pixels + chunk(b"IEND", b"")


def deep_tiff():
    """The bytes of a colour image with 16 bits per channel."""
    import struct

    tags = [(256, 3, 1, 2), (257, 3, 1, 1), (258, 3, 3, 122), (259, 3, 1, 1), (262, 3, 1, 2)]
    tags += [(273, 4, 1, 128), (277, 3, 1, 3), (278, 3, 1, 1), (279, 4, 1, 12)]
    entries = b"".join(struct.pack("<HHII", *tag) for tag in tags)
    head = struct.pack("<2sHIH", b"II", 42, 8, len(tags)) + entries + bytes(4)
    return head.ljust(122, b"\0") + struct.pack("<HHH", 16, 16, 16) + bytes(12)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.png", deep_png()),
        ("a.tif", deep_tiff()),
        ("a.ppm", b"P6 2 1 65535\n" + bytes(12)),
        ("a.pgm", b"P5 2 1 65535\n" + bytes(4)),
    ],
)
def test_more_than_8_bits_per_channel_are_never_cut(name, content, tmp_path):
    (tmp_path / name).write_bytes(content)
    with Image.open(tmp_path / name) as image:  # readable, but Pillow would reduce it
        image.load()
    with pytest.raises(UnusableImageError, match=r"more than 8 bits per channel .* (16|32) bits"):
        read_header(tmp_path / name)


def test_grey_images_of_32_bits_are_rejected(tmp_path):
    Image.new("I", (3, 2)).save(tmp_path / "a.tif")
    with pytest.raises(UnusableImageError, match="more than 8 bits per channel"):
        read_header(tmp_path / "a.tif")


def test_an_unknown_colour_mode_is_named(tmp_path):
    Image.new("LAB", (3, 2)).save(tmp_path / "a.tif")
    with pytest.raises(UnusableImageError, match="has the colour mode LAB") as caught:
        read_header(tmp_path / "a.tif")
    assert caught.value.advice == "convert images to RGB"


@pytest.mark.parametrize(
    ("suffix", "mode", "exact"),
    [
        ("png", "1", True),
        ("png", "L", True),
        ("png", "LA", True),
        ("png", "P", True),
        ("png", "RGB", True),
        ("png", "RGBA", True),
        ("BMP", "RGB", True),
        ("tif", "CMYK", True),
        ("TIFF", "RGB", True),
        ("gif", "P", True),
        ("webp", "RGB", False),
        ("jpg", "L", False),
        ("JPEG", "RGB", False),
        ("jpg", "CMYK", False),
    ],
)
def test_modes_of_8_bits_are_read_as_grey_or_colour(suffix, mode, exact, tmp_path):
    image = COLOUR.convert("RGB" if mode == "LA" else mode).convert(mode)
    path = tmp_path / f"a.{suffix}"
    image.save(path)
    header = read_header(path)
    assert header.size == (5, 7)
    assert header.grey == (mode in ("1", "L", "LA"))
    assert header.alpha == (mode in ("LA", "RGBA"))
    assert not header.pages
    for channels, plain in ((1, "L"), (3, "RGB")):
        pixels = read_pixels(path, (5, 7), channels)
        assert (pixels.dtype, pixels.shape) == (np.uint8, (5, 7, channels))
        if exact:
            expected = np.asarray(image.convert(plain)).reshape(5, 7, channels)
            np.testing.assert_array_equal(pixels, expected)
    assert read_pixels(path, (3, 4), 1).shape == (3, 4, 1)


@pytest.mark.parametrize("suffix", ["png", "gif"])
def test_a_transparent_colour_of_a_palette_is_ignored(suffix, tmp_path):
    image = GREY.convert("P")
    image.save(tmp_path / f"a.{suffix}", transparency=image.getpixel((0, 0)))
    assert read_header(tmp_path / f"a.{suffix}").alpha
    np.testing.assert_array_equal(read_pixels(tmp_path / f"a.{suffix}", (5, 7), 1)[..., 0], GREY)


@pytest.mark.parametrize("suffix", ["tif", "gif", "png", "webp"])
def test_the_first_of_several_pages_is_read(suffix, tmp_path):
    pages = [Image.new("L", (6, 5), shade) for shade in (0, 255)]
    pages[0].save(tmp_path / f"a.{suffix}", save_all=True, append_images=pages[1:])
    assert read_header(tmp_path / f"a.{suffix}").pages
    assert read_pixels(tmp_path / f"a.{suffix}", (5, 6), 1).max() == 0


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("suffix", ["jpg", "png", "tif", "webp"])
def test_exif_orientation_is_applied_once(suffix, orientation, tmp_path):
    pixels = np.zeros((40, 60), np.uint8)
    pixels[:20, :30] = 255  # the upper left quarter is white
    turned = {2: (1,), 3: (0, 1), 4: (0,), 7: (0, 1), 6: (1,), 8: (0,)}.get(orientation, ())
    expected = np.flip(pixels.T if orientation >= 5 else pixels, turned)
    exif = Image.Exif()
    exif[0x0112] = orientation
    Image.fromarray(pixels).convert("RGB").save(tmp_path / f"a.{suffix}", exif=exif)
    header = read_header(tmp_path / f"a.{suffix}")
    assert header.size == expected.shape
    assert header.turned == (orientation > 1)
    found = read_pixels(tmp_path / f"a.{suffix}", header.size, 1)[..., 0]
    assert np.abs(found.astype(int) - expected).mean() < 8


def test_a_huge_image_is_not_called_damaged(tmp_path, monkeypatch):
    COLOUR.save(tmp_path / "a.png")
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 20)
    assert read_header(tmp_path / "a.png").size == (5, 7)  # Pillow only warns of a large one
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 10)
    with pytest.raises(UnusableImageError, match="too many pixels") as caught:
        read_header(tmp_path / "a.png")
    assert caught.value.advice == "scale large images down"


def test_damaged_exif_does_not_hide_an_image(tmp_path):
    COLOUR.save(tmp_path / "a.jpg", exif=b"Exif\0\0II*\0\xff\xff\xff\xff")
    assert read_header(tmp_path / "a.jpg").size == (5, 7)
    assert read_pixels(tmp_path / "a.jpg", (5, 7), 3).shape == (5, 7, 3)
