"""Bengali in Devanagari letters, so that what Bengali shares with Hindi and Marathi can be seen on the surface."""

from __future__ import annotations

import unicodedata

_OTHERWISE = {"ৎ": "त्", "ৗ": "ौ", "ৰ": "र", "ৱ": "व"}
"""Letters without a namesake: khanda ta, the au length mark, and Assamese ra and va."""


def _table() -> dict[int, str]:
    table = {ord(letter): other for letter, other in _OTHERWISE.items()}
    for code in range(0x0980, 0x0A00):
        name = unicodedata.name(chr(code), "")
        try:
            table.setdefault(code, unicodedata.lookup(name.replace("BENGALI", "DEVANAGARI")))
        except KeyError:  # unassigned, or a sign that Devanagari does not have: it stays as it is
            continue
    return table


_DEVANAGARI = _table()


def to_devanagari(text: str) -> str:
    """A text (NFC) with each Bengali letter replaced by the Devanagari letter of the same name in Unicode.

    The scripts stand in Unicode in the same order, so this is an offset of code points, but only where both exist:
    neither Unicode's gaps nor ৳ become letters. Letter by letter, not by sound (ব stays ब where Hindi has व).
    """
    decomposed = unicodedata.normalize("NFD", text)  # ড় is ড and a nukta, whatever its precomposed form is named
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", decomposed).translate(_DEVANAGARI))
