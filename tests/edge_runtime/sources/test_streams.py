import base64
import socket
import threading
import time

import pytest

from edge_runtime.errors import OptionError, SourceError
from edge_runtime.records import Uint8
from edge_runtime.sources import streams
from edge_runtime.sources.streams import MotionJpeg, Snapshots, opener, public
from tests.edge_runtime.sources.servers import Request, jpeg, part, serving


def shade(pixels: Uint8 | None) -> int | None:
    return None if pixels is None else round(float(pixels.mean()))


def ten_shades(request: Request) -> None:
    body = request.begin_stream()
    for i in range(10):
        body.write(part(jpeg(20 * i)))


def test_a_stream_gives_its_frames_and_ends() -> None:
    with serving(ten_shades) as address:
        stream = opener(address, 5)()
        assert isinstance(stream, MotionJpeg)
        read = [shade(stream.read()) for _ in range(10)]
        assert stream.read() is None
        stream.close()
    assert read == pytest.approx([20 * i for i in range(10)], abs=2)


def test_a_stream_that_stalls_ends_in_good_time() -> None:
    done = threading.Event()

    def stalling(request: Request) -> None:
        body = request.begin_stream()
        for _ in range(3):
            body.write(part(jpeg(90)))
        done.wait(20)

    with serving(stalling) as address:
        stream = opener(address, 0.5)()
        started = time.monotonic()
        while stream.read() is not None:
            pass
        assert time.monotonic() - started < 5
        stream.close()
        done.set()


def test_a_server_that_accepts_and_says_nothing() -> None:
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()
        with pytest.raises(SourceError, match="cannot be reached: timed out"):
            opener(f"http://127.0.0.1:{server.getsockname()[1]}/", 0.3)()


def test_garbage_between_two_pictures_is_passed_over(capfd: pytest.CaptureFixture[str]) -> None:
    def garbling(request: Request) -> None:
        body = request.begin_stream()
        for data in (jpeg(50), b"\xff\xd8 this is no picture", jpeg(50)[:200], jpeg(200), jpeg(200)):
            body.write(part(data))

    with serving(garbling) as address:
        stream = opener(address, 5)()
        read = []
        while (pixels := stream.read()) is not None:
            read.append(shade(pixels))
        stream.close()
    assert read[0] == pytest.approx(50, abs=2)
    assert read[-2:] == pytest.approx([200, 200], abs=2)
    assert capfd.readouterr() == ("", "")


def test_a_stream_may_change_its_size() -> None:
    def changing(request: Request) -> None:
        body = request.begin_stream()
        for size in ((64, 48),) * 3 + ((128, 96),) * 3:
            body.write(part(jpeg(70, size)))

    with serving(changing) as address:
        stream = opener(address, 5)()
        shapes = []
        while (pixels := stream.read()) is not None:
            shapes.append(pixels.shape[:2])
        stream.close()
    assert shapes == [(48, 64)] * 3 + [(96, 128)] * 3


def test_parts_without_length_end_at_the_next() -> None:
    def without(request: Request) -> None:
        body = request.begin("multipart/x-mixed-replace; boundary=--sep")
        for i in range(3):
            body.write(b"--sep\r\nContent-Type: image/jpeg\r\n\r\n" + jpeg(40 * i) + b"\r\n")

    with serving(without) as address:
        stream = opener(address, 5)()
        read = [shade(stream.read()) for _ in range(4)]
        stream.close()
    assert read[:3] == pytest.approx([0, 40, 80], abs=2)
    assert read[3] is None


def test_an_address_with_one_picture_is_polled(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streams, "INTERVAL", 0.0)
    asked = []

    def snapshot(request: Request) -> None:
        asked.append(request.path)
        request.begin("image/jpeg").write(jpeg(10 * len(asked)))

    with serving(snapshot) as address:
        camera = opener(f"{address}/now.jpg?channel=2", 5)()
        assert isinstance(camera, Snapshots)
        assert [shade(camera.read()) for _ in range(3)] == pytest.approx([20, 30, 40], abs=2)
        camera.close()
    assert asked == ["/now.jpg?channel=2"] * 4


def test_a_snapshot_that_is_no_picture() -> None:
    def unready(request: Request) -> None:
        request.begin("image/jpeg").write(b"soon")

    with serving(unready) as address:
        camera = opener(address, 5)()
        with pytest.raises(SourceError, match="not a picture that Pillow can read"):
            camera.read()


def test_user_and_password_are_sent_where_asked() -> None:
    expected = "Basic " + base64.b64encode(b"pi:a/b@c").decode()

    def guarded(request: Request) -> None:
        if request.headers.get("Authorization") == expected:
            request.begin("image/png").write(jpeg(30))
        else:
            request.begin("text/plain", 401, WWW_Authenticate='Basic realm="camera"')

    with serving(guarded) as address:
        host = address.removeprefix("http://")
        assert shade(opener(f"http://pi:a%2Fb%40c@{host}/x", 5)().read()) == pytest.approx(30, abs=2)
        with pytest.raises(SourceError, match="401 Unauthorized: user and password go into the address") as caught:
            opener(f"http://pi:wrong@{host}/x", 5)()
        assert "wrong" not in str(caught.value)


