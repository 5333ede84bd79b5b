"""Hostile templates: each gets a clear error with its place, or loads and survives the canonical round trip.

Wide where tests/validate/hostile_test is exact: whatever can stand at the start, in a field, or megabytes of it.
hostile_sweep_probe reads one text per process and measures itself. The aim is one second and 64 MiB of growth for
reading and checking; the time asserted leaves room for a machine with other work, and neither is asserted of programs
that were not built for speed. By hand it prints each case's figures:

    TASKER_BIN_DIR=build/release/bin /usr/bin/python3 tests/hostile/hostile_sweep.py --table
"""

import json
import os
import pathlib
import subprocess
import sys
import unittest

PROBE = pathlib.Path(os.environ.get("TASKER_BIN_DIR", "build/release/bin")) / "hostile_sweep_probe"
MIB = 1 << 20
TEXT_LIMIT = 4 * MIB
MAX_CPU_SECONDS = 2.0
MAX_GROWTH_KIB = 64 * 1024
ENDS_WITHIN_SECONDS = 120

HEAD = "name: a\nnamespace_name: b\nversion: 1.0.0\n"
STEP = "steps:\n- name: s\n  handler: {callable: C}\n"


def valid(rest="", steps=STEP):
    return HEAD + "task_handler: {callable: H}\n" + steps + rest


