"""Every setting, read once from the environment (`CALLWARDEN_…`) and frozen."""

from __future__ import annotations

import re
from functools import cached_property
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import Annotated, Literal, TypeAlias
from urllib.parse import urlsplit

from pydantic import Field, ValidationInfo, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from asr.types import CallLanguage
from detectors.contract import Jurisdiction
from detectors.packs.taxonomy import PACKS
from detectors.timezones.debtor import possible_zones
from detectors.timezones.zones import NoZone, zone_name
from service.ingest.dialects.specs import over_tcp
from service.private_files import CALIBRATION, MASTER_KEY
from service.storage.url import parse_url

PREFIX = "CALLWARDEN_"

ComputeType = Literal[
    "auto",
    "default",
    "int8",
    "int8_float32",
    "int8_float16",
    "int8_bfloat16",
    "int16",
    "float16",
    "bfloat16",
    "float32",
]

_MOST_TERMS = 50
_LONGEST_TERM = 30
"""Characters. Every term in the prompt costs each utterance time; those past its budget are only restored."""
_BETWEEN_TERMS = re.compile("[,，、]")


def split_terms(text: str) -> tuple[str, ...]:
    """The terms between commas, trimmed, empty ones left out. ValueError says which one cannot be taken, and why."""
    text = text.strip("\ufeff \t\r\n")  # what the text of a file brings along
    if any(not char.isprintable() for char in text):
        raise ValueError("a term holds a control character or line break; separate terms with commas, on one line")
    terms = tuple(term.strip() for term in _BETWEEN_TERMS.split(text) if term.strip())
    if len(terms) > _MOST_TERMS:
        raise ValueError(
            f"{len(terms)} terms are given, at most {_MOST_TERMS} can be; keep those most often misrecognised"
        )
    for term in terms:
        if len(term) > _LONGEST_TERM:
            raise ValueError(f"the term {term!r} has {len(term)} characters, at most {_LONGEST_TERM} can be used")
    return terms


def split_ports(text: str) -> dict[str, int]:
    """The ports between commas, such as audiosocket=8090, by dialect. ValueError says which cannot be taken."""
    ports: dict[str, int] = {}
    for part in filter(None, (part.strip() for part in text.split(","))):
        dialect, _, port = (piece.strip() for piece in part.partition("="))
        if dialect not in over_tcp():
            raise ValueError(f"{dialect!r} is no dialect that comes over TCP, such as {over_tcp()[0]}")
        if not re.fullmatch(r"[0-9]{1,5}", port, re.ASCII) or int(port) > 65535:
            raise ValueError(f"{part!r} names no port; write {dialect}=8090")
        ports[dialect] = int(port)
    return ports


def origin_of(url: str) -> str:
    """The URL as browsers name it in Origin: http:// or https:// and a host. ValueError says what is wrong with it."""
    try:
        parts = urlsplit(url)
        port = parts.port  # raises for one that is no number
    except ValueError:
        raise ValueError("cannot be read; write https://callwarden.example.org") from None
    if parts.scheme not in ("http", "https"):
        raise ValueError("must begin with http:// or https://, as the browser's address bar shows it")
    host = parts.hostname
    if not host or port == 0 or any(char.isspace() for char in url):
        raise ValueError("names no host; write https://callwarden.example.org")
    if "@" in parts.netloc:
        raise ValueError("holds a user name; write the address alone")
    if parts.path.strip("/") or parts.query or parts.fragment:
        raise ValueError("has something behind the host; write scheme, host and port alone")
    return f"{parts.scheme}://{parts.netloc}"


Network: TypeAlias = IPv4Network | IPv6Network


def split_networks(text: str) -> tuple[Network, ...]:
    """The networks between commas; an address is a network of one. ValueError says which is none."""
    networks: list[Network] = []
    for part in (part.strip() for part in text.split(",")):
        try:
            networks += [ip_network(part, strict=False)] if part else []
        except ValueError:
            raise ValueError(f"{part!r} is no address or network, such as 10.0.0.5 or 172.16.0.0/12") from None
    return tuple(networks)


