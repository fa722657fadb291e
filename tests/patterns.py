"""Every pattern of the project against texts made to keep it busy; see `tests/test_patterns.py`.

`python -m tests.patterns` measures in a process of its own and prints what was too slow as JSON.
"""

import ast
import importlib
import json
import re
import signal
import sys
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from re import _constants as code  # type: ignore[attr-defined]  # as the compiler itself sees it
from re import _parser as parser  # type: ignore[attr-defined]
from typing import Any

from app.web import stored_words

ROOT = Path(__file__).parent.parent
HOUSES = ("app", "channels", "classifier")
FUNCTIONS = {"compile", "search", "match", "fullmatch", "sub", "subn", "split", "findall"} | {
    "finditer"
}
FLAGS_AT = {"compile": 1, "sub": 4, "subn": 4, "split": 3}  # which argument they are; else the 3rd

SHORT, LONG = 2_000, 8_000  # characters; what looks again and again needs 16 times as long
SUSPICIOUS = 0.0015  # seconds of CPU for the short text; below, the long one is not tried
GROWTH = 8.0  # times; four would be linear
BUDGET = 0.005  # seconds for the longest text that comes to a pattern, where there is a longest
CEILING = 0.5  # seconds for one text, after which it is stopped
MAX_UNITS = 24  # per pattern


@dataclass(frozen=True)
class Found:
    where: str  # file and name
    pattern: re.Pattern[Any]
    uses: tuple[str, ...]


@dataclass(frozen=True)
class Slow:
    where: str
    text: str
    seconds: float


def files() -> list[Path]:
    return sorted(path for house in HOUSES for path in (ROOT / house).rglob("*.py"))


@cache
def _tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text("utf-8"))


