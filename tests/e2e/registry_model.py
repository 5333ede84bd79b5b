"""What the registry is supposed to do with writes, as simply as it can be said: a model without a database.

`apply(operation, view, revision)` says what a write answers and what it changes. `view(key)` is the state before it, by
key: (namespace, name) for a Template, (namespace,) for a Namespace, None where there is none; `revision` is the last one
taken. Nothing is changed in place, so the same code predicts one client's answers, judges the answers of many at once,
and can be asked about any moment of the past.

Versions are tuples (1, 2, 3); content is a number that stands for a text; a template's key and a version are its
identity. Times are seconds, None where the server chose them. The operations are the dataclasses below.
"""

import dataclasses
from typing import Optional

OK, INVALID, MISSING, EXISTS, REFUSED, MOVED = (
    "OK",
    "INVALID_ARGUMENT",
    "NOT_FOUND",
    "ALREADY_EXISTS",
    "FAILED_PRECONDITION",
    "ABORTED",
)
ACTIVE, DEPRECATED, YANKED = "ACTIVE", "DEPRECATED", "YANKED"

record = dataclasses.dataclass(frozen=True)


@record
class State:
    name: str = ACTIVE
    message: str = ""
    replacement: str = ""
    actor: str = ""
    time: Optional[int] = None

    def said(self):
        return self.name, self.message, self.replacement


@record
class Version:
    content: int
    revision: int
    state: State = State()
    state_revision: Optional[int] = None
    actor: str = ""
    time: Optional[int] = None


@record
class Channel:
    version: tuple
    revision: int
    actor: str = ""
    time: Optional[int] = None


@record
class Tombstone:
    content: int
    message: str = ""
    actor: str = ""
    time: Optional[int] = None


@record
class Template:
    versions: dict = dataclasses.field(default_factory=dict)
    channels: dict = dataclasses.field(default_factory=dict)
    tombstones: dict = dataclasses.field(default_factory=dict)


@record
class Namespace:
    policy: str = "NONE"
    policy_revision: int = 0  # 0: nobody ever set one


@record
class Register:
    """items: (template key, version, content). `batch`: sent as RegisterTemplates."""

    items: tuple
    channels: tuple = ()
    dry_run: bool = False
    batch: bool = False


@record
class SetChannel:
    """expected: None for any, () for none, or a version."""

    key: tuple
    channel: str
    version: tuple
    expected: Optional[tuple] = None


@record
class DeleteChannel:
    key: tuple
    channel: str
    expected: Optional[tuple] = None


@record
class SetState:
    key: tuple
    version: tuple
    state: State


@record
class Purge:
    key: tuple
    version: tuple
    message: str


@record
class SetPolicy:
    namespace: str
    policy: str


@record
class Import:
    """namespaces: {name: policy}; versions, tombstones: {(key, version): Version or Tombstone, without revisions};
    channels: {(key, name): Channel}."""

    namespaces: dict
    versions: dict
    tombstones: dict
    channels: dict
    dry_run: bool = False


class Draft:
    """The state before an operation with what it has changed so far."""

    def __init__(self, view):
        self.view = view
        self.new = {}

    def get(self, key):
        return self.new[key] if key in self.new else self.view(key)

    def template(self, key):
        return self.get(key) or Template()

    def namespace(self, name):
        return self.get((name,)) or Namespace()

    def put(self, key, part, name, value):
        """Sets, or with None removes, one entry of a template's `part`; an empty template is none."""
        template = self.template(key)
        entries = {k: v for k, v in getattr(template, part).items() if k != name}
        if value is not None:
            entries[name] = value
        self.new[key] = dataclasses.replace(template, **{part: entries})

    def make_namespace(self, name):
        self.new[(name,)] = self.namespace(name)


@record
class Result:
    """The answer (a code, then what else it says), the changed entries by key, and the last revision after it."""

    answer: tuple
    new: dict
    revision: int


