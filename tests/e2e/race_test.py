"""16 writers register the same new version with different content in the same new namespace, 200 rounds: exactly one
wins, all others get ALREADY_EXISTS, and what is stored is what the winner sent."""

import concurrent.futures
import threading
import unittest

import grpc
import harness

WRITERS = 16
ROUNDS = 200

STUBS = harness.load_stubs()
registry, RegistryStub = STUBS["registry"]
catalog, CatalogStub = STUBS["catalog"]

TEMPLATE = """\
name: contested
namespace_name: race_{round}
version: 1.0.0
description: written by writer {writer}
steps:
  - name: only
    handler: {{ callable: run_{writer} }}
"""


def register(stub, barrier, round_number, writer):
    """One writer's attempt: (status code, digest or None, its text)."""
    text = TEMPLATE.format(round=round_number, writer=writer)
    request = registry.RegisterTemplateRequest(source=registry.TemplateSource(yaml=text))
    barrier.wait(harness.CALL_SECONDS)
    try:
        answer = stub.RegisterTemplate(request, timeout=harness.CALL_SECONDS)
    except grpc.RpcError as error:
        return error.code(), error.details(), text
    assert answer.registration.outcome == registry.REGISTRATION_OUTCOME_CREATED, answer
    return grpc.StatusCode.OK, answer.registration.digest, text


class RaceTest(unittest.TestCase):
    def test_exactly_one_of_many_contents_wins_and_the_rest_get_already_exists(self):
        with harness.Server() as server, concurrent.futures.ThreadPoolExecutor(WRITERS) as pool:
            channels = [server.channel() for _ in range(WRITERS)]
            stubs = [RegistryStub(channel) for channel in channels]
            reader = CatalogStub(channels[0])
            barrier = threading.Barrier(WRITERS)
            winners = set()
            for number in range(ROUNDS):
                attempts = [pool.submit(register, stubs[w], barrier, number, w) for w in range(WRITERS)]
                results = [attempt.result() for attempt in attempts]
                won = [(digest, text) for code, digest, text in results if code is grpc.StatusCode.OK]
                others = [(code, message) for code, message, _ in results if code is not grpc.StatusCode.OK]
                self.assertEqual(len(won), 1, others)
                unexpected = [other for other in others if other[0] is not grpc.StatusCode.ALREADY_EXISTS]
                self.assertEqual(unexpected, [], f"round {number}")
                stored = reader.GetTemplate(
                    catalog.GetTemplateRequest(reference=f"race_{number}/contested:1.0.0", include_source=True),
                    timeout=harness.CALL_SECONDS,
                )
                self.assertEqual((stored.digest, stored.source), won[0])
                winners.add(won[0][1].split("writer ")[1].split()[0])
            for channel in channels:
                channel.close()
            # Were the writers not at once, the first would win always.
            self.assertGreater(len(winners), 1)


if __name__ == "__main__":
    unittest.main()
