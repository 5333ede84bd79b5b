"""A worker that follows one template: prints what runs its steps, and again whenever the reference comes to mean another
version. Ends on SIGINT or SIGTERM. README.md says how to make the stubs.

    worker.py SERVER REFERENCE [ENVIRONMENT]
"""

import random
import signal
import sys
import time

import grpc
from tasker.registry.v1 import resolver_pb2, resolver_pb2_grpc

CALL_SECONDS = 10
CHANNEL_OPTIONS = [
    # A connection that died without a word is noticed. Servers hang up on who asks more often than every 10 s.
    ("grpc.keepalive_time_ms", 11_000),
    ("grpc.keepalive_timeout_ms", 5_000),
    ("grpc.http2.max_pings_without_data", 0),
    ("grpc.max_reconnect_backoff_ms", 2_000),
]


class Worker:
    def __init__(self, stub, reference, environment):
        self.stub = stub
        self.reference = reference
        self.environment = environment
        self.name = reference.split("@")[0].split(":")[0]
        self.revision = None  # of the last change seen; None: the watch starts from now
        self.current = None  # the exact reference

    def run(self):
        """Follows the changes for ever; an interrupted watch goes on from the last revision seen."""
        wait = 0.1
        while True:
            try:
                for message in self.watch():
                    wait = 0.1
                    self.react(message)
            except grpc.RpcError as error:
                print(f"no changes arrive until the watch goes on: {error.details()}", file=sys.stderr)
                if error.code() == grpc.StatusCode.OUT_OF_RANGE:
                    self.revision = None  # too old to go on from
            time.sleep(random.uniform(wait / 2, wait))  # not all workers at once
            wait = min(2 * wait, 5.0)

    def watch(self):
        request = resolver_pb2.WatchTemplatesRequest(references=[self.name])
        if self.revision is not None:
            request.from_revision = self.revision
        return self.stub.WatchTemplates(request)

    def react(self, message):
        if self.revision is None or message.changes:
            self.resolve(message.revision)
        if not message.continued:
            self.revision = message.revision

    def resolve(self, min_revision):
        """Asks for the template as it is at that revision or later, whichever replica answers."""
        try:
            found = self.stub.ResolveTemplate(
                resolver_pb2.ResolveTemplateRequest(
                    reference=self.reference, environment=self.environment, min_revision=min_revision
                ),
                timeout=CALL_SECONDS,
            )
        except grpc.RpcError as error:
            if error.code() != grpc.StatusCode.NOT_FOUND:
                raise  # the watch starts again, and asks again
            print(f"{self.reference}: {error.details()}", file=sys.stderr)
            return
        if found.reference == self.current:
            return
        self.current = found.reference
        print(found.reference)
        if found.template.HasField("task_handler"):
            print(f"  (the task) {found.template.task_handler.callable}")
        for step in found.template.steps:
            print(f"  {step.name} {step.handler.callable}")
        sys.stdout.flush()


def main():
    if len(sys.argv) not in (3, 4):
        sys.exit(__doc__)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    server, reference, environment = [*sys.argv[1:], ""][:3]
    with grpc.insecure_channel(server, options=CHANNEL_OPTIONS) as channel:
        try:
            Worker(resolver_pb2_grpc.ResolverServiceStub(channel), reference, environment).run()
        except KeyboardInterrupt:
            pass


if __name__ == "__main__":
    main()
