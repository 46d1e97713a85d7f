r"""Lines: a record in a frame that shows whether it is sound.

<crc32 of the rest, 8 hex> <request key, 32 hex> <JSON>
"""

from zlib import crc32

KEY_BYTES = 16
KEY_AT = 9
"""First byte of the request key in a line."""
TEXT_AT = KEY_AT + 2 * KEY_BYTES + 1
"""First byte of the JSON in a line."""

HEX = b"0123456789abcdef"


def frame(key: bytes, text: bytes) -> bytes:
    r"""The line of a record, without its newlines; `text` is JSON without a newline.

    >>> frame(bytes(16), b"{}")
    b'b83e7c76 00000000000000000000000000000000 {}'
    """
    rest = b"%b %b" % (key.hex().encode(), text)
    return b"%08x %b" % (crc32(rest), rest)


def unframe(line: bytes) -> tuple[bytes, bytes]:
    """Request key and JSON text of a line. Raises ValueError that says why it is none.

    >>> unframe(b"b83e7c76 00000000000000000000000000000000 {}") == (bytes(16), b"{}")
    True
    >>> unframe(b"b83e7c76 00000000000000000000000000000000 {")
    Traceback (most recent call last):
    ValueError: the checksum differs
    """
    why = fault(line)
    if why:
        raise ValueError(why)
    return bytes.fromhex(line[KEY_AT : TEXT_AT - 1].decode()), line[TEXT_AT:]


def fault(line: bytes) -> str:
    """What is wrong with a line; empty: nothing."""
    if line[:KEY_AT] != b"%08x " % crc32(line[KEY_AT:]):
        return "the checksum differs"
    key = line[KEY_AT : TEXT_AT - 1]
    if line[TEXT_AT - 1 : TEXT_AT] != b" " or key.translate(None, HEX):
        return "there is no request key"
    return ""