def outcomes(items, template):
    """CREATED, UNCHANGED, CONFLICT or PURGED for each item; `template` gives what is stored."""
    found = []
    first = {}
    for key, number, content in items:
        stored = template(key).versions.get(number)
        tombstone = template(key).tombstones.get(number)
        is_first = (key, number) not in first
        first.setdefault((key, number), content)
        if content != (stored.content if stored else first[key, number]):
            found.append("CONFLICT")
        elif stored is None and tombstone is not None and tombstone.content != content:
            found.append("PURGED")
        elif stored is None and is_first:
            found.append("CREATED")
        else:
            found.append("UNCHANGED")
    return found


def has_twins(items):
    return len({(key, number) for key, number, _ in items}) < len(set(items))


def register(op, view, revision):
    if has_twins(op.items):
        return Result((INVALID,), {}, revision)
    draft = Draft(view)
    found = outcomes(op.items, draft.template)
    highest = {}
    for key, number, _ in op.items:
        highest[key] = max(number, highest.get(key, number))
    wanted = [(key, number, channel) for key, number in highest.items() for channel in op.channels]
    for index, (key, number, _) in enumerate(op.items):
        stored = draft.template(key).versions.get(number)
        hidden = stored is not None and stored.state.name == YANKED
        if found[index] == "UNCHANGED" and op.channels and highest[key] == number and hidden:
            found[index] = YANKED
    for outcome in found:
        if outcome in ("CONFLICT", "PURGED"):
            return Result((EXISTS,), {}, revision)
        if outcome == YANKED:
            return Result((REFUSED,), {}, revision)
    if op.dry_run:
        return Result((OK, tuple(found), 0), {}, revision)
    pointers = [draft.template(key).channels.get(channel) for key, _, channel in wanted]
    moves = [
        move for move, pointer in zip(wanted, pointers) if pointer is None or pointer.version != move[1]
    ]
    if "CREATED" not in found and not moves:
        holders = [draft.template(key).versions[number].revision for key, number, _ in op.items]
        return Result((OK, tuple(found), max(holders + [p.revision for p in pointers])), {}, revision)
    revision += 1
    for (key, number, content), outcome in zip(op.items, found):
        if outcome == "CREATED":
            draft.put(key, "versions", number, Version(content, revision))
            draft.put(key, "tombstones", number, None)
            draft.make_namespace(key[0])
    for key, number, channel in moves:
        draft.put(key, "channels", channel, Channel(number, revision))
        draft.make_namespace(key[0])
    return Result((OK, tuple(found), revision), draft.new, revision)


def set_channel(op, view, revision):
    draft = Draft(view)
    version = draft.template(op.key).versions.get(op.version)
    pointer = draft.template(op.key).channels.get(op.channel)
    old = pointer.version if pointer else ()
    if version is None:
        return Result((MISSING,), {}, revision)
    if op.expected is not None and op.expected != old:
        return Result((MOVED,), {}, revision)
    if version.state.name == YANKED:
        return Result((REFUSED,), {}, revision)
    if old == op.version:
        return Result((OK, old, pointer.revision), {}, revision)
    revision += 1
    draft.put(op.key, "channels", op.channel, Channel(op.version, revision))
    draft.make_namespace(op.key[0])
    return Result((OK, old, revision), draft.new, revision)


def delete_channel(op, view, revision):
    draft = Draft(view)
    pointer = draft.template(op.key).channels.get(op.channel)
    if pointer is None:
        return Result((MISSING,), {}, revision)
    if op.expected is not None and op.expected != pointer.version:
        return Result((MOVED,), {}, revision)
    revision += 1
    draft.put(op.key, "channels", op.channel, None)
    draft.make_namespace(op.key[0])
    return Result((OK, pointer.version, revision), draft.new, revision)


def channels_at(template, number):
    return tuple(sorted(name for name, channel in template.channels.items() if channel.version == number))


def set_state(op, view, revision):
    draft = Draft(view)
    version = draft.template(op.key).versions.get(op.version)
    if version is None:
        return Result((MISSING,), {}, revision)
    if op.state.name == DEPRECATED and version.state.name == YANKED:
        return Result((REFUSED,), {}, revision)
    channels = channels_at(draft.template(op.key), op.version) if op.state.name == YANKED else ()
    if version.state.said() == op.state.said():
        return Result((OK, channels, version.state_revision or version.revision), {}, revision)
    revision += 1
    draft.put(
        op.key, "versions", op.version, dataclasses.replace(version, state=op.state, state_revision=revision)
    )
    draft.make_namespace(op.key[0])
    return Result((OK, channels, revision), draft.new, revision)


