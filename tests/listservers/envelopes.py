"""How an IMAP server understands a mail: its subject and its parts, read from what it answers."""

import re
from email.header import decode_header, make_header
from typing import Any

_TOKEN = re.compile(r'[()]|"(?:[^"\\]|\\.)*"|[^\s()"]+')


def subject_in(answer: list[Any]) -> str:
    """Read the subject of an ENVELOPE, in plain letters."""
    return str(make_header(decode_header(_of("ENVELOPE", answer)[1])))


def shape_in(answer: list[Any]) -> str:
    """Read the parts of a mail from its BODYSTRUCTURE, those inside others in brackets."""
    return _shape(_of("BODYSTRUCTURE", answer))


def _of(name: str, answer: list[Any]) -> list[Any]:
    [fetched] = [each for each in _read(answer) if isinstance(each, list)]
    found = fetched[fetched.index(name) + 1]
    assert isinstance(found, list)
    return found


def _shape(part: list[Any]) -> str:
    if isinstance(part[0], str):
        return f"{part[0]}/{part[1]}".lower()
    below = [each for each in part if isinstance(each, list) and each and isinstance(each[0], str | list)]
    kind = next(each for each in part if isinstance(each, str))
    inner = [_shape(each) for each in below[: part.index(kind)]]
    return f"multipart/{kind.lower()}({', '.join(inner)})"


def _read(answer: list[Any]) -> list[Any]:
    """Make lists of lists of it; what was sent as a literal stands in quotes like everything else."""
    text = "".join(_quoted(piece) if isinstance(piece, tuple) else piece.decode() for piece in answer)
    stack: list[list[Any]] = [[]]
    for token in _TOKEN.findall(text):
        match token:
            case "(":
                stack.append([])
            case ")":
                done = stack.pop()
                stack[-1].append(done)
            case _:
                stack[-1].append(re.sub(r"\\(.)", r"\1", token[1:-1]) if token.startswith('"') else token)
    return stack[0]


def _quoted(piece: tuple[bytes, bytes]) -> str:
    literal = piece[1].decode().replace("\\", r"\\").replace('"', r"\"")
    return re.sub(r"\{\d+\}$", "", piece[0].decode()) + f'"{literal}"'
