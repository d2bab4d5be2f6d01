"""Pictures through the door: made fit and bare of their place, refused when they are none, shown to nobody outside."""

import zlib
from collections.abc import Callable, Iterator
from io import BytesIO
from pathlib import Path
from struct import pack

import pytest
import requests
from PIL import Image

from outreach.letter import parse
from tests.doors.place import a_picture
from tests.web.desktop import Desktop, a_desktop, form_in
from tests.web.test_writing import TYPED, WHEN

GPS_IFD, ORIENTATION, CAMERA, ON_ITS_SIDE = 0x8825, 0x0112, 0x010F, 6


@pytest.fixture(scope="module")
def top(tmp_path_factory: pytest.TempPathFactory, migrated_file: Path) -> Iterator[Desktop]:
    with a_desktop(tmp_path_factory.mktemp("uploads"), migrated_file) as served:
        yield served


def a_photo(size: tuple[int, int] = (3000, 1000), kind: str = "JPEG") -> bytes:
    """A photo taken on its side in a known place, with everything that a camera writes into one."""
    exif = Image.Exif()
    exif[ORIENTATION], exif[CAMERA] = ON_ITS_SIDE, "SECRET-CAMERA"
    exif.get_ifd(GPS_IFD).update({1: "N", 2: (40.0, 26.0, 46.0), 3: "W", 4: (79.0, 58.0, 56.0)})
    out = BytesIO()
    extra = {"comment": b"SECRET-COMMENT"} if kind == "JPEG" else {}
    Image.linear_gradient("L").resize(size).convert("RGB").save(out, kind, exif=exif, xmp=b"<x>SECRET-XMP</x>", **extra)
    assert b"SECRET-CAMERA" in out.getvalue()
    return out.getvalue()