def purge(op, view, revision):
    draft = Draft(view)
    template = draft.template(op.key)
    version = template.versions.get(op.version)
    if version is None:
        return Result((MISSING,), {}, revision)
    if version.state.name != YANKED or channels_at(template, op.version):
        return Result((REFUSED,), {}, revision)
    revision += 1
    draft.put(op.key, "versions", op.version, None)
    draft.put(op.key, "tombstones", op.version, Tombstone(version.content, op.message or version.state.message))
    draft.make_namespace(op.key[0])
    return Result((OK, version.content, revision), draft.new, revision)


def set_policy(op, view, revision):
    draft = Draft(view)
    known = draft.get((op.namespace,))
    if known is not None and known.policy == op.policy:
        return Result((OK, op.policy, known.policy_revision), {}, revision)
    old = known.policy if known else "NONE"
    revision += 1
    draft.new[(op.namespace,)] = Namespace(op.policy, revision)
    return Result((OK, old, revision), draft.new, revision)


def import_archive(op, view, revision):
    draft = Draft(view)
    before = revision
    counts = {"created": 0, "unchanged": 0, "channels": 0, "states": 0, "tombstones": 0}
    items = [(key, number, version.content) for (key, number), version in op.versions.items()]
    found = outcomes(items, draft.template)
    if "CONFLICT" in found or "PURGED" in found:
        return Result((EXISTS,), {}, revision)
    for name in op.namespaces:
        draft.make_namespace(name)
    counts["created"], counts["unchanged"] = found.count("CREATED"), found.count("UNCHANGED")
    if counts["created"]:
        revision += 1
    for ((key, number), version), outcome in zip(op.versions.items(), found):
        if outcome == "CREATED":
            held = revision if version.state.name != ACTIVE else None
            draft.put(key, "versions", number, dataclasses.replace(version, revision=revision, state_revision=held))
            draft.put(key, "tombstones", number, None)
            draft.make_namespace(key[0])
    extra = revision + 1  # of all changes but the new versions
    changed = 0
    for name, policy in op.namespaces.items():
        if draft.namespace(name).policy != policy:
            changed += 1
            draft.new[(name,)] = Namespace(policy, extra)
    for ((key, number), version), outcome in zip(op.versions.items(), found):
        stored = draft.template(key).versions[number]
        both_active = stored.state.name == version.state.name == ACTIVE
        if outcome == "UNCHANGED" and stored.state != version.state and not both_active:
            counts["states"] += 1
            state = dataclasses.replace(stored, state=version.state, state_revision=extra)
            draft.put(key, "versions", number, state)
            draft.make_namespace(key[0])
    for (key, number), tombstone in op.tombstones.items():
        version = draft.template(key).versions.get(number)
        there = version or draft.template(key).tombstones.get(number)
        if there is not None and there.content != tombstone.content:
            return Result((EXISTS,), {}, before)
        if there is None:
            counts["tombstones"] += 1
            draft.put(key, "tombstones", number, tombstone)
            draft.make_namespace(key[0])
    for (key, name), channel in op.channels.items():
        if channel.version not in draft.template(key).versions:
            return Result((INVALID,), {}, before)
        known = draft.template(key).channels.get(name)
        if known is None or (known.version, known.actor, known.time) != (channel.version, channel.actor, channel.time):
            counts["channels"] += 1
            draft.put(key, "channels", name, dataclasses.replace(channel, revision=extra))
            draft.make_namespace(key[0])
    if changed + counts["states"] + counts["tombstones"] + counts["channels"]:
        revision = extra
    if op.dry_run:
        return Result((OK, tuple(counts.values()), 0), {}, before)
    return Result((OK, tuple(counts.values()), revision if revision > before else 0), draft.new, revision)


HANDLERS = {
    Register: register,
    SetChannel: set_channel,
    DeleteChannel: delete_channel,
    SetState: set_state,
    Purge: purge,
    SetPolicy: set_policy,
    Import: import_archive,
}


def apply(operation, view, revision):
    return HANDLERS[type(operation)](operation, view, revision)
