"""Checks the direction in which the parts of this project may use each other.

    base <- json_schema <- template <- (validate, diff, legacy, render) <- wire <- store <- registry <- server

A part includes and links only what stands to its left, never a neighbour inside the brackets; client uses wire and
what stands left of it. Some libraries may be included in one place only. Every #include and every CMake link under
lib/, server/ and client/ is read; each one against the rules becomes one line `file:line: message`.

Run as a program with the repository's root as its argument: prints those lines and exits 1 when there are any.
"""

import pathlib
import re
import sys

# The parts from left to right; those of one row are neighbours.
ROWS = [
    ["base"],
    ["json_schema"],
    ["template"],
    ["validate", "diff", "legacy", "render"],
    ["wire"],
    ["store", "client"],
    ["registry"],
    ["server"],
]
# The programs: nothing uses them. `client` stands in the row that gives it the right reach.
USED_BY_NOBODY = {"client", "server"}

# What may include a library of others, by the beginning of the included path.
RESTRICTED = [
    (re.compile(r"yaml\.h$|yaml-cpp/"), {"template"}),
    (re.compile(r"pqxx/"), {"store"}),
    (re.compile(r"(grpcpp|grpc|grpc\+\+)/|.*\.grpc\.pb\.h$"), {"server", "client"}),
    # Generated messages belong to wire, so whoever may use wire may include them.
    (re.compile(r".*\.pb\.h$|google/protobuf/"), {"wire", "store", "registry", "server", "client"}),
]

SOURCE_SUFFIXES = {".h", ".cc", ".hpp", ".cpp", ".inc"}
INCLUDE = re.compile(r'^\s*#\s*include\s*(?:<([^>]+)>|"([^"]+)")')
CMAKE_TARGET = re.compile(r"\btasker(?:::|_)([a-z_]+)\b")
CMAKE_RESTRICTED = [
    (re.compile(r"\bPkgConfig::YAML\b|\byaml-cpp\b"), {"template"}, "a YAML library"),
    (re.compile(r"\bPkgConfig::PQXX\b"), {"store"}, "pqxx"),
    (re.compile(r"\bgRPC::grpc\+\+|\btasker_grpc\b"), {"server", "client"}, "grpcpp"),
    (re.compile(r"\btasker_proto\b"), {"wire", "store", "registry", "server", "client"}, "the generated messages"),
]


def allowed_for(part):
    """The parts that `part` may use, itself included."""
    row = next(i for i, names in enumerate(ROWS) if part in names)
    left = [name for names in ROWS[:row] for name in names if name not in USED_BY_NOBODY]
    return {part, *left}


ALLOWED = {part: allowed_for(part) for names in ROWS for part in names}


def part_of(path):
    """The part that a path relative to the root belongs to, or None where it is in none of lib/, server/, client/."""
    pieces = pathlib.PurePosixPath(path).parts
    if len(pieces) > 2 and pieces[0] == "lib":
        return pieces[1]
    return pieces[0] if len(pieces) > 1 and pieces[0] in ("server", "client") else None


def without_block_comments(text):
    """The same text with /* … */ blanked, every line keeping its number."""
    return re.sub(r"/\*.*?\*/", lambda match: re.sub(r"[^\n]", " ", match.group()), text, flags=re.DOTALL)


def included_path(root, file, name, quoted):
    """The path of an #include from the root: resolved beside the including file first, as the compiler does."""
    if quoted:
        beside = (file.parent / name).resolve()
        if beside.is_file() and root in beside.parents:
            return beside.relative_to(root).as_posix()
    return name


def check_source(root, file):
    """Yields (line number, message) for every #include of a source file that breaks a rule."""
    relative = file.relative_to(root).as_posix()
    part = part_of(relative)
    for number, line in enumerate(without_block_comments(file.read_text(encoding="utf-8")).splitlines(), 1):
        match = INCLUDE.match(line)
        if not match:
            continue
        name = included_path(root, file, match.group(1) or match.group(2), match.group(2) is not None)
        used = part_of(name)
        if used is not None and used not in ALLOWED[part]:
            yield number, f"{part} must not include {used}: {name}"
        for pattern, permitted in RESTRICTED:
            if pattern.match(name):
                if part not in permitted:
                    yield number, f"only {', '.join(sorted(permitted))} may include {name}, not {part}"
                break


def check_cmake(root, file):
    """Yields (line number, message) for every link in a CMakeLists.txt that breaks a rule."""
    part = part_of(file.relative_to(root).as_posix())
    for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), 1):
        code = line.split("#", 1)[0]
        for used in CMAKE_TARGET.findall(code):
            if used in ALLOWED and used not in ALLOWED[part]:
                yield number, f"{part} must not link {used}"
        for pattern, permitted, name in CMAKE_RESTRICTED:
            if pattern.search(code) and part not in permitted:
                yield number, f"only {', '.join(sorted(permitted))} may link {name}, not {part}"


def check(root):
    """Returns the list of violations under `root`, each as `file:line: message`, in the order of paths."""
    root = pathlib.Path(root).resolve()
    violations = []
    for top in ("lib", "server", "client"):
        for file in sorted((root / top).rglob("*")):
            relative = file.relative_to(root).as_posix()
            part = part_of(relative)
            if file.suffix in SOURCE_SUFFIXES:
                checker = check_source
            elif file.name == "CMakeLists.txt" and part is not None:
                checker = check_cmake
            else:
                continue
            if part not in ALLOWED:
                violations.append(f"{relative}:1: this folder has no place in the layering; give it one in layering.py")
                continue
            violations += [f"{relative}:{number}: {message}" for number, message in checker(root, file)]
    return violations


def main():
    if len(sys.argv) != 2 or not (pathlib.Path(sys.argv[1]) / "lib").is_dir():
        sys.exit("usage: layering.py REPOSITORY_ROOT")
    violations = check(sys.argv[1])
    print("\n".join(violations + [f"layering: {len(violations)} violations"]))
    sys.exit(1 if violations else 0)


if __name__ == "__main__":
    main()
