"""Random writes of every kind, by several clients, against a model that has no database (registry_model.py).

Two halves of TASKER_MODEL_OPERATIONS (10,000) writes each, on few templates, versions and contents, so that they collide:
registrations alone and in batches, with channels, for real and dry; channels set and deleted, with and without
compare-and-swap; states; purges; version policies; imports.

In turns: three clients take turns, so the model knows the state before each write and predicts its whole answer, the
revision included. A mismatch is shrunk by delta debugging: ever smaller parts of the list of operations are repeated on
fresh namespaces while they still go wrong, and what is left is printed.

At once: eight clients write without knowing of each other. A write that changed something answers with a revision that
no other has changed anything under, and revisions are the order of commits. So the model is taken from revision to
revision: for each, exactly the writes that answered with it come into question, and one of them must, applied to the
state before, change something and answer what it answered. Two writes of which one ended before the other began must
stand in that order. A write that changed nothing (refused, unchanged, dry) has no place in that order; its answer must be
the model's for at least one of the states that there were between its beginning and its end. So every answer is explained
by one order of all writes: what is called linearizable.

After each half, what ExportTemplates gives must be the model's state, and `latest` and every channel must lead where the
model says.

The seed is printed; TASKER_MODEL_SEED repeats a run (in turns: exactly; at once: the same writes, interleaved anew).
"""

import bisect
import concurrent.futures
import itertools
import os
import random
import time
import unittest

import grpc
import harness
import registry_model as model

STUBS = harness.load_stubs()
pb, RegistryStub = STUBS["registry"]
catalog, CatalogStub = STUBS["catalog"]

SEED = int(os.environ.get("TASKER_MODEL_SEED") or random.SystemRandom().randrange(1 << 32))
OPERATIONS = int(os.environ.get("TASKER_MODEL_OPERATIONS", "10000"))
CLIENTS_IN_TURNS = 3
CLIENTS_AT_ONCE = 8
SHRINK_SECONDS = 120

VERSIONS = ((0, 9, 0), (1, 0, 0), (1, 2, 0), (1, 10, 0))
CONTENTS = (0, 1)
CHANNELS = ("stable", "canary")
NAMESPACES = ("left", "right")
NAMES = ("pay", "refund")
KEYS = tuple(itertools.product(NAMESPACES, NAMES))

TEMPLATE = """\
name: {name}
namespace_name: {namespace}
version: {version}
description: content {content}
steps:
  - name: only
    handler: {{ callable: Run{content} }}
"""


def text_of(number):
    return ".".join(map(str, number))


def number_of(text):
    return tuple(map(int, text.split("."))) if text else ()


