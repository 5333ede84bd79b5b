// Times ajv on the cases of json_schema_bench: node bench.js CASE.json …
// Prints one line per case: name, nanoseconds per JSON text in and verdict out, nanoseconds to compile the schema.
'use strict';

const fs = require('fs');
const path = require('path');
const Ajv = require('ajv/dist/2020');

// Each figure is the fastest of several rounds, as on the other side.
const kRounds = 7;
const kRoundNanoseconds = 150e6;

function fastest(action) {
  let best = Infinity;
  for (let round = 0; round < kRounds; ++round) {
    let runs = 0;
    const start = process.hrtime.bigint();
    let elapsed = 0;
    do {
      for (let i = 0; i < 5; ++i) action();
      runs += 5;
      elapsed = Number(process.hrtime.bigint() - start);
    } while (elapsed < kRoundNanoseconds);
    best = Math.min(best, elapsed / runs);
  }
  return best;
}

for (const file of process.argv.slice(2)) {
  const { schema, instance } = JSON.parse(fs.readFileSync(file, 'utf8'));
  const text = JSON.stringify(instance);
  const ajv = new Ajv({ allErrors: false, strict: false });
  const validate = ajv.compile(schema);
  const check = () => {
    if (!validate(JSON.parse(text))) throw new Error(`${file}: ${JSON.stringify(validate.errors)}`);
  };
  const run = fastest(check);
  // One instance that has compiled its metaschemas; a schema is known by its object, so each run takes a new one.
  const compile = fastest(() => {
    const copy = { ...schema };
    ajv.compile(copy);
    ajv.removeSchema(copy);
  });
  console.log(`${path.basename(file, '.json')} ${run} ${compile}`);
}
