"""Compare printed output with what is pinned: words to the letter, numbers to a tolerance.

On one machine the bits are equal. Another processor may round a logarithm the other way, which is enough to set a
sampler's walkers on other paths; its answers then agree within Monte Carlo error.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

NUMBER = re.compile(r"-?\d+(?:\.\d+)?")


def differences(expected: str, found: str, *, absolute: float = 0.035, relative: float = 0.06) -> list[str]:
    """Return the lines in which *found* differs from *expected*, told as text; empty if it does not."""
    wanted, given = expected.splitlines(), found.splitlines()
    if len(wanted) != len(given):
        return [f"{len(given)} lines, not {len(wanted)}"]
    told = []
    for number, (want, have) in enumerate(zip(wanted, given, strict=True), 1):
        words = [re.sub(r"\s+", " ", NUMBER.sub("#", line)) for line in (want, have)]
        pairs = list(zip(map(float, NUMBER.findall(want)), map(float, NUMBER.findall(have)), strict=False))
        if words[0] != words[1] or any(abs(a - b) > absolute + relative * abs(a) for a, b in pairs):
            told.append(f"line {number}: {have!r}, pinned {want!r}")
    return told


def block(text: str, start: str) -> str:
    """Return the fenced block of *text* that begins with *start*."""
    return re.findall(rf"```\w*\n({re.escape(start)}.*?)\n```", text, flags=re.DOTALL)[0]


if __name__ == "__main__":
    # Hold README's tables against the output of the first command.
    readme, output = (Path(name).read_text(encoding="utf-8") for name in sys.argv[1:3])
    for start in ("pooled over", "Beside other scenarios"):
        pinned = block(readme, start)
        printed = output[output.index(start) :].splitlines()[: len(pinned.splitlines())]
        if told := differences(pinned, "\n".join(printed)):
            sys.exit("README's table is out of date\n" + "\n".join(told))
