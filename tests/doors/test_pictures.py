"""The pictures that people have, through the letter: whatever kind, size and side, they leave fit, and the original is kept."""

import os
from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image

from outreach import pictures
from outreach.channels import Limits
from outreach.model import BadInput
from outreach.sandbox import Sandbox
from tests.doors.place import Place, a_picture

GPS_IFD, ORIENTATION = 0x8825, 0x0112
LIMITS = [Limits(1000, 10, 4_000_000, frozenset({"JPEG", "PNG", "GIF", "BMP", "TIFF"}))]


def a_photo(kind: str, size: tuple[int, int] = (300, 200)) -> bytes:
    """A photo that lies on its side and tells where it was taken."""
    exif = Image.Exif()
    exif[ORIENTATION] = 6
    exif.get_ifd(GPS_IFD)[1] = "N"
    exif[0x010E] = "SECRET"
    out = BytesIO()
    Image.linear_gradient("L").resize(size).convert("RGB").save(out, kind, exif=exif)
    return out.getvalue()


def sent(place: Place, box: Sandbox, data: bytes, name: str) -> bytes:
    """The bytes that the Page got for a picture beside a letter."""
    (place.folder / name).write_bytes(data)
    place.json("add", place.letter(pictures=f"\n  - file: {name}\n    alt: A hall", to="facebook"))
    place.cli("worker", "--once")
    [post] = box.graph.public_posts()
    [(alt, sha256)] = post.pictures
    assert alt == "A hall"
    [photo] = [photo for photo in box.graph.world.photos.values() if photo.sha256 == sha256]
    return photo.content


@pytest.mark.parametrize("kind", ["JPEG", "WEBP", "PNG", "TIFF"])
def test_a_photo_leaves_upright_and_without_its_place_and_its_original_is_kept(
    place: Place, box: Sandbox, kind: str
) -> None:
    data = a_photo(kind)
    got = sent(place, box, data, f"photo.{kind.lower()}")
    with Image.open(BytesIO(got)) as picture:
        assert (picture.format, picture.size) == ("PNG" if kind == "PNG" else "JPEG", (200, 300))
        assert not len(picture.getexif())
    assert b"SECRET" not in got
    [original] = [name for name in place.inside("media") if ".original." in name]
    assert (place.queue / "media" / original).read_bytes() == data


def test_a_picture_that_is_fit_leaves_byte_for_byte_and_is_its_own_original(place: Place, box: Sandbox) -> None:
    data = a_picture()
    assert sent(place, box, data, "hall.jpg") == data
    assert not [name for name in place.inside("media") if ".original." in name]


def test_a_picture_over_the_limit_is_made_smaller(place: Place, box: Sandbox) -> None:
    out = BytesIO()
    Image.frombytes("RGB", (1500, 1500), os.urandom(1500 * 1500 * 3)).save(out, "PNG")
    assert len(out.getvalue()) > 4_000_000
    assert len(sent(place, box, out.getvalue(), "noise.png")) <= 4_000_000


def test_a_file_that_would_fill_the_memory_is_not_read(place: Place) -> None:
    with (place.folder / "hall.jpg").open("wb") as file:
        file.truncate(pictures.MAX_ORIGINAL_BYTES + 1)
    answer = place.cli("add", place.letter(pictures="\n  - file: hall.jpg\n    alt: A hall"), "--json")
    assert answer.code == 1
    assert "60 MB are taken" in answer.error["message"]


def test_ten_pictures_of_ten_kinds_become_one_post_in_their_order(place: Place, box: Sandbox) -> None:
    kinds = ["JPEG", "PNG", "GIF", "BMP", "TIFF", "WEBP", "JPEG", "PNG", "WEBP", "TIFF"]
    lines = ""
    for number, kind in enumerate(kinds):
        (place.folder / f"p{number}.{kind.lower()}").write_bytes(a_picture(kind, (64 + number, 48)))
        lines += f"\n  - file: p{number}.{kind.lower()}\n    alt: Picture {number}"
    place.json("add", place.letter(pictures=lines, to="facebook"))
    place.cli("worker", "--once")
    [post] = box.graph.public_posts()
    assert [alt for alt, _ in post.pictures] == [f"Picture {number}" for number in range(10)]
    assert place.posts()["1/facebook"].state == "published"


def test_sixteen_bits_are_scaled_and_not_cut_off() -> None:
    grey = Image.new("I;16", (256, 8))
    grey.putdata([256 * (at % 256) for at in range(256 * 8)])
    out = BytesIO()
    grey.save(out, "PNG")
    fit, _ = pictures.made_fit(out.getvalue(), name="scan.png", limits=LIMITS)
    with Image.open(BytesIO(fit)) as picture:
        assert [picture.getpixel((x, 0)) for x in (0, 64, 128, 255)] == [0, 64, 128, 255]


def test_a_palette_is_averaged_when_it_is_made_smaller() -> None:
    lines = Image.new("P", (4000, 40))
    lines.putpalette([0, 0, 0, 255, 255, 255])
    lines.putdata([at % 2 for at in range(4000 * 40)])
    out = BytesIO()
    lines.save(out, "PNG")
    fit, _ = pictures.made_fit(out.getvalue(), name="plan.png", limits=LIMITS)
    with Image.open(BytesIO(fit)) as picture:
        assert any(20 < value < 235 for value, *_ in [picture.convert("RGB").getpixel((x, 5)) for x in range(1000)])  # type: ignore[misc]


@pytest.mark.parametrize("mode", ["CMYK", "RGBA", "LA", "1", "I;16", "F"])
def test_every_colouring_is_taken(mode: str) -> None:
    fit, kind = pictures.made_fit(a_picture("TIFF", mode=mode), name="scan.tif", limits=LIMITS)
    assert kind in ("JPEG", "PNG")
    with Image.open(BytesIO(fit)) as picture:
        picture.load()


def test_an_animated_png_leaves_as_its_first_frame(tmp_path: Path) -> None:
    out = BytesIO()
    frames = [Image.new("RGB", (40, 30), (shade, 0, 0)) for shade in (250, 120, 0)]
    frames[0].save(out, "PNG", save_all=True, append_images=frames[1:])
    fit, _ = pictures.made_fit(out.getvalue(), name="wave.png", limits=LIMITS)
    with Image.open(BytesIO(fit)) as picture:
        assert getattr(picture, "n_frames", 1) == 1
        assert picture.convert("RGB").getpixel((1, 1)) == (250, 0, 0)


def test_a_small_file_that_unfolds_into_more_than_the_memory_is_refused_before_it_is_decoded() -> None:
    out = BytesIO()
    Image.new("1", (20_000, 4_000)).save(out, "PNG")
    with pytest.raises(BadInput, match="20000 × 4000 points"):
        pictures.made_fit(out.getvalue(), name="bomb.png", limits=LIMITS)