def _name(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def found() -> tuple[list[Found], list[str]]:
    """Every pattern, and the places whose pattern is only made while the program runs."""
    uses = _uses()
    patterns: list[Found] = []
    unknown: list[str] = []
    for path in files():
        if "migrations/versions" in str(path) or "import re\n" not in path.read_text("utf-8"):
            continue
        module = importlib.import_module(_name(path))
        names = {id(value): name for name, value in vars(module).items() if _is_pattern(value)}
        inside = [one for value in vars(module).values() for one in _in_container(value)]
        short = str(path.relative_to(ROOT))
        inside_of = _functions(path)
        for call in _calls(path):
            pattern = _evaluated(call, vars(module))
            method = call.func.attr  # type: ignore[attr-defined]
            if pattern is None:
                unknown.append(f"{short} in {inside_of[call]}")
            elif method != "compile":
                patterns.append(Found(f"{short} in {inside_of[call]}", pattern, (method,)))
            elif id(pattern) in names:  # re keeps what it compiled, so it is the same object
                name = names[id(pattern)]
                patterns.append(Found(f"{short} {name}", pattern, uses[_name(path), name]))
            else:
                patterns.append(Found(f"{short} in {inside_of[call]}", pattern, ("finditer",)))
        known = {id(one.pattern) for one in patterns}
        patterns += [Found(short, one, ("finditer",)) for one in inside if id(one) not in known]
    patterns += [
        Found("app/web/stored_words.py in _pattern", one, ("fullmatch",))
        for one, _ in stored_words._patterns()
    ]
    return patterns, unknown


def _is_pattern(value: object) -> bool:
    return isinstance(value, re.Pattern)


def _in_container(value: object) -> Iterator[re.Pattern[Any]]:
    if isinstance(value, (tuple, list)):
        for one in value:
            yield from [one] if isinstance(one, re.Pattern) else _in_container(one)
    elif isinstance(value, dict):
        yield from _in_container(tuple(value.values()))


def _functions(path: Path) -> dict[ast.AST, str]:
    """The function each part of a file stands in."""
    inside: dict[ast.AST, str] = defaultdict(lambda: "the module")
    for node in ast.walk(_tree(path)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            inside |= dict.fromkeys(ast.walk(node), node.name)
    return inside


def _calls(path: Path) -> Iterator[ast.Call]:
    for node in ast.walk(_tree(path)):
        if (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Attribute)
            and isinstance(node.func.value, ast.Name)
            and node.func.value.id == "re"
            and node.func.attr in FUNCTIONS
        ):
            yield node


def _evaluated(call: ast.Call, names: dict[str, Any]) -> re.Pattern[Any] | None:
    """The pattern as the module compiles it; None when only the running program knows it."""
    at = FLAGS_AT.get(call.func.attr, 2)  # type: ignore[attr-defined]
    flags = next((word.value for word in call.keywords if word.arg == "flags"), None)
    flags = flags or (call.args[at] if len(call.args) > at else ast.Constant(0))
    try:
        return re.compile(_value(call.args[0], names), _value(flags, names))
    except NameError:
        return None


def _value(node: ast.expr, names: dict[str, Any]) -> Any:
    text = compile(ast.fix_missing_locations(ast.Expression(node)), "<pattern>", "eval")
    return eval(text, dict(names))  # noqa: S307 - our own source


def _uses() -> dict[tuple[str, str], tuple[str, ...]]:
    """How each named pattern is applied, wherever it is known; in every way where nobody does."""
    seen: dict[tuple[str, str], set[str]] = defaultdict(set)
    for path in files():
        home = {
            alias.asname or alias.name: node.module or ""
            for node in ast.walk(_tree(path))
            if isinstance(node, ast.ImportFrom)
            for alias in node.names
        }
        for node in ast.walk(_tree(path)):
            if not isinstance(node, ast.Attribute) or node.attr not in FUNCTIONS:
                continue
            if isinstance(node.value, ast.Name):
                name = node.value.id
                seen[home.get(name, _name(path)), name].add(node.attr)
    made: dict[tuple[str, str], tuple[str, ...]] = defaultdict(lambda: ("finditer",))
    return made | {key: tuple(sorted(value)) for key, value in seen.items()}


def attacks(pattern: re.Pattern[Any]) -> list[str]:
    """Beginnings and units to repeat, as `beginning, unit` texts that the pattern half likes."""
    tree = parser.parse(pattern.pattern, pattern.flags & ~re.DEBUG)
    units = dict.fromkeys([*"\n a0-<>=@.:_あ", *_letters(tree)])
    pumps = dict.fromkeys(_pumps(tree, ""))
    made = [f"\x00{unit}" for unit in list(units)[:MAX_UNITS]]
    made += [f"{before}\x00{unit}" for before, unit in pumps]
    made += [f"\x00{before}{unit}" for before, unit in pumps]
    made += [f"{before}\x00{unit}" for before, _ in pumps for unit in " a"]
    return list(dict.fromkeys(one for one in made if not one.endswith("\x00")))


def _letters(tree: Any) -> Iterator[str]:
    """One letter for each letter and class of letters in the pattern."""
    for kind, value in tree:
        if kind is code.LITERAL:
            yield chr(value)
        elif kind in {code.IN, code.NOT_LITERAL, code.ANY, code.CATEGORY}:
            yield _one_of(kind, value)
        else:
            for part in _inside(kind, value):
                yield from _letters(part)


def _inside(kind: Any, value: Any) -> list[Any]:
    if kind in {code.MAX_REPEAT, code.MIN_REPEAT, code.POSSESSIVE_REPEAT}:
        return [value[2]]
    if kind is code.SUBPATTERN:
        return [value[3]]
    if kind is code.ATOMIC_GROUP:
        return [value]
    if kind is code.BRANCH:
        return list(value[1])
    if kind in {code.ASSERT, code.ASSERT_NOT}:
        return [value[1]]
    return []


_CLASSES = {
    code.CATEGORY_DIGIT: "0",
    code.CATEGORY_NOT_DIGIT: "a",
    code.CATEGORY_SPACE: " ",
    code.CATEGORY_NOT_SPACE: "a",
    code.CATEGORY_WORD: "a",
    code.CATEGORY_NOT_WORD: "-",
}


def _one_of(kind: Any, value: Any) -> str:
    if kind is code.ANY:
        return "a"
    if kind is code.CATEGORY:
        return _CLASSES[value]
    if kind is code.NOT_LITERAL:
        return "b" if value == ord("a") else "a"
    if value[0][0] is code.NEGATE:
        allowed = re.compile(_class_text(value))
        return next((letter for letter in "a -0.あ<@\x01" if allowed.match(letter)), "\x7f")
    first, detail = value[0]
    if first is code.RANGE:
        return chr(detail[0])
    return chr(detail) if first is code.LITERAL else _one_of(first, detail)


def _class_text(items: Any) -> str:
    """A class of letters written out again."""
    written = {
        code.CATEGORY_DIGIT: r"\d",
        code.CATEGORY_NOT_DIGIT: r"\D",
        code.CATEGORY_SPACE: r"\s",
        code.CATEGORY_NOT_SPACE: r"\S",
        code.CATEGORY_WORD: r"\w",
        code.CATEGORY_NOT_WORD: r"\W",
    }
    out = "["
    for kind, value in items:
        if kind is code.NEGATE:
            out += "^"
        elif kind is code.LITERAL:
            out += re.escape(chr(value))
        elif kind is code.RANGE:
            out += f"{re.escape(chr(value[0]))}-{re.escape(chr(value[1]))}"
        else:
            out += written[value]
    return out + "]"


def _sample(tree: Any) -> str:
    """A short text this part of a pattern matches, or nearly."""
    out = ""
    for kind, value in tree:
        if kind is code.LITERAL:
            out += chr(value)
        elif kind in {code.IN, code.NOT_LITERAL, code.ANY, code.CATEGORY}:
            out += _one_of(kind, value)
        elif kind in {code.MAX_REPEAT, code.MIN_REPEAT, code.POSSESSIVE_REPEAT}:
            out += _sample(value[2]) * min(value[0], 50)
        elif kind is code.BRANCH:
            out += _sample(value[1][0])
        elif kind in {code.SUBPATTERN, code.ATOMIC_GROUP}:
            out += "".join(_sample(part) for part in _inside(kind, value))
    return out


def _pumps(tree: Any, before: str) -> Iterator[tuple[str, str]]:
    """What stands before each part that may be repeated, and one round of it."""
    for kind, value in tree:
        if kind in {code.MAX_REPEAT, code.MIN_REPEAT, code.POSSESSIVE_REPEAT} and value[1] > 1:
            yield before, _sample(value[2]) or "a"
        for part in _inside(kind, value):
            yield from _pumps(part, before)
        before += _sample([(kind, value)])


def text_of(attack: str, length: int) -> str:
    before, unit = attack.split("\x00", 1)
    return before + unit * (length // len(unit)) + "\x01"


def seconds(pattern: re.Pattern[Any], use: str, text: str, times: int = 1) -> float:
    """CPU seconds of one look, of so many; at `CEILING` it is stopped in the middle of its work."""
    given: Any = text if isinstance(pattern.pattern, str) else text.encode("utf-8", "ignore")
    start = time.process_time()
    signal.setitimer(signal.ITIMER_PROF, CEILING)
    try:
        for _ in range(times):
            if use in {"match", "search", "fullmatch"}:
                getattr(pattern, use)(given)
            else:
                for _found in pattern.finditer(given):
                    pass
    except TimeoutError:
        return CEILING
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
    return (time.process_time() - start) / times


def too_slow(one: Found, bound: int | None) -> Iterator[Slow]:
    """The texts it looks at again and again. With a bound, no longer text ever comes to it."""
    for attack in attacks(one.pattern):
        for use in one.uses:
            # Seen three times: what is slow once may have shared the machine. What had to be
            # stopped is far beyond that.
            taken = _too_long(one.pattern, use, attack, bound)
            again = range(2 if 0.0 < taken < CEILING else 0)
            if taken and all(_too_long(one.pattern, use, attack, bound) for _ in again):
                yield Slow(one.where, attack.replace("\x00", " … "), round(taken, 4))
                break


def _too_long(pattern: re.Pattern[Any], use: str, attack: str, bound: int | None) -> float:
    """The seconds it took, if they are too many or grow faster than the text."""
    if bound is not None:
        taken = _least(pattern, use, text_of(attack, bound), BUDGET)
        return taken if taken >= BUDGET else 0.0
    # Some kernels count the time of a process in steps of four milliseconds.
    short = _least(pattern, use, text_of(attack, SHORT), SUSPICIOUS, times=8)
    if short < SUSPICIOUS:
        return 0.0
    long = _least(pattern, use, text_of(attack, LONG), GROWTH * short)
    return long if long >= CEILING or long >= GROWTH * short else 0.0


def _least(
    pattern: re.Pattern[Any], use: str, text: str, enough: float, *, times: int = 1
) -> float:
    """Of three looks, for another process may have had the machine; one when it was quick."""
    least = CEILING
    for _ in range(3):
        least = min(least, seconds(pattern, use, text, times))
        if least < enough or least >= CEILING:
            break
    return least


@contextmanager
def stopping() -> Iterator[None]:
    """A pattern is stopped in the middle of its work; there is no other way to end it."""

    def stop(*_: object) -> None:
        raise TimeoutError

    before = signal.signal(signal.SIGPROF, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGPROF, before)


def main(bounds: dict[str, int]) -> None:
    patterns, unknown = found()
    once = {(one.where, one.pattern, one.uses): one for one in patterns}
    with stopping():
        slow = [
            f"{one.where} on {one.text!r}: {one.seconds} s"
            for pattern in once.values()
            for one in too_slow(pattern, bounds.get(pattern.where))
        ]
    places = sorted({one.where for one in patterns})
    json.dump({"places": places, "unknown": sorted(unknown), "slow": slow}, sys.stdout)


if __name__ == "__main__":
    main(json.loads(sys.argv[1]) if len(sys.argv) > 1 else {})