def test_digest_authentication_as_many_cameras_ask_for_it() -> None:
    def guarded(request: Request) -> None:
        if 'username="pi"' in request.headers.get("Authorization", ""):
            assert request.headers["Authorization"].startswith("Digest ")
            request.begin("image/png").write(jpeg(30))
        else:
            request.begin("text/plain", 401, WWW_Authenticate='Digest realm="camera", nonce="0a", qop="auth"')

    with serving(guarded) as address:
        host = address.removeprefix("http://")
        assert shade(opener(f"http://pi:secret@{host}/x", 5)().read()) == pytest.approx(30, abs=2)


@pytest.mark.parametrize(
    ("code", "kind", "message"),
    [
        (404, "text/plain", "the server returned 404 Not Found$"),
        (200, "text/html", r"this is a page \(text/html\), not a stream or a picture$"),
        (200, "application/octet-stream", "no stream: check the address, and whether it is sending$"),
    ],
)
def test_what_is_no_stream(code: int, kind: str, message: str) -> None:
    def other(request: Request) -> None:
        request.begin(kind, code).write(b"x" * 100)

    with serving(other) as address, pytest.raises(SourceError, match=message):
        opener(f"{address}/there", 2)()


def test_trickling_bytes_without_a_picture_are_stalls() -> None:
    done = threading.Event()

    def trickling(request: Request) -> None:
        body = request.begin_stream()
        while not done.wait(0.02):
            body.write(part(b"no picture"))

    with serving(trickling) as address:
        stream = opener(address, 0.4)()
        started = time.monotonic()
        assert stream.read() is None
        assert 0.3 < time.monotonic() - started < 10
        stream.close()
        done.set()


def test_an_unsupported_login_is_named_with_its_remedy() -> None:
    def guarded(request: Request) -> None:
        request.begin("text/plain", 401, WWW_Authenticate='Digest realm="camera", nonce="0a", qop="auth"')

    with serving(guarded) as address, pytest.raises(SourceError, match="401 Unauthorized: user and password go"):
        opener(address, 5)()


def test_a_password_is_also_given_after_a_redirection() -> None:
    def redirecting(request: Request) -> None:
        if request.path == "/old":
            request.begin("text/plain", 302, Location="/new/picture")
        elif "Authorization" in request.headers:
            request.begin("image/png").write(jpeg(30))
        else:
            request.begin("text/plain", 401, WWW_Authenticate='Basic realm="camera"')

    with serving(redirecting) as address:
        host = address.removeprefix("http://")
        assert shade(opener(f"http://pi:word@{host}/old", 5)().read()) == pytest.approx(30, abs=2)


@pytest.mark.parametrize(
    "address",
    [
        "http://[",
        "rtsp://[::1",
        "http://host:port/",
        "http://me:s3cr#t@host/",
        "http://me:s3cr/t@host/",
        "http://host/a b",
        "http://:80/",
        "rtsp://host/caf\udce9",
    ],
)
def test_a_bad_address_is_refused_unseen(address: str) -> None:
    with pytest.raises(OptionError) as caught:
        public(address)
    assert str(caught.value).startswith("invalid address of a stream: expected one such as")
    assert "s3cr" not in str(caught.value)
    with pytest.raises(OptionError):
        opener(address, 5)()


def test_nobody_listens() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
        with pytest.raises(SourceError, match=f"^http://127.0.0.1:{port}/: cannot be reached: Connection refused$"):
            opener(f"http://127.0.0.1:{port}/", 2)()
        with pytest.raises(SourceError, match="no stream: check the address"):
            opener(f"rtsp://127.0.0.1:{port}/", 2)()


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ("http://camera/stream", "http://camera/stream"),
        ("rtsp://me:secret@10.0.0.2:554/h264?x=1", "rtsp://10.0.0.2:554/h264?x=1"),
        ("http://a@b@c/?user=me&password=p&n=2", "http://c/?user=...&password=...&n=2"),
        ("https://c/s?apikey=k&access_token=t", "https://c/s?apikey=...&access_token=..."),
        ("http://c/s?loginuse=a&loginpas=b&rate=0", "http://c/s?loginuse=a&loginpas=...&rate=0"),
        ("rtsp://h:554/user=me&password=X&channel=1", "rtsp://h:554/user=...&password=...&channel=1"),
        ("http://[::1]:80/x#y", "http://[::1]:80/x"),
    ],
)
def test_secrets_are_left_out_of_what_is_shown(address: str, shown: str) -> None:
    assert public(address) == shown