def fill(unit, size=TEXT_LIMIT):
    return unit * (size // len(unit.encode()))


def under(size, prefix, unit, suffix=""):
    """prefix, as many units as fit, suffix: `size` bytes at most."""
    return prefix + unit * ((size - len(prefix) - len(suffix)) // len(unit)) + suffix


def numbered(count, form):
    return "".join(form.format(i) for i in range(count))


def alias_bomb(levels, width):
    lines = ["x-a0: &a0 [%s]\n" % ",".join(["x"] * width)]
    for i in range(1, levels):
        lines.append("x-a%d: &a%d [%s]\n" % (i, i, ",".join(["*a%d" % (i - 1)] * width)))
    return valid("".join(lines))


def steps(count, dependencies):
    lines = ["steps:\n"]
    for i in range(count):
        lines.append("- name: s%d\n  handler: {callable: C}\n" % i)
        wanted = dependencies(i)
        if wanted:
            lines.append("  dependencies: [%s]\n" % ",".join("s%d" % j for j in wanted))
    return valid(steps="".join(lines))


def texts():
    """(name, text as str or bytes, expected) of every case; `expected` is ERROR, ANY, or None: it loads."""
    yield "empty", "", ERROR
    yield "alias bomb of nodes", alias_bomb(12, 10), ERROR
    yield "alias bomb of maps", valid(
        "x-a0: &a0 {k: v}\n" + "".join("x-a%d: &a%d {l: *a%d, r: *a%d}\n" % (i, i, i - 1, i - 1) for i in range(1, 50))
    ), ERROR
    yield "alias bomb of bytes", valid(
        "x-a: &a '%s'\nx-b: [%s]\n" % ("y" * MIB, ",".join(["*a"] * 200_000))), ERROR
    yield "alias bomb of bytes in keys", valid(
        "x-a: &a {%s: 1}\nx-b: [%s]\n" % ("y" * 900, ",".join(["*a"] * 300_000))), ANY
    yield "alias bomb by merge keys", valid(
        "x-a: &a {%s}\nx-b:\n%s" % (numbered(1000, "k{}: 1,"), "- {<<: *a}\n" * 100_000)), ERROR
    yield "merge keys over merge keys", valid("x-a0: &a0 {k: v}\n" + "".join(
        "x-a%d: &a%d {<<: *a%d, k%d: v}\n" % (i, i, i - 1, i) for i in range(1, 3000))), ANY
    yield "alias of its own list", valid("x-a: &a [*a]\n"), ERROR
    yield "alias cycle through a map", valid("x-a: &a {b: {c: *a}}\n"), ERROR
    yield "merge of its own map", valid("x-a: &a {<<: *a}\n"), ERROR
    yield "alias of nothing", valid("x-a: *nothing\n"), ERROR
    yield "many anchors", valid("x-a: [" + numbered(200_000, "&a{} 1,") + "]\n"), ANY
    yield "many anchors and aliases", valid("x-a: [" + numbered(100_000, "&a{0} 1,*a{0},") + "]\n"), ANY
    yield "one anchor, many aliases", valid("x-a: [&a 1," + "*a," * 500_000 + "]\n"), ANY

    for opening, closing in (("[", "]"), ("{", "}"), ("{a: ", "}"), ("? ", ""), ("- ", ""), ("[{", "}]"),
                             ("!!map ", "")):
        yield "100,000 open %r" % opening, opening * 100_000, ERROR
        yield "100,000 open %r in a field" % opening, HEAD + "x-a: " + opening * 100_000, ERROR
        if closing:
            yield "100,000 closed %r" % opening, opening * 100_000 + closing * 100_000, ERROR
            yield "100,000 closed %r in a field" % opening, valid(
                "x-a: %s%s\n" % (opening * 100_000, closing * 100_000)), ERROR
    yield "2,000 levels of blocks", valid("x-a:\n" + "".join(" " * i + "a:\n" for i in range(1, 2000))), ERROR
    yield "2,000 levels of JSON", "{\"a\":" * 2000 + "1" + "}" * 2000, ERROR

    for unit in ("a", "[", "{", "]", "}", "-", " ", "\n", "\t", '"', "'", "#", "&", "*", "!", "%", ":", ",", "|", ">",
                 "?", "@", "`", "~", "\\", "\r", "0", ".", "<", "=", "- ", "- \n", "-\n", "a: ", "a: \n", "1,", "#\n",
                 "# \r", "---\n", "...\n", "? a\n", "- - ", ": ", "a:\n ", "&a ", "*a ", "!a ", "'' ", "\"\\n",
                 "\u00e9", "\u2028", "\u0085", "\U0001f600", "a\u0300"):
        text = fill(unit)
        yield "4 MiB of %r" % unit, text, ERROR
        yield "4 MiB of %r in a field" % unit, valid("x-a: ") + fill(unit, TEXT_LIMIT - 400), ANY
    for name, opening, unit, closing in (
            ("plain text", "", "a", "\n"), ("plain words", "", "a b", "\n"), ("quoted text", '"', "a", '"\n'),
            ("escapes", '"', "\\u0061", '"\n'), ("single quotes", "'", "''", "'\n"),
            ("a literal block", "|\n", " a\n", ""),
            ("a folded block", ">\n", " a\n", ""), ("blank lines in a block", "|\n", "\n", " a\n"),
            ("a list of numbers", "[", "1,", "]\n"), ("a list of blocks", "\n", "- 1\n", ""),
            ("empty lists", "[", "[],", "]\n"),
            ("empty maps", "[", "{},", "]\n"), ("empty text", "[", "'',", "]\n"), ("nulls", "[", "~,", "]\n"),
            ("reals", "[", "1.5,", "]\n"), ("maps", "[", "{a: 1},", "]\n"), ("pairs", "[", "a: 1,", "]\n"),
            ("comments", "1\n", "#\n", ""), ("lone CR", "1", "\r", ""), ("CRLF", "1", "\r\n", ""),
            ("tabs after a value", "1", "\t", "\n"), ("blanks after a value", "1", " ", "\n"),
            ("one key many times", "{", "a: 1,", "}\n"), ("lines of text", '"', "a\n  ", '"\n'),
            ("complex keys", "{", "[1]: 1,", "}\n"), ("tags", "[", "!!str 1,", "]\n")):
        yield "4 MiB: " + name, under(TEXT_LIMIT, valid("x-a: " + opening), unit, closing), ANY
    yield "more than 4 MiB", fill("a: 1\n", TEXT_LIMIT + 100), ERROR
    yield "8 MiB", fill("a", 2 * TEXT_LIMIT), ERROR

    yield "1 million keys", "{" + numbered(500_000, "{:x},") + "}", ERROR
    yield "1 million short keys", "".join("%x:\n" % i for i in range(560_000)), ERROR
    yield "1 million keys in a field", valid("x-a:\n" + "".join(" %x:\n" % i for i in range(470_000))), ANY
    yield "a million empty keys", under(TEXT_LIMIT, valid("x-a: {"), ":,", "}\n"), ERROR
    yield "200,000 unknown keys", valid(numbered(200_000, "k{}: 1\n")), ERROR
    yield "200,000 unknown keys in steps", valid(steps="steps:\n" + numbered(
        10_000, "- {{name: s{}, handler: {{callable: C}}, a: 1, b: 1, c: 1, d: 1, e: 1}}\n")), ERROR
    yield "200,000 nearly right keys", valid(numbered(200_000, "step{}: 1\n")), ERROR
    yield "long unknown keys", valid("".join("%s%d: 1\n" % ("k" * 900, i) for i in range(4000))), ERROR
    yield "a key of 3 MiB", valid("? " + "k" * (3 * MIB) + "\n: 1\n"), ERROR
    for depth in (0, 1, 30, 60):
        yield "duplicate keys at depth %d" % depth, valid(
            "x-a: " + "{a: " * depth + "{b: 1, b: 2}" + "}" * depth + "\n"), ERROR
    yield "a duplicate among many keys", valid("x-a: {" + numbered(200_000, "k{}: 1,") + "k0: 2}\n"), ERROR
    yield "200,000 duplicate keys", valid("x-a: {" + "k: 1," * 200_000 + "}\n"), ERROR

    for name, wrong in (("invalid UTF-8", b"\xff"), ("a cut character", b"\xe2\x82"),
                        ("an overlong character", b"\xc0\x80"),
                        ("a surrogate", b"\xed\xa0\x80"), ("beyond Unicode", b"\xf4\x90\x80\x80"), ("NUL", b"\0"),
                        ("an escape character", b"\x1b"), ("DEL", b"\x7f")):
        text = valid("x-a: 'text'\n").encode()
        for where, at in (("first", 0), ("in a key", 2), ("in a value", text.index(b"text") + 1), ("last", len(text))):
            yield "%s, %s" % (name, where), text[:at] + wrong + text[at:], ERROR
        yield "%s in the last of 4 MiB" % name, valid("x-a: ").encode() + b"a" * (4_190_000) + wrong, ERROR
    yield "4 MiB of invalid UTF-8", b"\xff" * TEXT_LIMIT, ERROR
    yield "4 MiB of NUL", b"\0" * TEXT_LIMIT, ERROR
    yield "UTF-16", valid().encode("utf-16"), ERROR
    yield "UTF-32", valid().encode("utf-32"), ERROR

    for name, number in (("a million digits", "9" * MIB), ("a million zeros and a one", "0" * MIB + "1"),
                         ("a million digits after the point", "1." + "3" * MIB), ("a huge exponent", "1e" + "9" * MIB),
                         ("a huge hexadecimal number", "0x" + "f" * MIB), ("a huge octal number", "0o" + "7" * MIB),
                         (".nan", ".nan"), (".inf", ".inf"), ("-.inf", "-.inf"), ("1e999", "1e999"),
                         ("2^64", "18446744073709551616")):
        yield name, valid("x-a: " + number + "\n"), ANY
        yield name + " as a limit", valid(steps=STEP + "  retry: {limit: %s}\n" % number), ERROR
        yield name + " as a time", valid(steps=STEP + "  timeout_seconds: %s\n" % number), ERROR
    for tag in ("!!binary", "!!timestamp", "!!set", "!local", "!<tag:x>", "!!python/object:os.system"):
        yield "tag " + tag, valid("x-a: %s aGVsbG8=\n" % tag), ERROR

    yield "BOM at the start", "\ufeff" + valid(), None
    yield "BOM in the middle", HEAD + "\ufeff" + valid()[len(HEAD):], ERROR
    yield "BOM inside text", valid("x-a: 'a\ufeffb'\n"), ANY
    yield "two BOMs", "\ufeff\ufeff" + valid(), ERROR
    yield "CRLF", valid().replace("\n", "\r\n"), None
    yield "lone CR", valid().replace("\n", "\r"), None
    yield "tabs for indentation", valid("x-a:\n\tb: 1\n"), ERROR
    yield "a tab between", valid("x-a:\t1\n"), None
    yield "a megabyte on one line", valid("x-a: {b: \"%s\"}\n" % ("z" * MIB)), None
    yield "a megabyte on one line, then an error", valid("x-a: {b: \"%s\", c: *d}\n" % ("z" * MIB)), ERROR
    yield "many errors on one line", "{" + numbered(200_000, "k{}: 1,") + "}", ERROR
    yield "many documents", "---\na: 1\n" * 100_000, ERROR

    yield "a chain of 10,000 steps", steps(10_000, lambda i: [i - 1] if i else []), None
    yield "10,001 steps", steps(10_001, lambda i: []), ERROR
    yield "a million steps", valid(steps="steps: [" + "{}," * 1_000_000 + "]\n"), ERROR
    yield "10,000 empty steps", valid(steps="steps: [" + "{}," * 10_000 + "]\n"), ERROR
    yield "a cycle of 10,000 steps", steps(10_000, lambda i: [(i + 1) % 10_000]), ERROR
    yield "5,000 cycles of two", steps(10_000, lambda i: [i ^ 1]), ERROR
    yield "10,000 steps that depend on themselves", steps(10_000, lambda i: [i]), ERROR
    yield "800 steps that all depend on each other", steps(800, lambda i: [j for j in range(800) if j != i]), ERROR
    yield "900 steps with all earlier ones", steps(900, range), None
    yield "10,000 steps of one name", valid(steps="steps:\n" + "- {name: s, handler: {callable: C}}\n" * 10_000), ERROR
    yield "10,000 dependencies on nothing", steps(10_000, lambda i: [i + 20_000]), ERROR
    yield "500,000 dependencies on one step", valid(
        steps=STEP + "- name: t\n  handler: {callable: C}\n  dependencies: [" + "s," * 500_000 + "]\n"), None
    yield "a step of a very long name", valid(steps="steps: [{name: %s, handler: {callable: C}}]\n" % ("n" * MIB)), ERROR

    override = "environments:\n  test:\n    steps:\n"
    yield "40,000 overrides of one step", valid(override + "    - {name: s, timeout_seconds: 1}\n" * 40_000), ANY
    yield "100,000 overrides of one step", valid(override + "    - {name: s, timeout_seconds: 1}\n" * 100_000), ANY
    yield "100,000 overrides of ALL", valid(override + "    - {name: ALL, timeout_seconds: 1}\n" * 100_000), ANY
    yield "100,000 overrides of nothing", valid(override + numbered(
        100_000, "    - {{name: n{}, timeout_seconds: 1}}\n")), ANY
    yield "200,000 overrides", valid(override + "    - {name: s}\n" * 200_000), ERROR
    yield "900,000 numbers for overrides", valid("environments: {test: {steps: [" + "1," * 900_000 + "]}}\n"), ERROR
    yield "900,000 numbers for domain events", valid("domain_events: [" + "1," * 900_000 + "]\n"), ERROR
    yield "10,000 overrides of ALL in 5,000 steps", valid(
        steps="steps:\n" + numbered(5000, "- {{name: s{}, handler: {{callable: C}}}}\n"),
        rest=override + "    - {name: ALL, timeout_seconds: 1}\n" * 10_000), ANY
    yield "100,000 environments", valid("environments:\n" + numbered(100_000, "  e{}: {{}}\n")), ANY
    yield "an environment of deep maps", valid(
        "environments: {test: {task_handler: {initialization: %s}}}\n" % ("{a: " * 25 + "1" + "}" * 25)), None
    yield "an environment of maps too deep for the wire", valid(
        "environments: {test: {task_handler: {initialization: %s}}}\n" % ("{a: " * 50 + "1" + "}" * 50)), ERROR
    yield "an environment too deep", valid(
        "environments: {test: {task_handler: {initialization: %s}}}\n" % ("{a: " * 500 + "1" + "}" * 500)), ERROR

    schema = "input_schema:\n  type: object\n  properties:\n"
    yield "a schema of 40,000 properties", valid(schema + numbered(40_000, "    p{}: {{type: string}}\n")), None
    yield "a schema of 50,000 wrong properties", valid(schema + numbered(50_000, "    p{}: {{type: text}}\n")), ERROR
    yield "a schema with 20,000 references", valid(
        "input_schema:\n  $defs: {a: {type: string}}\n  properties:\n" + numbered(
            20_000, "    p{}: {{$ref: '#/$defs/a'}}\n")), None
    yield "a schema with 20,000 lost references", valid(
        "input_schema:\n  properties:\n" + numbered(20_000, "    p{0}: {{$ref: '#/$defs/a{0}'}}\n")), ERROR
    yield "a schema with 20,000 patterns", valid(schema + numbered(
        20_000, "    p{0}: {{pattern: '^[a-z]{{1,9}}{0}$'}}\n")), ANY
    yield "a schema with a huge pattern", valid("input_schema: {pattern: '%s'}\n" % ("(a|b)*" * 100_000)), ANY
    yield "a schema with a deep pattern", valid("input_schema: {pattern: '%s'}\n" % ("(" * 100_000 + ")" * 100_000)), ANY
    yield "a schema with a huge repetition", valid("input_schema: {pattern: '((a{1,1000}){1,1000}){1,1000}'}\n"), ANY
    yield "a schema with an enum of 300,000", valid("input_schema: {enum: [" + numbered(300_000, "{},") + "]}\n"), ANY
    yield "a schema with an enum of 300,000 equal", valid("input_schema: {enum: [" + "1," * 300_000 + "]}\n"), ANY
    yield "a schema with 300,000 required", valid("input_schema: {required: [" + numbered(300_000, "r{},") + "]}\n"), ANY
    yield "a schema deep in itself", valid("input_schema: %s\n" % ("{not: " * 55 + "{}" + "}" * 55)), ANY
    yield "10,000 schemas", valid(steps="steps:\n" + numbered(
        10_000, "- {{name: s{}, handler: {{callable: C}}, result_schema: {{type: object}}}}\n")), None

    yield "20,000 events", valid("domain_events:\n" + numbered(20_000, "- {{name: e{}}}\n")), ANY
    yield "20,000 events of one name", valid("domain_events:\n" + "- {name: e}\n" * 20_000), ANY
    yield "20,000 undeclared events", valid(steps=STEP + "  publishes_events:\n" + numbered(20_000, "  - e{}\n")), ERROR
    yield "100,000 systems", valid(
        "system_dependencies:\n  primary: p\n  secondary:\n" + numbered(100_000, "  - s{}\n")), ANY


ERROR = "an error"
ANY = "anything"


def probe(text):
    data = text if isinstance(text, bytes) else text.encode()
    done = subprocess.run([PROBE], input=data, capture_output=True, timeout=ENDS_WITHIN_SECONDS, check=False)
    if done.returncode != 0:
        raise AssertionError("exit status %d: %s" % (done.returncode, done.stderr.decode(errors="replace")[-2000:]))
    return json.loads(done.stdout)


def problems(result, expected):
    """What is wrong with the probe's answer, as phrases."""
    error = result["error"]
    if result["loaded"] == bool(error):
        yield "loaded and first error are at odds"
    if expected is None and error:
        yield "refused: %s" % error
    if expected not in (None, ANY) and not error:
        yield "loaded, where an error is due"
    if error and not (error["code"] and 0 < len(error["message"]) < 2000):
        yield "the error is not clear: %s" % error
    # Only the whole text's own mistakes (too long, empty) have no place.
    if error and error["line"] == 0 and error["code"] not in NO_PLACE:
        yield "no position: %s" % error
    if result["round_trip_problem"]:
        yield "round trip: " + result["round_trip_problem"]
    if not result["measures"]:
        return
    if result["seconds"] > MAX_CPU_SECONDS:
        yield "%.2f s of CPU" % result["seconds"]
    if result["growth_kib"] > MAX_GROWTH_KIB:
        yield "%d MiB above idle" % (result["growth_kib"] // 1024)


NO_PLACE = {"TEMPLATE_NOT_A_MAP", "YAML_TOO_LARGE"}


class HostileTest(unittest.TestCase):
    def test_every_text_gets_a_clear_error_or_loads_at_little_cost(self):
        for name, text, expected in texts():
            with self.subTest(name):
                self.assertEqual(list(problems(probe(text), expected)), [])


def print_table():
    """One line per case, costliest memory and time last."""
    rows = []
    for name, text, expected in texts():
        try:
            result = probe(text)
        except (AssertionError, subprocess.TimeoutExpired) as e:
            print("%-50s FAILED %s" % (name, e), flush=True)
            continue
        error = result["error"]
        outcome = "%s %d:%d" % (error["code"], error["line"], error["column"]) if error else "loads"
        rows.append(result)
        print("%-50s %-34s %6.2f s %6.1f MiB  all %6.2f s %6.1f MiB  %s" % (
            name, outcome, result["seconds"], result["growth_kib"] / 1024, result["all_seconds"],
            result["all_growth_kib"] / 1024, "; ".join(problems(result, expected))), flush=True)
    print("%d cases: at most %.2f s of CPU and %.1f MiB above idle" % (
        len(rows), max(r["seconds"] for r in rows), max(r["growth_kib"] for r in rows) / 1024))


if __name__ == "__main__":
    if "--table" in sys.argv:
        print_table()
    else:
        unittest.main()
