"""Secure connections and HTTP/2: the certificate is checked for the name, the connection made to a checked address."""

from __future__ import annotations

import asyncio
import datetime as dt
import gzip
import socket
import ssl
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import h2.config
import h2.connection
import h2.events
import pytest

from tasks.discover.records import Fetched
from tasks.scrape.archive import RawArchive
from tasks.scrape.fetch import WebFetcher
from tasks.scrape.inputs import InputOptions, plan_shards, read_shard
from tasks.scrape.records import RawPage
from tasks.tables import Failure, Reason
from tests.scrape.press import PAGE
from tests.scrape.test_fetch import NOW, failed, fetched, rules

x509 = pytest.importorskip("cryptography.x509", reason="cryptography makes the certificates of these tests")

PACKED = gzip.compress(PAGE)


def certificate(folder: Path, name: str) -> tuple[Path, Path]:
    """A certificate for a name, signed by itself: (certificate file, key file)."""
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    now = dt.datetime.now(dt.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    (folder / "cert.pem").write_bytes(made.public_bytes(serialization.Encoding.PEM))
    encoding, kind = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    (folder / "key.pem").write_bytes(key.private_bytes(encoding, kind, serialization.NoEncryption()))
    return folder / "cert.pem", folder / "key.pem"


async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """HTTP/2: a 404 for robots.txt, the gzip page for all else."""
    connection = h2.connection.H2Connection(h2.config.H2Configuration(client_side=False))
    connection.initiate_connection()
    writer.write(connection.data_to_send())
    try:
        while data := await reader.read(65536):
            for event in connection.receive_data(data):
                if isinstance(event, h2.events.RequestReceived):
                    path = dict(event.headers or [])[b":path"]
                    found = path != b"/robots.txt"
                    body = PACKED if found else b"none"
                    headers = [(":status", "200" if found else "404"), ("content-type", "text/html")]
                    connection.send_headers(event.stream_id, [*headers, *([("content-encoding", "gzip")] * found)])
                    connection.send_data(event.stream_id, body, end_stream=True)
            writer.write(connection.data_to_send())
    except (ConnectionError, ssl.SSLError):
        pass  # the client refused the certificate
    finally:
        writer.close()


@pytest.fixture
def secure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[int, Path]]:
    """(port, certificate file) of an HTTP/2 server for post.example; every name leads to it."""
    cert, key = certificate(tmp_path, "post.example")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(cert, key)
    context.set_alpn_protocols(["h2"])
    loop = asyncio.new_event_loop()
    server = loop.run_until_complete(asyncio.start_server(answer, "127.0.0.1", 0, ssl=context))
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()

    def resolve(host: str, port: int, **_: Any) -> list[Any]:
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", port))]

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    yield server.sockets[0].getsockname()[1], cert
    loop.call_soon_threadsafe(loop.stop)
    thread.join(5)


def get(url: str, trusted: Path | None) -> Fetched | Failure:
    async def one() -> Fetched | Failure:
        context = ssl.create_default_context(cafile=str(trusted)) if trusted else None
        async with WebFetcher(rules(attempts=1), now_fn=lambda: NOW, verify=context) as fetcher:
            return await fetcher.get(url, pages_only=True)

    return asyncio.run(one())


def test_get_speaks_http2_and_archives_it(secure: tuple[int, Path], tmp_path: Path) -> None:
    port, cert = secure
    got = fetched(get(f"https://post.example:{port}/a?id=1", cert))
    assert (got.protocol, got.body, got.raw, got.ip) == ("h2", PAGE, PACKED, "127.0.0.1")
    with RawArchive(tmp_path / "raw", "r1", records_per_warc=5, agent="x") as archive:
        archive.add(got, outlet="post.example")
    shards = plan_shards(archive.files(), InputOptions(), records=5, max_bytes=10**6)
    (page,) = (r for shard in shards for r in read_shard(shard))
    assert isinstance(page, RawPage)
    assert (page.url, page.body, page.outlet) == (f"https://post.example:{port}/a?id=1", PAGE, "post.example")


def test_get_names_tls_when_the_certificate_is_not_to_be_trusted(secure: tuple[int, Path]) -> None:
    port, cert = secure
    assert failed(get(f"https://post.example:{port}/a", None)).reason == Reason.TLS_FAILED
    assert failed(get(f"https://other.example:{port}/a", cert)).reason == Reason.TLS_FAILED