class Generator:
    """Random operations. It knows nothing of the state: with so few names, most of them meet something."""

    def __init__(self, seed):
        self.random = random.Random(seed)
        self.clock = 1_600_000_000  # times in archives, each another one

    def some(self, values, most):
        return tuple(self.random.sample(values, self.random.randint(0, most)))

    def item(self):
        choose = self.random.choice
        # The first content is the common one, or every second registration would be a conflict.
        return choose(KEYS), choose(VERSIONS), self.random.choices(CONTENTS, (5, 1))[0]

    def register(self):
        channels = self.some(CHANNELS, 2) if self.random.random() < 0.3 else ()
        return model.Register((self.item(),), channels, dry_run=self.random.random() < 0.1)

    def register_batch(self):
        items = tuple(self.item() for _ in range(self.random.randint(2, 4)))
        channels = self.some(CHANNELS, 2) if self.random.random() < 0.3 else ()
        return model.Register(items, channels, dry_run=self.random.random() < 0.1, batch=True)

    def set_channel(self):
        choose = self.random.choice
        expected = choose((None, None, (), choose(VERSIONS)))
        return model.SetChannel(choose(KEYS), choose(CHANNELS), choose(VERSIONS), expected)

    def delete_channel(self):
        choose = self.random.choice
        return model.DeleteChannel(choose(KEYS), choose(CHANNELS), choose((None, choose(VERSIONS))))

    def state(self):
        name = self.random.choice((model.ACTIVE, model.DEPRECATED, model.YANKED))
        if name == model.ACTIVE:
            return model.State()
        return model.State(name, self.random.choice(("", "too slow")), self.random.choice(("", "left/pay:^1")))

    def set_state(self):
        return model.SetState(self.random.choice(KEYS), self.random.choice(VERSIONS), self.state())

    def purge(self):
        choose = self.random.choice
        return model.Purge(choose(KEYS), choose(VERSIONS), choose(("", "leaked a key")))

    def set_policy(self):
        return model.SetPolicy(self.random.choice(NAMESPACES), self.random.choice(("NONE", "WARN")))

    def archived(self):
        self.clock += 1
        return {"actor": self.random.choice(("ann", "bob")), "time": self.clock}

    def import_archive(self):
        identities = sorted(set(self.item()[:2] for _ in range(self.random.randint(1, 4))))
        content = {identity: self.random.choices(CONTENTS, (9, 1))[0] for identity in identities}
        versions, tombstones = {}, {}
        for identity in identities:
            if self.random.random() < 0.15:
                tombstones[identity] = model.Tombstone(content[identity], "gone", **self.archived())
                continue
            state = self.state()
            if state.name != model.ACTIVE:
                state = model.State(*state.said(), **self.archived())
            versions[identity] = model.Version(content[identity], 0, state, **self.archived())
        channels = {}
        for key, number in versions:
            if self.random.random() < 0.3:
                channels[key, self.random.choice(CHANNELS)] = model.Channel(number, 0, **self.archived())
        namespaces = {
            key[0]: self.random.choice(("NONE", "WARN")) for key, _ in versions if self.random.random() < 0.3
        }
        return model.Import(
            dict(sorted(namespaces.items())),
            versions,
            tombstones,
            dict(sorted(channels.items())),
            dry_run=self.random.random() < 0.1,
        )

    def operation(self):
        kinds = {
            self.register: 30,
            self.register_batch: 15,
            self.set_channel: 15,
            self.delete_channel: 4,
            self.set_state: 18,
            self.purge: 8,
            self.set_policy: 2,
            self.import_archive: 8,
        }
        return self.random.choices(list(kinds), list(kinds.values()))[0]()


