"""Japanese in escape sequences and in EUC, with the extensions Python's codecs refuse."""

import re

# Python's own codecs know neither row 13 (①㈱), nor half-width kana beside kanji, nor text whose
# last escape is missing; all three are everyday in mails from Japan. Both encodings are the same
# table as CP932 in another coat, so everything is turned into CP932 and read as that.

_ESCAPE = re.compile(rb"\x1b(\([BJIH]|\$[@AB]|\$\([A-DO-Q]|\.[AF]|N|&@)")
_TWO_BYTES = {b"$@", b"$B", b"$(B", b"$(O", b"$(Q"}
_STRAY = re.compile(rb"[\x80-\xff]+")
_LINE_END = re.compile(rb"([\r\n]+)")
_EUC = re.compile(rb"[\x00-\x7f]+|\x8f[\xa1-\xfe]{2}|\x8e[\xa1-\xdf]|(?:[\xa1-\xfe]{2})+")


def decode(body: bytes, *, broken: bool = False) -> str:
    """Text in ISO-2022-JP or one of its relatives. Raises `UnicodeError` on anything else.

    With `broken` whatever does not belong there is U+FFFD, or the UTF-8 that it is.
    """
    pieces = _ESCAPE.split(body)
    out = [_piece(b"(B", pieces[0], broken=broken)]
    for escape, piece in zip(pieces[1::2], pieces[2::2], strict=True):
        out.append(_piece(escape, piece, broken=broken))
    return "".join(out)


def _piece(escape: bytes, piece: bytes, *, broken: bool) -> str:
    supplement = escape == b"$(D"
    try:
        if supplement or escape in _TWO_BYTES:
            return _two_bytes(piece, supplement=supplement)
        return _one_byte(piece, kana=escape == b"(I")
    except UnicodeError:
        if not broken:
            raise
    if escape not in _TWO_BYTES:
        return piece.decode("utf-8", "replace")
    first, *rest = _LINE_END.split(piece, maxsplit=1)
    runs = [_pairs(run) for run in _STRAY.split(first)]
    return "\ufffd".join(runs) + b"".join(rest).decode("utf-8", "replace")


def _pairs(run: bytes) -> str:
    """Pair by pair, because one of them is none."""
    out = []
    for at in range(0, len(run), 2):
        try:
            out.append(_shifted(run[at : at + 2]))
        except ValueError:  # of both kinds: half a pair as well
            out.append("\ufffd")
    return "".join(out)


def decode_euc(body: bytes, *, broken: bool = False) -> str:
    """Text in EUC-JP as Windows writes it. Raises `UnicodeError` on anything else.

    With `broken` whatever does not belong there is U+FFFD.
    """
    errors = "replace" if broken else "strict"
    out = []
    end = 0
    for run in _EUC.finditer(body):
        if run.start() != end:
            if not broken:
                break
            out.append("\ufffd")
        end = run.end()
        piece = run.group()
        if piece[0] < 0x80:
            out.append(piece.decode("ascii"))
        elif piece[0] == 0x8E:
            out.append(piece[1:].decode("cp932"))
        elif piece[0] == 0x8F:
            out.append(piece.decode("euc_jp", errors))
        else:
            out.append(_shifted(bytes(byte & 0x7F for byte in piece), errors))
    if end != len(body):
        if not broken:
            raise UnicodeError("not EUC-JP")
        out.append("\ufffd")
    return "".join(out)


def _one_byte(piece: bytes, *, kana: bool) -> str:
    if kana:
        piece = bytes(byte | 0x80 if 0x21 <= byte <= 0x5F else byte for byte in piece)
    if not all(byte < 0x80 or 0xA1 <= byte <= 0xDF for byte in piece):
        raise UnicodeError("not ISO-2022-JP")
    return piece.decode("cp932").replace("\x0e", "").replace("\x0f", "")


def _two_bytes(piece: bytes, *, supplement: bool) -> str:
    # A line end closes the double-byte mode even where the escape back was forgotten.
    first, *rest = _LINE_END.split(piece, maxsplit=1)
    pairs = len(first) - len(first) % 2
    head, tail = first[:pairs], first[pairs:]
    if supplement:
        text = bytes(byte | 0x80 for byte in head)
        read = b"".join(b"\x8f" + text[at : at + 2] for at in range(0, pairs, 2)).decode("euc_jp")
    else:
        read = _shifted(head)
    return (
        read + _one_byte(tail, kana=False) + "".join(_one_byte(part, kana=False) for part in rest)
    )


def _shifted(pairs: bytes, errors: str = "strict") -> str:
    """Pairs of seven-bit row and cell, by way of CP932."""
    out = bytearray()
    for row, cell in zip(pairs[::2], pairs[1::2], strict=True):
        if not (0x21 <= row <= 0x7E and 0x21 <= cell <= 0x7E):
            if row == 0x20 or row >= 0x80 or cell >= 0x80 or cell < 0x20:
                raise UnicodeError("not two-byte Japanese")
            out += bytes((row, cell))
            continue
        lead = (row - 0x21) // 2 + 0x81
        out.append(lead if lead <= 0x9F else lead + 0x40)
        if row % 2:
            out.append(cell + 0x1F + (cell >= 0x60))
        else:
            out.append(cell + 0x7E)
    return out.decode("cp932", errors)