def _spellings(network: Network) -> tuple[str, ...]:
    if isinstance(network, IPv6Network):
        return (str(network),)
    return str(network), f"::ffff:{network.network_address}/{96 + network.prefixlen}"


class Settings(BaseSettings):
    """The service's settings. Each field's description is its line in the README's table."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX,
        frozen=True,
        extra="ignore",
        env_ignore_empty=True,
        str_strip_whitespace=True,
    )

    host: str = Field(default="127.0.0.1", min_length=1, description="Address to listen on.")
    port: int = Field(default=8080, ge=0, le=65535, description="Port to listen on; 0 takes a free one.")
    tcp_ports: str = Field(
        default="",
        description="Ports of the dialects that come over TCP, on the same address, comma separated: "
        "`audiosocket=8090`; 0 takes a free one, a dialect without a port is not taken.",
    )
    data_dir: Path = Field(default=Path("data"), description="Folder for the SQLite store, recordings and secrets.")
    master_key_file: Path | None = Field(
        default=None,
        description="File with the key that seals secrets of sources and webhooks; empty takes `master.key` in the "
        "data folder, made at first use.",
    )
    database_url: str = Field(
        default="", description="SQLAlchemy async URL; empty means SQLite in the data folder. `postgresql+asyncpg://…`."
    )
    models_dir: Path = Field(
        default=Path.home() / ".cache" / "callwarden" / "models", description="Folder the models are kept in."
    )
    model: str = Field(
        default="base", description="A name in models/manifest.toml, a CTranslate2 Whisper folder, or a hub name."
    )
    device: Literal["cpu", "cuda"] = Field(default="cpu", description="Where Whisper runs.")
    compute_type: ComputeType = Field(default="int8", description="CTranslate2 compute type: int8, float16, …")
    threads: int = Field(default=0, ge=0, le=64, description="Threads for recognition; 0 means one a core.")
    beam_size: int = Field(default=5, ge=1, le=10, description="Beam width of the first decode.")
    language: CallLanguage = Field(
        default="zh",
        description="Language of a call that names none; `auto` hears which each party speaks, also when it switches.",
    )
    jurisdiction: Jurisdiction = Field(default="CN", description="Jurisdiction of a call that names none.")
    timezone: str = Field(
        default="",
        description="Time zone of the debtors in calls of `CALLWARDEN_JURISDICTION` where neither call nor key names "
        "one; empty: the jurisdiction's.",
    )
    rules_dir: Path | None = Field(
        default=None, description="Folder of the rule pack that judges; empty takes the one that ships."
    )
    terms: str = Field(
        default="",
        description="Names the recogniser should expect (companies, products, staff): comma separated, at most 50 "
        "of 30 characters.",
    )
    max_calls: Literal["auto"] | Annotated[int, Field(ge=1, le=1000)] = Field(
        default="auto",
        description="Live calls admitted at once; more are refused. `auto`: as many as recognition keeps up with; "
        "with a number never more than that.",
    )
    grace_seconds: float = Field(
        default=15.0, ge=0, le=600, description="How long a dropped call is waited for before it counts as ended."
    )
    idle_seconds: float = Field(
        default=60.0, gt=0, le=3600, description="A gateway that the network cannot reach for this long is gone."
    )
    max_pace: float = Field(
        default=10.0, ge=1, le=100, description="Audio faster than this many times real time breaks the protocol."
    )
    session_hours: float = Field(default=12.0, gt=0, le=168, description="How long a login lasts.")
    secure_cookie: bool = Field(
        default=False, description="Send the session cookie over HTTPS only; set it behind TLS."
    )
    public_url: str = Field(
        default="",
        description="The address browsers and gateways use, for origin checks behind a proxy and for vendors' "
        "signatures; empty trusts Host.",
    )
    trusted_proxies: str = Field(
        default="",
        description="Addresses or networks of reverse proxies, comma separated, whose X-Forwarded-For tells the "
        "client's address; empty believes none.",
    )
    webhook_networks: str = Field(
        default="",
        description="Private addresses or networks that webhooks may reach, comma separated, also without TLS; empty "
        "lets them reach public addresses alone.",
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field(default="info", description="Least level logged.")
    log_json: bool = Field(default=False, description="One JSON object a log line instead of coloured text.")

    @field_validator("terms")
    @classmethod
    def _terms_fit(cls, terms: str) -> str:
        split_terms(terms)
        return terms

    @field_validator("tcp_ports")
    @classmethod
    def _ports_are_dialects(cls, ports: str) -> str:
        split_ports(ports)
        return ports

    @field_validator("host")
    @classmethod
    def _host_is_one(cls, host: str) -> str:
        if not re.fullmatch(r"[\w.:%-]+", host):
            raise ValueError("is no address or host name, such as 0.0.0.0 or ::1")
        if host.count(":") == 1:
            raise ValueError(f"holds a port, which goes into {PREFIX}PORT or --port")
        return host

    @field_validator("data_dir", "models_dir", "rules_dir", "master_key_file")
    @classmethod
    def _path_is_one(cls, path: Path | None) -> Path | None:
        if path is None:
            return None
        if not str(path).isprintable():
            raise ValueError("holds a control character or line break")
        return path.expanduser()

    @field_validator("database_url")
    @classmethod
    def _database_is_one(cls, url: str) -> str:
        if url:
            try:
                parse_url(url)
            except ValueError as error:
                raise ValueError(str(error).removeprefix("database URL: ")) from None
        return url

    @field_validator("public_url")
    @classmethod
    def _public_url_is_an_origin(cls, url: str) -> str:
        return origin_of(url) if url else url

    @model_validator(mode="after")
    def _cookie_comes_back(self) -> Settings:
        if self.secure_cookie and self.public_url.startswith("http:"):
            raise ValueError(
                f"{PREFIX}SECURE_COOKIE=true needs https:// in {PREFIX}PUBLIC_URL: over http browsers keep no session"
            )
        return self

    @field_validator("timezone")
    @classmethod
    def _timezone_is_one(cls, timezone: str, info: ValidationInfo) -> str:
        """The zone's own name, however it was written."""
        try:
            return zone_name(timezone, info.data.get("jurisdiction"))
        except NoZone:
            raise ValueError("is no IANA time zone, such as Asia/Shanghai") from None

    @field_validator("trusted_proxies")
    @classmethod
    def _proxies_are_networks(cls, proxies: str) -> str:
        if "*" in proxies:
            raise ValueError("* would let anyone claim any address; name the proxy's address or network")
        split_networks(proxies)
        return proxies

    @field_validator("webhook_networks")
    @classmethod
    def _webhook_networks_are_some(cls, networks: str) -> str:
        split_networks(networks)
        return networks

    @property
    def private_webhook_networks(self) -> tuple[Network, ...]:
        """The private networks that webhooks may reach."""
        return split_networks(self.webhook_networks)

    @property
    def home_zone(self) -> str:
        """The time zone of people of whom nothing is known: the debtors', or the first of their jurisdiction's."""
        return possible_zones(self.timezone, {}, self.jurisdiction)[0].name

    @property
    def proxy_networks(self) -> tuple[str, ...]:
        """The proxies' networks; of IPv4 ones also as a socket for both families writes them."""
        return tuple(spelt for network in split_networks(self.trusted_proxies) for spelt in _spellings(network))

    @property
    def dialect_ports(self) -> dict[str, int]:
        """By the name of a dialect that comes over TCP, its port."""
        return split_ports(self.tcp_ports)

    @property
    def own_terms(self) -> tuple[str, ...]:
        """The terms, in their order."""
        return split_terms(self.terms)

    @cached_property
    def store_url(self) -> str:
        """The database's URL with the default filled in."""
        return self.database_url or f"sqlite:///{self.data_dir.resolve() / 'callwarden.db'}"

    @property
    def pack(self) -> Path:
        """The folder of the rules, with the default filled in."""
        return self.rules_dir or PACKS

    @property
    def calibration_file(self) -> Path:
        """What `callwarden rules calibrate --write` leaves."""
        return self.data_dir / CALIBRATION

    @property
    def master_key(self) -> Path:
        """The file of the master key, with the default filled in."""
        return self.master_key_file or self.data_dir / MASTER_KEY

    @property
    def recordings_dir(self) -> Path:
        return self.data_dir / "recordings"
