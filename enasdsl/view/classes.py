"""The classes of a space under `modulo`, as a person reads them and as a machine does."""

from __future__ import annotations

from math import isinf

from enasdsl.ir.unique import Classes, Estimate
from enasdsl.view.numbers import power_of_ten


def classes_text(found: Classes) -> str:
    """How many classes there are, whole and by part; an estimate says that it is one."""
    rules = "; ".join(found.rules)
    if found.count is not None:
        total = f"{found.count:,}" + (
            f" ({power_of_ten(found.count)})" if found.count > 1e6 else ""
        )
    else:
        total = f"at least {power_of_ten(found.least)} (an estimate, 95 %)"
    lines = [f"modulo {{ {rules} }}: {total}"]
    if len(found.parts) > 1 or found.count is None:
        width = max(len(part.name) for part in found.parts)
        lines += ["", *(f"  {p.name:<{width}}  {_part(p.count)}" for p in found.parts)]
    return "\n".join(lines)


def classes_facts(found: Classes) -> dict[str, object]:
    """The same for `--output json`; exact numbers are strings, as JSON readers would round them."""
    return {
        "modulo": list(found.rules),
        "count": None if found.count is None else str(found.count),
        "exact": found.count is not None,
        "least": None if found.count is not None else found.least,
        "parts": [{"name": part.name, **_facts(part.count)} for part in found.parts],
    }


def _part(count: int | Estimate) -> str:
    if isinstance(count, int):
        return f"{count:,}"
    above = (
        "" if isinf(count.high) else f", if all were as likely at most {power_of_ten(count.high)}"
    )
    return (
        f"estimated, at least {power_of_ten(count.low)}{above}: "
        f"{count.drawn:,} were drawn, {count.alike:,} pairs of them alike"
    )


def _facts(count: int | Estimate) -> dict[str, object]:
    if isinstance(count, int):
        return {"count": str(count)}
    return {
        "estimate": {
            "drawn": count.drawn,
            "alike": count.alike,
            "low": count.low,
            "high": None if isinf(count.high) else count.high,
        }
    }
