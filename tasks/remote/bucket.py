"""One prefix of one bucket of an S3 server, and the few things that are asked of it.

Every error becomes a RemoteError that says what to do; no message holds a key or a secret. s3fs is imported only here,
and only when a bucket is used.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import email.utils
import errno
import functools
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

SCHEME = "s3://"
_NO_NAMES = {"", ".", ".."}
"""An object with such a part in its name would be no file, or one outside of its folder; it is passed over."""


class RemoteError(Exception):
    """A bucket cannot be used; the message says which, why, and what to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """One object: `key` is its full name in the bucket, `age_s` how long ago it was written, by the server's clock."""

    key: str
    etag: str
    bytes: int
    age_s: float = 0.0


def written(place: str | Path) -> str:
    """An address or a path as text; pathlib writes s3://bucket as s3:/bucket."""
    text = str(place)
    return SCHEME + text.removeprefix("s3:").lstrip("/") if text.startswith("s3:/") else text


def is_remote(place: str | Path) -> bool:
    return written(place).startswith(SCHEME)


@dataclass(frozen=True, slots=True)
class Bucket:
    """What lies below one address. Names are relative to it; `endpoint` None means the environment's, else Amazon's."""

    address: str
    endpoint: str | None = None

    # ------------------------------------------------------------------ where

    @property
    def name(self) -> str:
        return self._parts()[0]

    def key(self, name: str) -> str:
        prefix = self._parts()[1]
        return f"{prefix}/{name}" if prefix and name else prefix or name

    def _parts(self) -> tuple[str, str]:
        bucket, _, prefix = self.address.removeprefix(SCHEME).partition("/")
        if "@" in bucket:
            raise RemoteError("an s3:// address has no room for credentials: set AWS_ACCESS_KEY_ID, or AWS_PROFILE")
        if not bucket:
            raise RemoteError(f"{self.address} names no bucket: write s3://bucket/prefix")
        return bucket, prefix.strip("/")

    def _path(self, key: str) -> str:
        return f"{self.name}/{key}"

    # ------------------------------------------------------------------ reading

    def found(self, under: str = "") -> dict[str, Found]:
        """Every object whose name begins with `under`, by its name. Raises RemoteError if there is no such bucket."""
        prefix = self.key(under) + ("/" if not under and self._parts()[1] else "")
        cut = len(self.key("x")) - 1
        out: dict[str, Found] = {}
        asked: dict[str, Any] = {"Bucket": self.name, "Prefix": prefix}
        with self._told():
            while True:
                answer = _system(self.endpoint).call_s3("list_objects_v2", **asked)
                for row in answer.get("Contents", ()):
                    name = row["Key"][cut:]
                    if _NO_NAMES.isdisjoint(name.split("/")):
                        out[name] = Found(key=row["Key"], etag=row["ETag"], bytes=row["Size"])
                if not answer.get("IsTruncated"):
                    return out
                asked["ContinuationToken"] = answer["NextContinuationToken"]

    def look(self, name: str) -> Found | None:
        """One object, or None if there is none."""
        with self._told(absent=True):
            answer = _system(self.endpoint).call_s3("head_object", Bucket=self.name, Key=self.key(name))
            said = answer["ResponseMetadata"]["HTTPHeaders"].get("date")
            now = email.utils.parsedate_to_datetime(said) if said else dt.datetime.now(dt.UTC)
            age = (now - answer["LastModified"]).total_seconds()
            return Found(key=self.key(name), etag=answer["ETag"], bytes=answer["ContentLength"], age_s=age)
        return None

    def read(self, name: str) -> bytes | None:
        """The bytes of one object, or None if there is none."""
        with self._told(absent=True):
            data: bytes = _system(self.endpoint).cat_file(self._path(self.key(name)))
            return data
        return None

    def fetch(self, key: str, to: Path) -> None:
        """One object into a file, which appears whole. `key` is a full one, as `found` gives it."""
        draft = to.with_name(f".{to.name}.part")
        to.parent.mkdir(parents=True, exist_ok=True)
        with self._told():
            _system(self.endpoint).get_file(self._path(key), str(draft))
        os.replace(draft, to)

    def fetch_range(self, key: str, start: int, end: int, size: int, to: Path) -> None:
        """Bytes [start, end) of an object of `size` bytes at their place in a file of that size, the rest a hole."""
        with self._told():
            data = _system(self.endpoint).cat_file(self._path(key), start=start, end=end)
        to.parent.mkdir(parents=True, exist_ok=True)
        with to.open("wb") as file:
            file.truncate(size)
            file.seek(start)
            file.write(data)

    # ------------------------------------------------------------------ writing

    def put(self, name: str, source: Path) -> None:
        with self._told():
            _system(self.endpoint).put_file(str(source), self._path(self.key(name)))

    def create(self, name: str, data: bytes) -> str | None:
        """Write an object that must not be there yet. Answers its ETag, or None if it is there."""
        return self._put_if(name, data, IfNoneMatch="*")

    def replace(self, name: str, data: bytes, etag: str) -> str | None:
        """Write an object that must still be the one of `etag`. Answers the new ETag, or None if it is another."""
        return self._put_if(name, data, IfMatch=etag)

    def _put_if(self, name: str, data: bytes, **condition: str) -> str | None:
        with self._told(unmet=True):
            answer = _system(self.endpoint).call_s3(
                "put_object", Bucket=self.name, Key=self.key(name), Body=data, **condition
            )
            etag: str = answer["ETag"]
            return etag
        return None

    def copy(self, key: str, name: str) -> None:
        """A copy by the server; the object appears whole."""
        with self._told():
            _system(self.endpoint).cp_file(self._path(key), self._path(self.key(name)))

    def delete(self, names: Iterable[str]) -> None:
        keys = [self.key(n) for n in names]
        with self._told():
            for i in range(0, len(keys), 1000):
                wanted = {"Objects": [{"Key": k} for k in keys[i : i + 1000]], "Quiet": True}
                _system(self.endpoint).call_s3("delete_objects", Bucket=self.name, Delete=wanted)

    def delete_under(self, under: str) -> None:
        self.delete(self.found(under))

    # ------------------------------------------------------------------ errors

    @contextlib.contextmanager
    def _told(self, *, absent: bool = False, unmet: bool = False) -> Iterator[None]:
        """Errors in words. `absent`: a missing object, `unmet`: a condition not met, are answers: the block is left."""
        try:
            yield
        except FileNotFoundError as err:
            if "bucket does not exist" in str(err):
                raise RemoteError(
                    f"there is no bucket {self.name} at {self.server()}: make it, or mend the address {self.address}"
                ) from err
            if not absent:
                raise RemoteError(f"{self.address}: an object is gone that was there ({_words(err)})") from err
        except PermissionError as err:
            raise RemoteError(
                f"{self.server()} refuses {self.address} ({_words(err)}): check AWS_ACCESS_KEY_ID and "
                "AWS_SECRET_ACCESS_KEY (or the profile), and that they may list, read and write there"
            ) from err
        except FileExistsError as err:
            if not unmet:
                raise RemoteError(f"{self.address}: {_words(err)}") from err
        except OSError as err:
            if err.errno == errno.ENOSPC:
                raise
            if not (unmet and "condition" in str(err).lower()):
                raise RemoteError(
                    f"{self.server()} did not do what was asked at {self.address}: {_words(err)}"
                ) from err
        except _client_errors() as err:
            raise self._unreachable(err) from err

    def _unreachable(self, err: Exception) -> RemoteError:
        if type(err).__name__ in ("NoCredentialsError", "PartialCredentialsError"):
            return RemoteError(
                f"no credentials for {self.address}: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE"
            )
        return RemoteError(
            f"cannot reach {self.server()} for {self.address} ({type(err).__name__}): check the network, and "
            "AWS_ENDPOINT_URL or the setting s3.endpoint"
        )

    def server(self) -> str:
        """The server's address, for people."""
        return (
            self.endpoint or os.environ.get("AWS_ENDPOINT_URL_S3") or os.environ.get("AWS_ENDPOINT_URL") or "Amazon S3"
        )


def _words(err: BaseException) -> str:
    return str(getattr(err, "strerror", None) or err)[:300]


def _client_errors() -> tuple[type[Exception], ...]:
    import aiohttp
    from botocore.exceptions import BotoCoreError, ClientError

    return (BotoCoreError, ClientError, aiohttp.ClientError)


@functools.cache
def _system(endpoint: str | None) -> Any:
    """The file system of one server. Credentials are found by it as by every tool: environment, profile, instance."""
    try:
        import s3fs
    except ImportError as err:
        raise RemoteError("addresses that begin with s3:// need s3fs: pip install 'nightdesk[s3]'") from err
    return s3fs.S3FileSystem(
        endpoint_url=endpoint,
        use_listings_cache=False,
        skip_instance_cache=True,
        config_kwargs={"connect_timeout": 5, "read_timeout": 60, "retries": {"max_attempts": 3, "mode": "standard"}},
    )
