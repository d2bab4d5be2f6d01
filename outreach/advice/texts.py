"""Advice on the words: shouting, hashtags that nobody can read out, mentions that mention nobody, links, pictures."""

import re
from collections.abc import Iterator, Sequence

from outreach import markup
from outreach.advice.counsel import Advice, Kind
from outreach.advice.vocabulary import KNOWN
from outreach.model import Picture

_LONG_SUBJECT = 70
_MOST_LINKS = 3
_LONG_ALT = 1000
_FEWEST_LETTERS = 16
_MOSTLY = 0.6
_LONG_HASHTAG = 12


def on_text(title: str, text: str) -> list[Advice]:
    """Say what is unwise in the text of a post on a Page."""
    found = [*_shouting(f"{title}\n{text}"), *_hashtags(title, text), *_mentions(text), *_links(text)]
    return list(dict.fromkeys(found))


def on_subject(title: str, text: str) -> list[Advice]:
    """Say what is unwise in the subject and the text of a mail."""
    found = list(_shouting(f"{title}\n{text}"))
    if len(title) > _LONG_SUBJECT:
        told = f"The subject has {len(title)} characters, and the list may add its name; phones show about 40."
        found.append(Advice(Kind.SUBJECT, told, f"Keep it under {_LONG_SUBJECT}, with what matters first."))
    return found


# Shouting

_WORDS = re.compile(r"[^\W\d_]{2,}")
_CRIES = re.compile(r"[!?]*!{2,}[!?]*|\?{2,}!*")


def _shouting(text: str) -> Iterator[Advice]:
    bare = text
    for address in markup.addresses(text):
        bare = bare.replace(address, " ")
    for line in bare.splitlines():
        if _is_shouted(line):
            told = f"“{_short(line)}” is in capitals, which reads as shouting and is spelt out by screen readers."
            yield Advice(Kind.SHOUTING, told, "Write it in small letters.")
            break
    if found := _CRIES.search(bare):
        yield Advice(Kind.SHOUTING, f"“{_short(found[0], 10)}” reads as shouting.", "One mark is enough.")


_SMALL_WORDS = frozenset(
    [
        "ALL",
        "AND",
        "ARE",
        "BY",
        "DO",
        "DON",
        "FOR",
        "FROM",
        "IN",
        "IS",
        "IT",
        "NEW",
        "NOT",
        "NOW",
        "OF",
        "ON",
        "OPEN",
        "OUR",
        "THE",
        "THIS",
        "TO",
        "WE",
        "WITH",
        "YOU",
        "YOUR",
    ]
)


def _is_shouted(line: str) -> bool:
    """Names in capitals, such as AACR or NCI, are no shouting, however many: small words in capitals are, and long ones."""
    words = _WORDS.findall(line)
    if sum(map(len, words)) < _FEWEST_LETTERS:
        return False
    run = 0
    for place, word in enumerate(words):
        run = run + 1 if word.isupper() else 0
        if run >= 3 and not _SMALL_WORDS.isdisjoint(words[place - run + 1 : place + 1]):
            return True
    long = [word for word in words if len(word) > 4]
    loud = [word for word in long if word.isupper()]
    return len(loud) > 1 and len(loud) / len(long) > _MOSTLY


# Hashtags and mentions

_HASHTAG = re.compile(r"(?<![\w&/#])#(\w*[^\W\d_]\w*)")
_MENTION = re.compile(r"(?<![\w.+@/-])@([^\W\d_][\w.]{2,})")


def _hashtags(title: str, text: str) -> Iterator[Advice]:
    for tag in dict.fromkeys(_HASHTAG.findall(f"{title}\n{text}")):
        if better := suggested_hashtag(tag, f"{title}\n{text}"):
            yield Advice(
                Kind.HASHTAG,
                f"#{tag} is one long word to a screen reader.",
                f"Begin each word in it with a capital: #{better}.",
            )
        elif _is_run_together(tag):
            told = f"#{tag} is one long word to a screen reader."
            yield Advice(Kind.HASHTAG, told, "Begin each word in it with a capital.")