class Client:
    """Makes operations calls, in namespaces whose names begin with `prefix`, and answers comparable."""

    digests = {}  # (namespace, name, version, content): digest; of all clients
    contents = {}  # digest: content

    def __init__(self, channel, prefix):
        self.registry = RegistryStub(channel)
        self.catalog = CatalogStub(channel)
        self.prefix = prefix

    def reference(self, key, number=None):
        reference = f"{self.prefix}{key[0]}/{key[1]}"
        return reference if number is None else f"{reference}:{text_of(number)}"

    def text(self, key, number, content):
        return TEMPLATE.format(
            namespace=self.prefix + key[0], name=key[1], version=text_of(number), content=content
        )

    def note_digest(self, key, number, content, digest):
        known = self.digests.setdefault((self.prefix, key, number, content), digest)
        assert known == digest, f"{self.reference(key, number)} has the digests {known} and {digest}"
        self.contents[digest] = content

    def digest(self, key, number, content):
        if (self.prefix, key, number, content) not in self.digests:
            source = pb.TemplateSource(yaml=self.text(key, number, content))
            answer = self.registry.ValidateTemplate(
                pb.ValidateTemplateRequest(source=source), timeout=harness.CALL_SECONDS
            )
            self.note_digest(key, number, content, answer.digest)
        return self.digests[self.prefix, key, number, content]

    def run(self, operation):
        """The answer, as registry_model gives it."""
        calls = {
            model.Register: self.register,
            model.SetChannel: self.set_channel,
            model.DeleteChannel: self.delete_channel,
            model.SetState: self.set_state,
            model.Purge: self.purge,
            model.SetPolicy: self.set_policy,
            model.Import: self.import_archive,
        }
        try:
            return (model.OK, *calls[type(operation)](operation))
        except grpc.RpcError as error:
            if error.code().name in (model.INVALID, model.MISSING, model.EXISTS, model.REFUSED, model.MOVED):
                return (error.code().name,)
            return error.code().name, error.details()  # no model answers this

    def call(self, method, request):
        return getattr(self.registry, method)(request, timeout=harness.CALL_SECONDS)

    def register(self, op):
        sources = [pb.TemplateSource(yaml=self.text(*item)) for item in op.items]
        options = {"channels": op.channels, "dry_run": op.dry_run}
        if op.batch:
            answer = self.call("RegisterTemplates", pb.RegisterTemplatesRequest(sources=sources, **options))
            registrations = answer.registrations
        else:
            answer = self.call("RegisterTemplate", pb.RegisterTemplateRequest(source=sources[0], **options))
            registrations = [answer.registration]
        for item, registration in zip(op.items, registrations):
            self.note_digest(*item, registration.digest)
        names = pb.RegistrationOutcome.Name
        found = tuple(names(r.outcome).removeprefix("REGISTRATION_OUTCOME_") for r in registrations)
        return found, answer.revision

    def set_channel(self, op):
        request = pb.SetChannelRequest(
            reference=self.reference(op.key), channel=op.channel, version=text_of(op.version)
        )
        if op.expected is not None:
            request.expected_version = text_of(op.expected)
        answer = self.call("SetChannel", request)
        assert answer.version == text_of(op.version), answer
        return number_of(answer.old_version), answer.revision

    def delete_channel(self, op):
        request = pb.DeleteChannelRequest(reference=self.reference(op.key), channel=op.channel)
        if op.expected is not None:
            request.expected_version = text_of(op.expected)
        answer = self.call("DeleteChannel", request)
        return number_of(answer.old_version), answer.revision

    def set_state(self, op):
        reference = self.reference(op.key, op.version)
        if op.state.name == model.YANKED:
            answer = self.call(
                "YankTemplate",
                pb.YankTemplateRequest(
                    reference=reference, reason=op.state.message, replacement=op.state.replacement
                ),
            )
            return tuple(answer.channels), answer.revision
        if op.state.name == model.DEPRECATED:
            answer = self.call(
                "DeprecateTemplate",
                pb.DeprecateTemplateRequest(
                    reference=reference, message=op.state.message, replacement=op.state.replacement
                ),
            )
        else:
            answer = self.call("RestoreTemplate", pb.RestoreTemplateRequest(reference=reference))
        return (), answer.revision

    def purge(self, op):
        request = pb.PurgeTemplateRequest(reference=self.reference(op.key, op.version), reason=op.message)
        answer = self.call("PurgeTemplate", request)
        return self.contents.get(answer.digest, answer.digest), answer.revision

    def set_policy(self, op):
        request = pb.SetVersionPolicyRequest(
            namespace_name=self.prefix + op.namespace, policy=f"VERSION_POLICY_{op.policy}"
        )
        answer = self.call("SetVersionPolicy", request)
        return pb.VersionPolicy.Name(answer.old_policy).removeprefix("VERSION_POLICY_"), answer.revision

    def items(self, op):
        """The archive of an import, in its order."""
        for name, policy in op.namespaces.items():
            yield pb.ArchiveItem(
                archived_namespace={
                    "name": self.prefix + name,
                    "version_policy": f"VERSION_POLICY_{policy}",
                    "create_time": {"seconds": 1},
                }
            )
        for (key, number), version in op.versions.items():
            item = pb.ArchivedVersion(
                reference=self.reference(key, number),
                digest=self.digest(key, number, version.content),
                source=self.text(key, number, version.content),
                actor=version.actor,
                create_time={"seconds": version.time},
            )
            state = version.state
            if state.name != model.ACTIVE:
                item.state_notice.CopyFrom(
                    pb.StateNotice(
                        state=f"TEMPLATE_STATE_{state.name}",
                        message=state.message,
                        replacement=state.replacement,
                        actor=state.actor,
                        change_time={"seconds": state.time},
                    )
                )
            yield pb.ArchiveItem(archived_version=item)
        for (key, number), tombstone in op.tombstones.items():
            yield pb.ArchiveItem(
                archived_tombstone=pb.ArchivedTombstone(
                    reference=self.reference(key, number),
                    digest=self.digest(key, number, tombstone.content),
                    message=tombstone.message,
                    actor=tombstone.actor,
                    purge_time={"seconds": tombstone.time},
                )
            )
        for (key, name), channel in op.channels.items():
            yield pb.ArchiveItem(
                archived_channel=pb.ArchivedChannel(
                    reference=self.reference(key),
                    channel=name,
                    version=text_of(channel.version),
                    actor=channel.actor,
                    update_time={"seconds": channel.time},
                )
            )

    def import_archive(self, op):
        requests = [pb.ImportTemplatesRequest(item=item, dry_run=op.dry_run) for item in self.items(op)]
        answer = self.call("ImportTemplates", iter(requests))
        counts = (
            answer.created_versions,
            answer.unchanged_versions,
            answer.set_channels,
            answer.set_states,
            answer.created_tombstones,
        )
        return counts, answer.revision

    def revision(self):
        return self.catalog.GetServerInfo(catalog.GetServerInfoRequest(), timeout=harness.CALL_SECONDS).revision

    def digest_of(self, reference):
        """The digest that a reference leads to; None where it leads nowhere."""
        request = catalog.GetTemplateRequest(reference=reference)
        try:
            return self.catalog.GetTemplate(request, timeout=harness.CALL_SECONDS).digest
        except grpc.RpcError as error:
            if error.code() is not grpc.StatusCode.NOT_FOUND:
                raise
            return None

    def export(self):
        """The state of our namespaces as {what: value}, in the words of `described`."""
        found = {}
        for item in self.registry.ExportTemplates(pb.ExportTemplatesRequest(), timeout=harness.CALL_SECONDS):
            kind = item.item.WhichOneof("item")
            thing = getattr(item.item, kind)
            if kind == "archived_namespace":
                policy = pb.VersionPolicy.Name(thing.version_policy).removeprefix("VERSION_POLICY_")
                found["namespace", thing.name] = (policy,)
            elif kind == "archived_version":
                notice = thing.state_notice
                state = (
                    pb.TemplateState.Name(notice.state).removeprefix("TEMPLATE_STATE_")
                    if thing.HasField("state_notice")
                    else model.ACTIVE
                )
                found["version", thing.reference] = (
                    thing.digest,
                    thing.source,
                    state,
                    notice.message,
                    notice.replacement,
                    (thing.actor, thing.create_time.seconds),
                    (notice.actor, notice.change_time.seconds),
                )
            elif kind == "archived_tombstone":
                found["tombstone", thing.reference] = (
                    thing.digest,
                    thing.message,
                    (thing.actor, thing.purge_time.seconds),
                )
            else:
                found["channel", f"{thing.reference}:{thing.channel}"] = (
                    thing.version,
                    (thing.actor, thing.update_time.seconds),
                )
        return {what: value for what, value in found.items() if what[1].startswith(self.prefix)}

    def described(self, state):
        """The same of a model's state. What the server chose is None."""

        def said(thing):
            return None if thing.time is None else (thing.actor, thing.time)

        found = {}
        for key, value in state.items():
            if isinstance(value, model.Namespace):
                found["namespace", self.prefix + key[0]] = (value.policy,)
                continue
            for number, version in value.versions.items():
                is_active = version.state.name == model.ACTIVE
                found["version", self.reference(key, number)] = (
                    self.digest(key, number, version.content),
                    self.text(key, number, version.content),
                    *version.state.said(),
                    said(version),
                    None if is_active else said(version.state),
                )
            for number, tombstone in value.tombstones.items():
                found["tombstone", self.reference(key, number)] = (
                    self.digest(key, number, tombstone.content),
                    tombstone.message,
                    said(tombstone),
                )
            for name, channel in value.channels.items():
                found["channel", f"{self.reference(key)}:{name}"] = (text_of(channel.version), said(channel))
        return found

    def check_state(self, state):
        """Raises AssertionError where the registry's state is not the model's."""
        actual, expected = self.export(), self.described(state)
        for what in sorted(actual.keys() | expected.keys()):
            ours, theirs = expected.get(what), actual.get(what)
            same = ours is not None and theirs is not None
            same = same and all(a is None or a == b for a, b in zip(ours, theirs))
            assert same, f"{what} is {theirs}, the model says {ours}"
        for key, template in state.items():
            if not isinstance(template, model.Template):
                continue
            visible = {n: v for n, v in template.versions.items() if v.state.name != model.YANKED}
            targets = {name: channel.version for name, channel in template.channels.items()}
            targets["latest"] = max(visible, default=None)
            for selector, number in targets.items():
                expected = self.digest(key, number, visible[number].content) if number in visible else None
                reference = f"{self.reference(key)}:{selector}"
                found = self.digest_of(reference)
                assert found == expected, f"{reference} leads to {found}, the model says {number}"


