"""The service's own two keys turn: a new pair signs and seals, the ones of before still verify and open.

One file holds them all, and is replaced whole or not at all: whenever the power goes, the service starts with the old pair or with the
new one. What the old seal key sealed is opened by it, and sealed anew afterwards, row by row, as often as one likes. Account numbers
turn at their owners' unlocks, because nobody else knows them.
"""

import datetime as dt
import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import select, update

from crypto.checkpoint import CheckpointSigner
from crypto.errors import BadSignature, Malformed, Undecryptable
from crypto.keys import SignSeed
from crypto.signing import Signer, SignPublic, SignRing, sign_public, sign_public_from, verify
from crypto.statements import ServiceKey
from storage.tables import administrators, workers
from vault import one_time, whole_files
from vault.checkpoints import anchors
from vault.context import Context
from vault.maintaining import tell_everyone
from vault.settings import Settings, UnsafeSettings, public_keys_place, service_keys_place, written_keys

TURNED = "maintenance.rotated"


@dataclass(frozen=True)
class Done:
    """What `finish` did: seeds sealed anew, persons who will read it, sign-in codes of those whose seed no key opens."""

    sealed: int
    told: int
    damaged: tuple[str, ...] = ()


def rotate(environment: Mapping[str, str], today: dt.date) -> Path:
    """Draw a new pair and put it before the present one, which signs it. Gives the file; raises UnsafeSettings.

    Every process of the service is to be started again after it, and then `finish` run.
    """
    place, written = _read(environment)
    if written.get("unfinished"):
        raise UnsafeSettings("The last rotation is not finished: start every process again, then run `abri keys finish`.")
    seed, new = SignSeed(bytes.fromhex(written["sign"])), SignSeed.random()
    before = Signer(seed)
    said = ServiceKey(previous=before.public, sign=sign_public(new), since=today.isoformat())
    log = CheckpointSigner(seed, "log").public
    earlier = {
        "public": bytes(before.public).hex(), "trace": (log.classic.public + log.lattice.public).hex(), "seal": written["seal"],
        "until": today.isoformat(), "next": said.encode().hex(), "signature": before.sign(said).hex(), "sign": written["sign"],
    }  # fmt: skip
    whole_files.put(place, json.dumps({
        "seal": secrets.token_hex(32), "sign": bytes(new).hex(), "earlier": [earlier, *written.get("earlier", [])],
        "unfinished": True,
    }))  # fmt: skip
    return place


def finish(context: Context, environment: Mapping[str, str]) -> Done:
    """Seal anew what the key of before sealed, and tell each person. May be stopped anywhere and run again.

    A seed that is damaged keeps nobody else's from its turn: it opens nothing, and its worker signs in by their other way until then.
    """
    forget_half_written(environment)
    sealed, damaged = reseal(context)
    place, written = _read(environment)
    if not written.get("unfinished"):
        return Done(sealed, 0, damaged)
    told = tell_everyone(context, TURNED, "service keys")
    _publish(context.settings, public_keys_place(environment))
    whole_files.put(place, json.dumps({name: value for name, value in written.items() if name != "unfinished"}))
    return Done(sealed, told, damaged)


def _publish(settings: Settings, place: Path) -> None:
    """The file of public keys names the present key too, where it did; commands read it when they are given no other."""
    if place.exists() and "service" in (known := json.loads(place.read_text())):
        new = {
            name: value for name, value in anchors(settings).items() if name in ("service", "trace", "earlier", "former_traces")
        }
        whole_files.put(place, json.dumps({**known, **new}), mode=0o644)


def reseal(context: Context) -> tuple[int, tuple[str, ...]]:
    """Seal each seed of one-time passwords under the present key; one transaction for each row.

    Gives how many, and the sign-in codes of those whose seed opens under no key. Whoever has left has none (b"").
    """
    done, damaged = 0, []
    for table in (workers, administrators):
        kept = select(table.c.account, table.c.code, table.c.sealed_totp).where(table.c.sealed_totp != b"")
        with context.database.transaction(read_only=True) as connection:
            rows = connection.execute(kept.order_by(table.c.account)).all()
        for row in rows:
            if one_time.sealed_by_today(context, row.account, row.sealed_totp):
                continue
            try:
                seed = one_time.open_seed(context, row.account, row.sealed_totp)
            except Undecryptable:
                damaged.append(row.code)
                continue
            same = (table.c.account == row.account, table.c.sealed_totp == row.sealed_totp)  # not one that changed meanwhile
            fresh = one_time.seal_seed(context, row.account, seed)
            with context.database.transaction() as connection:
                done += connection.execute(update(table).where(*same).values(sealed_totp=fresh)).rowcount
    return done, tuple(damaged)


def retire(environment: Mapping[str, str]) -> int:
    """Forget the signing seeds of before: nothing is signed with them any more. Gives how many. Their public halves stay."""
    forget_half_written(environment)
    place, written = _read(environment)
    old = [one for one in written.get("earlier", []) if one.pop("sign", None)]
    if old:
        whole_files.put(place, json.dumps(written))
    return len(old)


def forget_half_written(environment: Mapping[str, str]) -> bool:
    """What a rotation that was killed left beside the file: the seeds of two pairs, one of which is in use.

    As the service starts, and in `finish` and `retire`: in a container the service sees the file alone, not what lies beside it.
    """
    part = whole_files.part_of(service_keys_place(environment))
    if left := part.exists():
        part.unlink()
    return left


# --- What anybody may have --------------------------------------------------------------------------------------------------


def read_published(untrusted: Mapping[str, Any]) -> SignRing:
    """The keys of a file of public keys, the present one first, once each has signed the next.

    KeyError, TypeError, Malformed, BadSignature.
    """
    keys = [_public(untrusted["service"])]
    for one in untrusted.get("earlier", []):
        before, said = _public(one["service"]), ServiceKey.parse(_octets(one["next"]))
        if (said.previous, said.sign) != (before, keys[-1]):
            raise BadSignature
        verify(before, said, _octets(one["signature"]))
        keys.append(before)
    return SignRing(keys)


def _public(text: str) -> SignPublic:
    return sign_public_from(_octets(text))


def _octets(text: str) -> bytes:
    try:
        return bytes.fromhex(text)
    except ValueError as error:
        raise Malformed("this is not hexadecimal") from error


# --- The file ---------------------------------------------------------------------------------------------------------------


def _read(environment: Mapping[str, str]) -> tuple[Path, dict[str, Any]]:
    place = service_keys_place(environment)
    if not place.exists():
        raise UnsafeSettings(f"{place} is missing: `abri keys make` makes the service's keys, once.")
    return place, written_keys(place)
