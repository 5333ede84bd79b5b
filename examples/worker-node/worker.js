// A worker that follows one template: prints what runs its steps, and again whenever the reference comes to mean another
// version. Ends on SIGINT or SIGTERM.
//
//     node worker.js SERVER REFERENCE [ENVIRONMENT]
'use strict';

const path = require('node:path');
const { setTimeout: sleep } = require('node:timers/promises');
const grpc = require('@grpc/grpc-js');
const protoLoader = require('@grpc/proto-loader');

const CALL_MS = 10_000;
const PROTOS = path.join(__dirname, '../../proto');
const CHANNEL_OPTIONS = {
  // A connection that died without a word is noticed. Servers hang up on who asks more often than every 10 s.
  'grpc.keepalive_time_ms': 11_000,
  'grpc.keepalive_timeout_ms': 5_000,
  'grpc.max_reconnect_backoff_ms': 2_000,
};

// The stubs are made when the program starts; 64-bit integers are strings, which lose no digit.
const definition = protoLoader.loadSync('tasker/registry/v1/resolver.proto', {
  includeDirs: [PROTOS],
  keepCase: true,
  longs: String,
  enums: String,
  oneofs: true,
});
const { ResolverService } = grpc.loadPackageDefinition(definition).tasker.registry.v1;

class Worker {
  constructor(stub, reference, environment) {
    this.stub = stub;
    this.reference = reference;
    this.environment = environment;
    this.name = reference.split(/[:@]/)[0];
    this.revision = null; // of the last change seen; null: the watch starts from now
    this.current = null; // the exact reference
    this.wait = 100;
  }

  // Follows the changes for ever; an interrupted watch goes on from the last revision seen.
  async run() {
    for (;;) {
      try {
        await this.follow();
      } catch (error) {
        console.error(`no changes arrive until the watch goes on: ${error.details ?? error.message}`);
        if (error.code === grpc.status.OUT_OF_RANGE) this.revision = null; // too old to go on from
      }
      await sleep(this.wait * (0.5 + Math.random() / 2)); // not all workers at once
      this.wait = Math.min(2 * this.wait, 5_000);
    }
  }

  async follow() {
    const request = { references: [this.name] };
    if (this.revision !== null) request.from_revision = this.revision;
    const watch = this.stub.watchTemplates(request);
    try {
      for await (const message of watch) {
        this.wait = 100;
        if (this.revision === null || message.changes?.length > 0) await this.resolve(message.revision);
        if (!message.continued) this.revision = message.revision;
      }
    } finally {
      watch.on('error', () => {}); // that of the cancellation
      watch.cancel();
    }
  }

  // Asks for the template as it is at that revision or later, whichever replica answers.
  async resolve(minRevision) {
    const request = { reference: this.reference, environment: this.environment, min_revision: minRevision };
    let found;
    try {
      found = await new Promise((resolve, reject) => {
        this.stub.resolveTemplate(request, { deadline: Date.now() + CALL_MS }, (error, response) =>
          error ? reject(error) : resolve(response),
        );
      });
    } catch (error) {
      if (error.code !== grpc.status.NOT_FOUND) throw error; // the watch starts again, and asks again
      console.error(`${this.reference}: ${error.details}`);
      return;
    }
    if (found.reference === this.current) return;
    this.current = found.reference;
    const lines = [found.reference];
    if (found.template.task_handler) lines.push(`  (the task) ${found.template.task_handler.callable}`);
    for (const step of found.template.steps ?? []) lines.push(`  ${step.name} ${step.handler.callable}`);
    console.log(lines.join('\n'));
  }
}

const [server, reference, environment = ''] = process.argv.slice(2);
if (!reference) {
  console.error('usage: node worker.js SERVER REFERENCE [ENVIRONMENT]');
  process.exit(2);
}
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => process.exit(0));
const stub = new ResolverService(server, grpc.credentials.createInsecure(), CHANNEL_OPTIONS);
new Worker(stub, reference, environment).run();
