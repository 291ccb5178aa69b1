"""The encoding of a text file: by its byte order mark or UTF-8; for messages, a guess.

The encoding itself is never guessed when reading: a wrong guess changes names without a word.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Callable, Sequence
from pathlib import Path

from netsurgery.datasets import file_kinds

MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),  # before UTF-16, whose mark it starts with
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
SAMPLE = 2**20  # bytes that a guess looks at
SHOWN = 40  # characters


def is_encoding(encoding: str) -> bool:
    """Whether Python knows an encoding of text."""
    try:
        "".encode(encoding)
    except LookupError:  # unknown, or not of text
        return False
    return True


def by_mark(path: Path) -> str:
    """The encoding that a file's byte order mark names; without one, UTF-8."""
    with file_kinds.open_bytes(path) as file:
        start = file.read(4)
    return next((name for mark, name in MARKS if start.startswith(mark)), "utf-8")


def _share(text: str, *ranges: tuple[str, str]) -> float:
    """The share of characters beyond ASCII that are in some ranges."""
    others = [c for c in text if c > "\x7f"]
    return sum(any(low <= c <= high for low, high in ranges) for c in others) / max(1, len(others))


def _common(content: bytes, encoding: str, letters: str) -> float:
    """The share of characters beyond ASCII that are the most common letters of an alphabet."""
    others = [c for c in content.decode(encoding, "replace").lower() if c > "\x7f"]
    return sum(c in letters for c in others) / max(1, len(others))


KANA = ("\u3040", "\u30ff")
CHINESE = ("\u4e00", "\u9fff")
HANGUL = ("\uac00", "\ud7a3")
Plausible = Callable[[str], bool]
JAPANESE: tuple[tuple[str, Plausible], ...] = (
    ("euc_jp", lambda t: _share(t, KANA) > 0.2 and _share(t, KANA, CHINESE) > 0.8),
    ("shift_jis", lambda t: _share(t, KANA) > 0.2 and _share(t, KANA, CHINESE) > 0.7),
)
ALPHABETS = {
    "cp1251": "оеаинтсрвлкмд",
    "koi8_r": "оеаинтсрвлкмд",
    "cp1253": "αοιετσνηυρςπκμλόίάέή",
    "cp1255": "יוהלאתרםמבשנדע",
    "cp1256": "اليمنرتوبسدهعفحكق",
    "cp874": "านรอกเงยลวมสทตปคบพจดชหะัิีุู่้แไโ",
}
EAST_ASIAN: tuple[tuple[str, Plausible], ...] = (
    ("cp949", lambda t: _share(t, HANGUL) > 0.9),
    ("gb2312", lambda t: _share(t, CHINESE) > 0.7),
    ("big5", lambda t: _share(t, CHINESE) > 0.7),
    ("gb18030", lambda t: _share(t, CHINESE) > 0.7),
    ("shift_jis", lambda t: _share(t, CHINESE) > 0.7),
)
MOST = 0.6
LATIN = ("cp1252", "cp1250", "cp1254", "cp850", "mac_roman", "latin-1")


def _first_plausible(content: bytes, encodings: Sequence[tuple[str, Plausible]]) -> str | None:
    """The first encoding in which a text is one of its language."""
    for name, plausible in encodings:
        try:
            text = content.decode(name)
        except UnicodeDecodeError as error:
            if error.start < len(content) - 4:  # not just a character cut off at the end
                continue
            text = content.decode(name, "ignore")
        if plausible(text):
            return name
    return None


def guess(content: bytes) -> str:
    """The likely encoding of a text that is not UTF-8.

    A Western text has single letters beyond ASCII between others; in the scripts of other languages
    they stand together. Which language it is shows in what most of them are.
    """
    if content.count(0) > len(content) / 10:
        return "utf-16-le" if content[1::2].count(0) >= content[::2].count(0) else "utf-16-be"
    runs = [len(run) for run in re.findall(rb"[\x80-\xff]+", content)]
    if name := _first_plausible(content, JAPANESE):
        return name
    if runs.count(1) <= len(runs) / 2:
        shares = {name: _common(content, name, letters) for name, letters in ALPHABETS.items()}
        best = max(shares, key=lambda name: shares[name])
        if shares[best] > MOST:
            return best
        if name := _first_plausible(content, EAST_ASIAN):
            return name
    return max(LATIN, key=lambda name: _letters_in_place(content, name))


def _letters_in_place(content: bytes, encoding: str) -> float:
    """The share of characters beyond ASCII that stand where they may stand in a Latin text.

    Small letters stand anywhere, capitals not after small letters, signs not between letters.
    """
    try:
        text = content.decode(encoding)
    except UnicodeDecodeError:
        return -1
    found = re.findall(r"(?=(.?)([^\x00-\x7f])(.?))", text)
    right = sum(
        c.islower() or (c.isupper() and not before.islower()) or not (before + after).isalpha()
        for before, c, after in found
    )
    return right / max(1, len(found))


def advice(path: Path) -> tuple[str, str]:
    """The likely encoding of a file that is not UTF-8; and advice, with a word read with it."""
    with file_kinds.open_bytes(path) as file:
        content = file.read(SAMPLE)
        while content.isascii() and (following := file.read(SAMPLE)):
            content = content.rpartition(b"\n")[2] + following
    name = guess(content)
    text = content.decode(name, "replace")
    found = re.search(r"[^\W\d]*[^\x00-\x7f]+[^\W\d]*", text)
    shown = f", in which a word reads {found.group()[:SHOWN]!r}" if found else ""
    return name, f"set its `encoding` (it looks like `{name}`{shown}) or convert it to UTF-8"