def a_bomb(side: int = 30_000) -> bytes:
    """A PNG of a few hundred bytes that unfolds into gigabytes."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return pack(">I", len(data)) + kind + data + pack(">I", zlib.crc32(kind + data))

    head = chunk(b"IHDR", pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + head + chunk(b"IDAT", zlib.compress(b"\0" * 1000)) + chunk(b"IEND", b"")


def a_moving_picture(frames: int = 3, side: int = 40) -> bytes:
    images = [Image.new("RGB", (side, side), (250 - 4 * n, 4 * n, 90)) for n in range(frames)]
    out = BytesIO()
    images[0].save(out, "GIF", save_all=True, append_images=images[1:], comment=b"SECRET-COMMENT", duration=80)
    return out.getvalue()


def upload(top: Desktop, data: bytes, name: str = "photo.jpg") -> requests.Response:
    return top.ann.post("/write/new/form", **(TYPED | WHEN), do="add", files=[("upload", (name, data))])


def kept(top: Desktop, data: bytes, name: str = "photo.jpg") -> tuple[str, bytes]:
    """The name and the bytes that an upload is kept under, as a browser gets them."""
    page = upload(top, data, name)
    assert page.status_code == 200, page.text
    [file] = form_in(page.text)["picture"]
    return file, top.ann.get(f"/media/{file}").content


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF"])
def test_an_upload_is_upright_small_and_bare_of_its_place(top: Desktop, kind: str) -> None:
    file, data = kept(top, a_photo(kind=kind))

    with Image.open(BytesIO(data)) as picture:
        picture.load()
        assert (picture.size, picture.format) == ((683, 2048), "PNG" if kind == "PNG" else "JPEG")
        assert dict(picture.getexif()) == {}
        assert picture.getexif().get_ifd(GPS_IFD) == {}
    assert b"SECRET" not in data
    assert len(data) <= 4_000_000
    assert file.endswith(".png" if kind == "PNG" else ".jpg")


def test_what_is_partly_clear_stays_so(top: Desktop) -> None:
    _, data = kept(top, a_picture("PNG", (64, 48), "RGBA"), "logo.png")

    with Image.open(BytesIO(data)) as picture:
        assert (picture.format, picture.mode) == ("PNG", "RGBA")


def test_what_moves_goes_on_moving_without_its_comment(top: Desktop) -> None:
    file, data = kept(top, a_moving_picture(), "wave.gif")

    with Image.open(BytesIO(data)) as picture:
        assert (picture.format, getattr(picture, "n_frames", 1)) == ("GIF", 3)
    assert b"SECRET" not in data
    assert file.endswith(".gif")


@pytest.mark.parametrize("mode", ["CMYK", "L", "1", "P", "I;16"])
def test_pictures_of_every_colouring_are_taken(top: Desktop, mode: str) -> None:
    _, data = kept(top, a_picture("TIFF", mode=mode), "scan.tif")

    with Image.open(BytesIO(data)) as picture:
        assert picture.size == (64, 48)


@pytest.mark.parametrize(
    ("data", "name", "said"),
    [
        (b"", "empty.jpg", ""),
        (b"\x89PNG\r\n\x1a\n", "cut.png", "is no picture that can be read"),
        (a_picture()[:300], "half.jpg", "is no picture that can be read"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>", "x.svg", "is no picture"),
        (b"%PDF-1.7\n", "<script>.pdf", "is no picture"),
        (b"ftypheic" * 20, "IMG_1.HEIC", "Save it as JPEG on the telephone"),
        (a_bomb(), "bomb.png", "30000 × 30000 points"),
        (lambda: a_moving_picture(frames=60, side=1200), "long.gif", "1200 × 1200 points in 60 frames"),
    ],
    ids=["empty", "cut", "half", "svg", "pdf", "heic", "bomb", "long"],
)
def test_what_is_no_picture_or_too_large_is_refused_and_the_rest_of_the_form_stays(
    top: Desktop, data: bytes | Callable[[], bytes], name: str, said: str
) -> None:
    data = data() if callable(data) else data
    before = sorted(file.name for file in top.house.media.glob("*"))

    page = upload(top, data, name)

    assert page.status_code == (422 if data else 200)
    assert said in page.text
    assert "<script>" not in page.text.replace('<script src="', "")
    assert form_in(page.text)["body"] == ["Please come to room 7."]
    assert sorted(file.name for file in top.house.media.glob("*")) == before


def test_more_than_one_request_may_hold_is_a_plain_413(top: Desktop) -> None:
    page = upload(top, b"\0" * 13_000_000)

    assert page.status_code == 413
    assert "Make it smaller" in page.text


def test_a_dropped_picture_comes_back_as_a_part_of_the_sheet(top: Desktop) -> None:
    files = [("upload", ("a.jpg", a_picture())), ("upload", ("b.txt", b"no picture"))]

    part = top.ann.post("/write/pictures", files=files)

    assert part.status_code == 200
    assert part.text.count("data-picture=") == 1
    assert "“b.txt” is no picture that can be read." in part.text


def test_a_picture_needs_its_words_before_it_is_queued(top: Desktop) -> None:
    form = form_in(upload(top, a_picture(size=(80, 80))).text)
    [file] = form["picture"]
    draft = form_in(top.ann.post("/write/new/save", **form).text)
    assert draft["picture"] == [file]

    refused = top.ann.post(f"/write/{draft['number'][0]}/review", **draft)
    assert refused.status_code == 422
    assert f'href="#alt.{file}"' in refused.text

    draft = form_in(refused.text) | {f"decorative.{file}": ["yes"]}
    review = top.ann.post(f"/write/{draft['number'][0]}/review", **draft)
    assert review.status_code == 200
    letter = parse(top.house.desk.latest(int(draft["number"][0])).letter)
    assert [(p.file, p.alt) for p in letter.pictures] == [(file, None)]


def test_the_pictures_have_an_order_that_can_be_changed_without_javascript(top: Desktop) -> None:
    files = [("upload", (f"{n}.png", a_picture("PNG", (40 + n, 40)))) for n in range(3)]
    page = top.ann.post("/write/new/form", **TYPED, do="add", files=files)
    form = form_in(page.text)
    first, second, third = form["picture"]

    moved = form_in(top.ann.post("/write/new/form", **(form | {"do": f"down:{first}"})).text)
    gone = form_in(top.ann.post("/write/new/form", **(moved | {"do": f"remove:{third}"})).text)

    assert moved["picture"] == [second, first, third]
    assert gone["picture"] == [second, first]


# Back to the browser


def test_a_picture_is_served_so_that_it_can_only_be_a_picture(top: Desktop) -> None:
    file, _ = kept(top, a_picture(size=(90, 90)))

    headers = top.ann.get(f"/media/{file}").headers

    assert headers["Content-Type"] == "image/jpeg"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Content-Disposition"] == f'inline; filename="{file}"'
    assert headers["Content-Security-Policy"] == "default-src 'none'; sandbox"


def test_nobody_gets_a_picture_without_a_session(top: Desktop) -> None:
    file, _ = kept(top, a_picture(size=(91, 91)))

    answer = requests.get(f"{top.address}/media/{file}", timeout=30, allow_redirects=False)

    assert (answer.status_code, answer.headers["Location"][:7]) == (303, "/log-in")


@pytest.mark.parametrize(
    "name",
    [
        "../outreach.db",
        "..%2Foutreach.db",
        "%2e%2e%2foutreach.db",
        "..%5Coutreach.db",
        "/etc/passwd",
        "%00.jpg",
        "%2Fetc%2Fpasswd",
        "secret.txt",
        "0" * 64 + ".svg",
        "0" * 64 + ".jpg",
        "0" * 64 + ".jpg%00",
        "0" * 64 + ".jpg%0A",
        "x" * 5000,
    ],
)
def test_no_path_leads_out_of_the_folder_of_pictures(top: Desktop, name: str) -> None:
    top.house.media.mkdir(exist_ok=True)
    (top.house.media / "secret.txt").write_text("SECRET")
    url = f"{top.address}/media/{name}"
    request = top.ann.web.prepare_request(requests.Request("GET", url))
    request.url = url  # as it stands: a browser would take the dots out first

    answer = top.ann.web.send(request, timeout=30)

    assert answer.status_code == 404
    assert b"SQLite" not in answer.content
    assert "SECRET" not in answer.text
