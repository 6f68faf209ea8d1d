"""Several accounts of one capture: that they can stand side by side, and which of them counts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from sim.control import nearest
from sim.sources import Capture

__all__ = ["check_accounts", "choose"]


def check_accounts(accounts: tuple[str, ...], reports: Sequence[Capture], prefer: str | None) -> None:
    """Refuse an account not listed, a capital captured twice in one account, and an unknown preference."""
    for name in accounts:
        if not name or name == "span" or accounts.count(name) > 1:
            raise ValueError(f"record: accounts must be different names, none of them 'span', but was {accounts!r}")
    if not accounts:
        raise ValueError("record: accounts must name at least one account")
    if prefer is not None and prefer not in (*accounts, "span"):
        raise ValueError(f"record: no account {prefer!r} to prefer; {nearest(prefer, (*accounts, 'span'))}")
    seen: dict[tuple[str, str], Capture] = {}
    for row in reports:
        if row.account not in accounts:
            raise ValueError(f"{row.place}: unknown account {row.account!r}; {nearest(row.account, accounts)}")
        first = seen.setdefault((row.province, row.account), row)
        if first is not row:
            raise ValueError(
                f"{row.place}: {row.province} is captured twice in the account {row.account!r}"
                f"{first.where and ', first in ' + first.where}; keep one row"
            )


def choose(reports: tuple[Capture, ...], decides: str, prefer: str | None) -> tuple[Capture, ...]:
    """Return one capture for each province: the preferred account's where it has one, else that which *decides*."""
    by_province: dict[str, dict[str, Capture]] = {}
    for row in reports:
        by_province.setdefault(row.province, {})[row.account] = row
    chosen = []
    for told in by_province.values():
        if prefer == "span" and decides in told:
            chosen.append(replace(
                told[decides],
                earliest=min(row.earliest for row in told.values()),
                latest=max(row.latest for row in told.values()),
                source=" | ".join(row.source for row in told.values() if row.source),
                account="span",
            ))  # fmt: skip
        elif prefer in told:
            chosen.append(told[prefer])
        elif decides in told:
            chosen.append(told[decides])
    return tuple(chosen)
