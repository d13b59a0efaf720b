"""What is known about a gateway before it sends anything."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from asr.types import CallLanguage, Role, Seconds
from detectors.contract import Jurisdiction

Clock = Literal["timestamps", "samples", "arrival"]
"""What tells where audio lies on the call's clock: the source's own times, where it gives any; its samples alone; or
when they come, for sources that send nothing while nobody speaks, and for legs of one call on sockets of their own."""

NamedField = Literal["call_id", "agent", "customer", "direction", "started_at"]
"""What of a call may stand under a name of the vendor's own in its metadata."""


CredentialKind = Literal["key", "header", "basic", "twilio", "signalwire", "plivo", "audiohook"]
"""`key`: a gateway key. `header`: a header of the source's own. `basic`: user name and password. The others: the
vendor's signature."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Credential:
    """What a source's connections show, unless they show one of its keys. `name`: the header's, the user's, or
    AudioHook's API key. `sealed`: the secret, as `service.access.sealing` seals it; empty for `key`."""

    kind: CredentialKind = "key"
    name: str = ""
    sealed: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """`name` is what calls show of it; it is the one thing that never changes. `dialect` is the only one that it
    speaks; None: any. `first_track`: the party on its first track, or on the only leg of a connection that does not
    say whose it is; the other party is on the second.

    `language`, `jurisdiction` and `timezone` (of the debtors it calls, as `detectors.timezones.zones` names it) are
    those of its calls where these do not name their own; without them the service's hold. `clock` is what its audio is
    placed by; None: what its dialect is placed by. `labels` are metadata of each of its calls. `names`: under which
    name the vendor's metadata hold a field of ours.

    `public_url` is how a vendor that signs writes the address: an origin, behind which comes what was asked for, or the
    whole URL. Empty: the service's.

    A connection of a live call on which nothing comes for `idle_seconds` is ended; None: never. `networks`, as CIDR:
    where its connections come from; none: anywhere. It may have `max_calls` live calls at once, and `max_share` of
    what recognition can carry, above 0 to 1; None: as the others leave.
    """

    name: str
    dialect: str | None = None
    first_track: Role = "customer"
    language: CallLanguage | None = None
    jurisdiction: Jurisdiction | None = None
    timezone: str = ""
    clock: Clock | None = None
    labels: Mapping[str, str] = field(default_factory=dict[str, str])
    names: Mapping[NamedField, str] = field(default_factory=dict[NamedField, str])
    credential: Credential = Credential()
    public_url: str = ""
    idle_seconds: Seconds | None = None
    networks: tuple[str, ...] = ()
    max_calls: int | None = None
    max_share: float | None = None

    @property
    def second_track(self) -> Role:
        """The party that is not on the first track."""
        return "customer" if self.first_track == "agent" else "agent"


STRANGER = Source(name="")
"""Of a connection that has not shown yet, or not well enough, whose it is: nothing is taken from it."""