def suggested_hashtag(tag: str, text: str = "") -> str:
    """Part a hashtag in one letter case into its words and begin each with a capital; empty where it is one, or unknown.

    The words are those of the announcement and of the vocabulary of the field; the fewest that fit are taken.
    """
    if not (tag.islower() or (tag.isupper() and len(tag) > 6)):
        return ""
    small = tag.lower()
    own = {w.lower() for w in re.findall(r"[^\W\d_]{3,}", _HASHTAG.sub(" ", text)[:20_000])}
    words = _parted(small, KNOWN | own)
    return "".join(word[:1].upper() + word[1:] for word in words) if len(words) > 1 else ""


def _parted(tag: str, known: frozenset[str] | set[str]) -> list[str]:
    """Find the fewest known words, and numbers, that a tag is made of; none when it is made of others."""
    best: list[list[str] | None] = [[], *([None] * len(tag))]
    for end in range(1, len(tag) + 1):
        for start in range(max(0, end - 24), end):
            before, word = best[start], tag[start:end]
            is_word = word in known or word.isdigit()
            if before is not None and is_word and (best[end] is None or len(before) + 1 < len(best[end] or [])):
                best[end] = [*before, word]
    return best[len(tag)] or []


def _is_run_together(tag: str) -> bool:
    return tag.islower() and len(tag) >= _LONG_HASHTAG and tag not in KNOWN and "_" not in tag


def _mentions(text: str) -> Iterator[Advice]:
    if found := _MENTION.search(text):
        told = f"@{found[1]} will stand there as plain text: nobody is mentioned by it, and nobody is told."
        yield Advice(Kind.MENTION, told, "Write the name alone.")


# Links and pictures


def _links(text: str) -> Iterator[Advice]:
    count = len(dict.fromkeys(markup.addresses(text)))
    if count > _MOST_LINKS:
        told = f"There are {count} web addresses in the text; Facebook shows a card for one at most."
        yield Advice(Kind.LINKS, told, "Keep the one that matters, and let its page lead on.")


def on_link(link: str | None, text: str) -> list[Advice]:
    """Say when there is nothing to follow."""
    if link or markup.addresses(text) or "@" in text:
        return []
    return [
        Advice(
            Kind.NO_LINK, "There is no link and no address in it.", "Add one, so that people can take the next step."
        )
    ]


def on_pictures(pictures: Sequence[Picture]) -> list[Advice]:
    """Say which pictures cannot be understood by who does not see them."""
    return [advice for picture in pictures for advice in _on_picture(picture)]


_FILE_NAME = re.compile(r"\S+\.(?:jpe?g|png|gif|bmp|tiff?|webp|heic)|(?:img|dsc|image|screenshot)[ _-]?\d+", re.I)
_OPENING = re.compile(r"(?:an? )?(?:image|picture|photo|photograph|graphic) (?:of|showing) ", re.I)


def _on_picture(picture: Picture) -> Iterator[Advice]:
    if picture.alt is None:
        return
    alt = " ".join(picture.alt.split())
    if not alt:
        told = f"{picture.file} has no alternative text."
        yield Advice(Kind.ALT, told, "Say what it shows, or call it decorative.", is_grave=True)
    elif _FILE_NAME.fullmatch(alt):
        told = f"The alternative text of {picture.file} is the name of a file."
        yield Advice(Kind.ALT, told, "Say what the picture shows.", is_grave=True)
    elif found := _OPENING.match(alt):
        told = (
            f"The alternative text of {picture.file} begins with “{found[0].strip()}”, which screen readers say anyway."
        )
        yield Advice(Kind.ALT, told, "Begin with what it shows.")
    elif len(alt) > _LONG_ALT:
        told = f"The alternative text of {picture.file} has {len(alt)} characters."
        yield Advice(Kind.ALT, told, "Say it in a sentence or two, and put the rest into the text.")


def _short(text: str, most: int = 60) -> str:
    text = " ".join(text.split())
    return text if len(text) <= most else f"{text[: most - 1]}…"
