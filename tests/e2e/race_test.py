"""Many writers at once want the same thing: exactly one gets it, what is stored is the winner's, and the others are told
so in the words that the API has for it. Whatever order batches name templates in, no writer sees a deadlock, an internal
error or a conflict of the database's own."""

import collections
import concurrent.futures
import itertools
import random
import threading
import unittest

import grpc
import harness

WRITERS = 16

STUBS = harness.load_stubs()
registry, RegistryStub = STUBS["registry"]
catalog, CatalogStub = STUBS["catalog"]

CREATED = registry.REGISTRATION_OUTCOME_CREATED
UNCHANGED = registry.REGISTRATION_OUTCOME_UNCHANGED
Code = grpc.StatusCode

TEMPLATE = """\
name: {name}
namespace_name: {namespace}
version: {version}
description: written by writer {writer}
steps:
  - name: only
    handler: {{ callable: run_{writer} }}
"""


def source(namespace, name, version="1.0.0", writer=0):
    return registry.TemplateSource(
        yaml=TEMPLATE.format(namespace=namespace, name=name, version=version, writer=writer)
    )


class RaceTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = cls.enterClassContext(harness.Server())
        cls.pool = cls.enterClassContext(concurrent.futures.ThreadPoolExecutor(WRITERS))
        cls.channels = [cls.enterClassContext(cls.server.channel()) for _ in range(WRITERS)]
        for channel in cls.channels:  # one after the other: a race is between calls, not between first connections
            grpc.channel_ready_future(channel).result(harness.CALL_SECONDS)
        cls.stubs = [RegistryStub(channel) for channel in cls.channels]
        cls.reader = CatalogStub(cls.channels[0])
        cls.barrier = threading.Barrier(WRITERS)

    def attempt(self, writer, method, request):
        """One writer's call, begun when all are ready: (code, answer or message)."""
        self.barrier.wait(harness.CALL_SECONDS)
        try:
            return Code.OK, getattr(self.stubs[writer], method)(request, timeout=harness.CALL_SECONDS)
        except grpc.RpcError as error:
            return error.code(), error.details()

    def race(self, calls):
        """Makes one (method, request) of each writer at once; the results in their order."""
        attempts = [self.pool.submit(self.attempt, writer, *call) for writer, call in enumerate(calls)]
        return [attempt.result() for attempt in attempts]

    def expect_codes(self, results, *allowed):
        unexpected = [result for result in results if result[0] not in allowed]
        self.assertEqual(unexpected, [])

    def one_winner(self, results, loser):
        """The index of the only result that is OK; all others must be `loser`."""
        self.expect_codes(results, Code.OK, loser)
        winners = [index for index, (code, _) in enumerate(results) if code is Code.OK]
        self.assertEqual(len(winners), 1, results)
        return winners[0]

    def do(self, method, request):
        return getattr(self.stubs[0], method)(request, timeout=harness.CALL_SECONDS)

    def get(self, reference):
        request = catalog.GetTemplateRequest(reference=reference, include_source=True)
        return self.reader.GetTemplate(request, timeout=harness.CALL_SECONDS)

    def export(self, namespace):
        """The items of a namespace by kind."""
        items = collections.defaultdict(list)
        request = registry.ExportTemplatesRequest(namespace_name=namespace)
        for response in self.stubs[0].ExportTemplates(request, timeout=harness.CALL_SECONDS):
            kind = response.item.WhichOneof("item")
            items[kind.removeprefix("archived_")].append(getattr(response.item, kind))
        return items

    def test_exactly_one_of_many_contents_wins_and_the_rest_get_already_exists(self):
        winners = set()
        for number in range(200):
            sources = [source(f"race_{number}", "contested", writer=writer) for writer in range(WRITERS)]
            results = self.race(
                [("RegisterTemplate", registry.RegisterTemplateRequest(source=text)) for text in sources]
            )
            winner = self.one_winner(results, Code.ALREADY_EXISTS)
            self.assertEqual(results[winner][1].registration.outcome, CREATED)
            stored = self.get(f"race_{number}/contested:1.0.0")
            self.assertEqual(
                (stored.digest, stored.source), (results[winner][1].registration.digest, sources[winner].yaml)
            )
            winners.add(winner)
        # Were the writers not at once, the first would win always.
        self.assertGreater(len(winners), 1)

    def test_exactly_one_of_many_moves_of_a_channel_wins_and_the_rest_get_aborted(self):
        versions = [f"1.{minor}.0" for minor in range(WRITERS + 1)]
        self.do(
            "RegisterTemplates",
            registry.RegisterTemplatesRequest(sources=[source("moves", "pay", version) for version in versions]),
        )
        for number in range(50):
            channel = f"channel_{number // 5}"  # each is new at first, and then moves
            points_at = "" if number % 5 == 0 else points_at
            targets = [version for version in versions if version != points_at][:WRITERS]
            request = registry.SetChannelRequest(
                reference="moves/pay", channel=channel, expected_version=points_at
            )
            calls = []
            for target in targets:
                request.version = target
                calls.append(("SetChannel", registry.SetChannelRequest.FromString(request.SerializeToString())))
            results = self.race(calls)
            winner = self.one_winner(results, Code.ABORTED)
            self.assertEqual(results[winner][1].old_version, points_at)
            points_at = targets[winner]
            self.assertEqual(self.get(f"moves/pay:{channel}").reference, f"moves/pay:{points_at}")

    def test_the_last_of_many_states_is_the_versions(self):
        exact = "states/pay:1.0.0"
        self.do("RegisterTemplate", registry.RegisterTemplateRequest(source=source("states", "pay")))
        kinds = {
            registry.TEMPLATE_STATE_ACTIVE: lambda _: ("RestoreTemplate", registry.RestoreTemplateRequest()),
            registry.TEMPLATE_STATE_DEPRECATED: lambda text: (
                "DeprecateTemplate",
                registry.DeprecateTemplateRequest(message=text),
            ),
            registry.TEMPLATE_STATE_YANKED: lambda text: (
                "YankTemplate",
                registry.YankTemplateRequest(reason=text),
            ),
        }
        for number in range(40):
            calls = []
            for writer, make in zip(range(WRITERS), itertools.cycle(kinds.values())):
                method, request = make(f"round {number}, writer {writer}")
                request.reference = exact
                calls.append((method, request))
            results = self.race(calls)
            # A version that is yanked cannot be deprecated.
            self.expect_codes(results, Code.OK, Code.FAILED_PRECONDITION)
            done = [
                (answer.revision, writer) for writer, (code, answer) in enumerate(results) if code is Code.OK
            ]
            last = max(done)[1]
            [version] = self.export("states")["version"]
            state = list(kinds)[last % len(kinds)]
            if state == registry.TEMPLATE_STATE_ACTIVE:
                self.assertFalse(version.HasField("state_notice"), version)
            else:
                self.assertEqual(version.state_notice.state, state)
                self.assertEqual(version.state_notice.message, f"round {number}, writer {last}")

    def test_a_purged_version_comes_back_with_its_content_only(self):
        kinds = [
            ("PurgeTemplate", lambda name: registry.PurgeTemplateRequest(reference=f"purges/{name}:1.0.0")),
            ("RegisterTemplate", lambda name: registry.RegisterTemplateRequest(source=source("purges", name))),
            (
                "RegisterTemplate",
                lambda name: registry.RegisterTemplateRequest(source=source("purges", name, writer=1)),
            ),
        ]
        returned = 0
        for number in range(60):
            name = f"pay_{number}"
            first = self.do("RegisterTemplate", registry.RegisterTemplateRequest(source=source("purges", name)))
            self.do("YankTemplate", registry.YankTemplateRequest(reference=f"purges/{name}:1.0.0"))
            calls = [(method, make(name)) for _, (method, make) in zip(range(WRITERS), itertools.cycle(kinds))]
            results = self.race(calls)
            purges, same, other = (results[kind :: len(kinds)] for kind in range(len(kinds)))
            self.expect_codes(other, Code.ALREADY_EXISTS)
            self.expect_codes(same, Code.OK)
            # Once it is purged, it is either not there or active again.
            self.expect_codes(purges, Code.OK, Code.NOT_FOUND, Code.FAILED_PRECONDITION)
            self.assertEqual([code for code, _ in purges].count(Code.OK), 1)
            created = [answer for _, answer in same if answer.registration.outcome == CREATED]
            self.assertLessEqual(len(created), 1)
            returned += len(created)
            items = self.export("purges")
            versions = [v.digest for v in items["version"] if v.reference == f"purges/{name}:1.0.0"]
            tombstones = [t.digest for t in items["tombstone"] if t.reference == f"purges/{name}:1.0.0"]
            digest = first.registration.digest
            self.assertEqual((versions, tombstones), ([digest], []) if created else ([], [digest]))
        self.assertGreater(returned, 0)

    def batches(self, number, writer_of):
        """One batch of each writer: the same new templates in three namespaces, in an order of its own."""
        shuffle = random.Random(number)
        calls = []
        for writer in range(WRITERS):
            sources = [
                source(f"batch_{namespace}", f"t{template}", f"{number}.0.0", writer_of(writer))
                for namespace in range(3)
                for template in range(4)
            ]
            shuffle.shuffle(sources)
            calls.append(
                ("RegisterTemplates", registry.RegisterTemplatesRequest(sources=sources, channels=["stable"]))
            )
        return calls

    def test_one_of_many_batches_in_different_orders_is_stored_whole(self):
        for number in range(1, 31):
            results = self.race(self.batches(number, lambda writer: writer))
            winner = self.one_winner(results, Code.ALREADY_EXISTS)
            outcomes = {registration.outcome for registration in results[winner][1].registrations}
            self.assertEqual(outcomes, {CREATED})
            digests = {registration.digest for registration in results[winner][1].registrations}
            stored = {
                self.get(f"batch_{namespace}/t{template}:stable").digest
                for namespace in range(3)
                for template in range(4)
            }
            self.assertEqual(stored, digests)

    def test_equal_batches_in_different_orders_are_all_done_and_created_once(self):
        for number in range(101, 131):
            results = self.race(self.batches(number, lambda _: 0))
            self.expect_codes(results, Code.OK)
            outcomes = collections.Counter(
                registration.outcome for _, answer in results for registration in answer.registrations
            )
            self.assertEqual(outcomes, {CREATED: 12, UNCHANGED: 12 * (WRITERS - 1)})
            self.assertEqual(len({answer.revision for _, answer in results}), 1)

    def test_batches_that_overlap_in_part_meet_no_deadlock(self):
        shuffle = random.Random(1)
        for number in range(1, 31):
            calls = []
            for _ in range(WRITERS):
                names = shuffle.sample(range(12), 6)
                sources = [source(f"part_{name % 3}", f"t{name}", f"{number}.0.0") for name in names]
                channels = shuffle.sample(["stable", "canary"], 1)
                calls.append(
                    ("RegisterTemplates", registry.RegisterTemplatesRequest(sources=sources, channels=channels))
                )
            self.expect_codes(self.race(calls), Code.OK)


if __name__ == "__main__":
    unittest.main()