class Mismatch(AssertionError):
    def __init__(self, index, text):
        super().__init__(text)
        self.index = index


class Runs:
    """Repeats lists of operations on a server, each time in namespaces of their own."""

    numbers = itertools.count(1)

    def __init__(self, channels):
        self.channels = channels

    def run(self, operations):
        """In turns. Raises Mismatch at the first answer that is not the model's."""
        prefix = f"run{next(self.numbers)}_"
        clients = [Client(channel, prefix) for channel in self.channels]
        state = {}
        revision = clients[0].revision()
        for index, operation in enumerate(operations):
            expected = model.apply(operation, state.get, revision)
            actual = clients[index % len(clients)].run(operation)
            if actual != expected.answer:
                raise Mismatch(
                    index, f"{operation}\n  answers       {actual}\n  the model says {expected.answer}"
                )
            state.update(expected.new)
            revision = expected.revision
        try:
            clients[0].check_state(state)
        except AssertionError as error:
            raise Mismatch(len(operations) - 1, f"after all operations: {error}") from error
        if clients[0].revision() != revision:
            raise Mismatch(len(operations) - 1, f"the revision is not {revision}")

    def failure(self, operations):
        try:
            self.run(operations)
        except Mismatch as mismatch:
            return mismatch
        return None

    def shrink(self, operations, mismatch):
        """Delta debugging (ddmin): (fewest operations that still go wrong, how)."""
        deadline = time.monotonic() + SHRINK_SECONDS
        operations = operations[: mismatch.index + 1]
        parts = 2
        while len(operations) > 1 and time.monotonic() < deadline:
            size = -(-len(operations) // parts)
            for begin in range(0, len(operations), size):
                rest = operations[:begin] + operations[begin + size :]
                found = self.failure(rest) if rest else None
                if found:
                    operations, mismatch = rest[: found.index + 1], found
                    parts = max(parts - 1, 2)
                    break
                if time.monotonic() > deadline:
                    break
            else:
                if size == 1:
                    break
                parts = min(parts * 2, len(operations))
        return operations, mismatch


class Event:
    """A write that was made, between two moments."""

    def __init__(self, operation, start, answer, end):
        self.operation, self.start, self.answer, self.end = operation, start, answer, end

    def revision(self):
        return self.answer[-1] if self.answer[0] == model.OK else 0

    def __str__(self):
        return f"{self.operation} answers {self.answer}"


class History:
    """Explains the answers of many clients by one order of their writes. Raises AssertionError where there is none."""

    def __init__(self, events, base):
        self.events = events
        self.base = self.last = base
        self.entries = {}  # key: ([revision], [value])
        self.changers = []  # (revision after it, event), in that order
        self.order_changes()
        self.check_real_time()
        self.place_the_rest()

    def view(self, revision):
        def get(key):
            revisions, values = self.entries.get(key, ((), ()))
            place = bisect.bisect_right(revisions, revision)
            return values[place - 1] if place else None

        return get

    def state(self):
        return {key: values[-1] for key, (_, values) in self.entries.items()}

    def order_changes(self):
        by_revision = {}
        for event in self.events:
            if event.revision() > self.base:
                by_revision.setdefault(event.revision(), []).append(event)
        changed = set()
        while self.last < max(by_revision, default=self.base):
            # An import may take two revisions, and answers with the second.
            candidates = by_revision.get(self.last + 1, []) + by_revision.get(self.last + 2, [])
            fitting = []
            for event in candidates:
                result = model.apply(event.operation, self.view(self.last), self.last)
                if id(event) not in changed and result.new and result.answer == event.answer:
                    fitting.append((self.size(result), -event.start, event, result))
            if not fitting:
                said = [model.apply(event.operation, self.view(self.last), self.last) for event in candidates]
                listed = "".join(f"\n  {e}\n    the model says {r.answer}" for e, r in zip(candidates, said))
                raise AssertionError(f"revision {self.last + 1} is explained by none of{listed}")
            # Where several fit, one moved a channel, say, and another found it there. After the one that did the most,
            # the others find all that they want; after one of the others, that one would have taken a revision more. Of
            # equal ones, the first to begin can stand here wherever any of them can.
            _, _, event, result = max(fitting, key=lambda fit: fit[:2])
            changed.add(id(event))
            self.last = result.revision
            self.changers.append((self.last, event))
            for key, value in result.new.items():
                revisions, values = self.entries.setdefault(key, ([], []))
                revisions.append(self.last)
                values.append(value)
        self.changed = changed

    def size(self, result):
        """How many versions, channels, tombstones and namespaces it changes."""
        count = 0
        for key, value in result.new.items():
            old = self.view(self.last)(key) or type(value)()
            if isinstance(value, model.Namespace):
                count += value != old
                continue
            for part in ("versions", "channels", "tombstones"):
                before, after = getattr(old, part), getattr(value, part)
                count += sum(before.get(name) != after.get(name) for name in before.keys() | after.keys())
        return count

    def check_real_time(self):
        latest_start, first = 0, None
        for revision, event in self.changers:
            assert event.end >= latest_start, f"revision {revision}, {event}, ended before {first} began"
            if event.start > latest_start:
                latest_start, first = event.start, event

    def place_the_rest(self):
        # What was certainly there when a write began, and what may have been when it ended. Both grow with time.
        ends = sorted((event.end, revision) for revision, event in self.changers)
        done = list(itertools.accumulate((revision for _, revision in ends), max))
        ends = [end for end, _ in ends]
        starts = sorted((event.start, revision) for revision, event in self.changers)
        begun = list(itertools.accumulate((revision for _, revision in reversed(starts)), min))[::-1]
        starts = [start for start, _ in starts]
        revisions = [self.base] + [revision for revision, _ in self.changers]
        for event in self.events:
            if id(event) in self.changed:
                continue
            place = bisect.bisect_left(ends, event.start)
            low = done[place - 1] if place else self.base
            place = bisect.bisect_right(starts, event.end)
            high = begun[place] - 1 if place < len(begun) else self.last
            moments = revisions[bisect.bisect_left(revisions, low) : bisect.bisect_right(revisions, high)]
            fits = (model.apply(event.operation, self.view(moment), moment) for moment in moments)
            assert any(result.answer == event.answer for result in fits), (
                f"{event}, which the model says at none of the revisions {low} to {high}; it says "
                f"{ {model.apply(event.operation, self.view(m), m).answer for m in moments} }"
            )


class ModelTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        print(f"TASKER_MODEL_SEED={SEED} TASKER_MODEL_OPERATIONS={OPERATIONS}", flush=True)
        # A quarter of the connections may be imports.
        options = ("--database-connections", str(4 * CLIENTS_AT_ONCE))
        cls.server = cls.enterClassContext(harness.Server(options=options))

    def channels(self, count):
        return [self.enterContext(self.server.channel()) for _ in range(count)]

    def test_clients_that_take_turns_get_the_models_answers(self):
        generator = Generator(f"{SEED} in turns")
        operations = [generator.operation() for _ in range(OPERATIONS // 2)]
        runs = Runs(self.channels(CLIENTS_IN_TURNS))
        mismatch = runs.failure(operations)
        if mismatch:
            fewest, last = runs.shrink(operations, mismatch)
            listed = "\n".join(map(str, fewest))
            self.fail(f"seed {SEED}: operation {mismatch.index}: {mismatch}\n\nshrunk to\n{listed}\nwhere {last}")

    def test_clients_that_write_at_once_get_answers_that_one_order_explains(self):
        channels = self.channels(CLIENTS_AT_ONCE)
        prefix = "at_once_"
        base = Client(channels[0], prefix).revision()

        def write(number):
            generator = Generator(f"{SEED} at once {number}")
            # Two clients that name the same time in an archive could not be told apart.
            generator.clock += number * 10_000_000
            client = Client(channels[number], prefix)
            events = []
            for _ in range(OPERATIONS // 2 // CLIENTS_AT_ONCE):
                operation = generator.operation()
                start = time.monotonic_ns()
                answer = client.run(operation)
                events.append(Event(operation, start, answer, time.monotonic_ns()))
            return events

        with concurrent.futures.ThreadPoolExecutor(CLIENTS_AT_ONCE) as pool:
            events = [event for events in pool.map(write, range(CLIENTS_AT_ONCE)) for event in events]
        history = History(events, base)
        client = Client(channels[0], prefix)
        client.check_state(history.state())
        self.assertEqual(client.revision(), history.last, f"seed {SEED}")


if __name__ == "__main__":
    unittest.main()
