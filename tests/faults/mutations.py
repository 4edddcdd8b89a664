"""Seeded mutations of what users write: bytes, JSON by its values, TOML and CSV by their lines."""

from __future__ import annotations

import json
from copy import deepcopy
from random import Random
from typing import Any

NASTY: list[Any] = [
    None, True, -1, 0, 1, 2**31, 2**63, -(2**63), 10**30, 0.5, 1e308, float("nan"), float("inf"), "", " ", "1", "NaN",
    "x" * 10_000, "'; DROP TABLE runs; --", 'a"b', "a\nb", "\x1b[31mred", "../../etc/passwd", "<script>", "\u202e", "Å",
    [], {}, [None], [[]], {"a": 1}, [1] * 1000, "2026-02-30", "hidden", "loihi2",
]  # fmt: skip


def mutated_bytes(data: bytes, random: Random) -> bytes:
    """Flip, cut out, double or insert bytes."""
    broken = bytearray(data)
    if not broken:
        return b"\0"
    place = random.randrange(len(broken))
    match random.randrange(4):
        case 0:
            broken[place] ^= 1 << random.randrange(8)
        case 1:
            del broken[place : place + random.choice([1, 8, len(broken)])]
        case 2:
            broken[place:place] = broken[place : place + 16]
        case _:
            broken[place:place] = random.randbytes(random.choice([1, 4, 64]))
    return bytes(broken)


def mutated_json(content: Any, random: Random) -> str:
    """Return JSON of which some values are others, gone, renamed or doubled; or text that is hardly JSON any more."""
    content = json.loads(json.dumps(content))
    for _ in range(random.choice([1, 1, 2, 3])):
        _mutate_somewhere(content, random)
    text = json.dumps(content)
    if random.random() < 0.2:
        return mutated_bytes(text.encode(), random).decode(errors="replace")
    return text


def _mutate_somewhere(content: Any, random: Random) -> None:
    places = list(_places(content))
    if not places:
        return
    parent, key = random.choice(places)
    match random.randrange(4):
        case 0:
            del parent[key]
        case 1 if isinstance(parent, dict):
            parent[random.choice([f"{key}s", key.upper(), "", "'", "n_neuron"])] = parent.pop(key)
        case 2 if isinstance(parent, list):
            parent.append(parent[key])
        case _:
            parent[key] = deepcopy(random.choice(NASTY))


def _places(content: Any) -> list[tuple[Any, Any]]:
    keys = (
        list(content) if isinstance(content, dict) else list(range(len(content))) if isinstance(content, list) else []
    )
    return [(content, key) for key in keys] + [place for key in keys for place in _places(content[key])]


TOML_VALUES = [
    '""', '"x"', "-1", "0", "1e308", "nan", "inf", "-inf", "true", "[]", "{}", "2026-02-30", "2026-01-01", '"5 %"',
    '"-5 %"', '"3 nJ"', '"3"', '"3 kWh"', '"loihi2"', '"loihi 2"', "99999999999999999999", "0.0000001",
    '"' + "x" * 5000 + '"',
    "'''a\nb'''", '"\\u001b[31m"', '"; DROP TABLE costs"', "[1, 2]", "{a = 1}", "",
]  # fmt: skip


def mutated_toml(text: str, random: Random) -> str:
    """Return TOML of which some lines say something else, are gone, doubled or elsewhere."""
    lines = text.splitlines()
    for _ in range(random.choice([1, 1, 2, 3])):
        place = random.randrange(len(lines))
        key, is_value, _ = lines[place].partition(" = ")
        match random.randrange(6):
            case 0:
                lines.pop(place)
            case 1:
                lines.insert(place, lines[place])
            case 2:
                lines.insert(random.randrange(len(lines)), lines.pop(place))
            case 3 if is_value:
                lines[place] = f"{random.choice([f'{key}s', key.upper(), 'x', ''])} = {_}"
            case _ if is_value:
                lines[place] = f"{key} = {random.choice(TOML_VALUES)}"
            case _:
                lines[place] = mutated_bytes(lines[place].encode(), random).decode(errors="replace")
        if not lines:
            return ""
    return "\n".join(lines)


CSV_VALUES = [
    "", " ", "0", "-1", "1.0", "1.5", "1e3", "nan", "inf", "true", "hidden", "hiden", "0x10", "1_000", "007",
    "99999999999999999999", "9223372036854775807", '"', '""', '"a\nb"', "a'b", "\x1b[31m", "=1+1", "\0", "x" * 5000,
]  # fmt: skip


def mutated_csv(text: str, random: Random) -> str:
    """Return lines of which some have other values, more or fewer of them, or are gone, doubled or elsewhere."""
    lines = text.splitlines()
    for _ in range(random.choice([0, 1, 1, 2])):
        place = random.randrange(len(lines))
        fields = lines[place].split(",")
        match random.randrange(6):
            case 0 if len(lines) > 1:
                lines.pop(place)
            case 1:
                lines.insert(random.randrange(len(lines)), lines[place])
            case 2:
                fields.insert(random.randrange(len(fields)), random.choice(CSV_VALUES))
                lines[place] = ",".join(fields)
            case 3:
                lines = [",".join(reversed(line.split(","))) for line in lines]
            case _:
                fields[random.randrange(len(fields))] = random.choice(CSV_VALUES)
                lines[place] = ",".join(fields)
    ends = random.choice(["\n", "\n", "\r\n"])
    return random.choice(["", "", "\ufeff"]) + ends.join(lines) + random.choice(["", ends])
