// A JSON Schema validator that is not ours judges the corpus of jobs as the worker does.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import Ajv2020 from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';

const root = process.env.SENDCODE_SOURCE_DIR;
const folder = join(root, 'tests/corpus/jobs');
const schema = JSON.parse(readFileSync(join(root, 'schema/job.schema.json'), 'utf8'));
const { jobs } = JSON.parse(readFileSync(join(folder, 'index.json'), 'utf8'));
const ajv = new Ajv2020({ allErrors: true, strict: true, strictTypes: false });
addFormats(ajv);
const valid = ajv.compile(schema);

// What a validator is given: strict UTF-8, then JSON; undefined when it is neither.
function read(file) {
  try {
    const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
      .decode(readFileSync(join(folder, file)));
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

test('the schema is sound, and its examples keep to it', () => {
  assert.ok(ajv.validateSchema(schema));
  for (const example of schema.examples) {
    assert.ok(valid(example), JSON.stringify(valid.errors));
  }
});

test('it agrees with the worker on every job that it can judge', () => {
  const judged = jobs.filter((j) => j.schema === 'agrees');
  assert.ok(judged.length > 100);
  const different = judged.filter((j) => {
    const value = read(j.file);
    return value === undefined || valid(value) !== (j.fault === 'ok');
  });
  assert.deepEqual(different.map((j) => j.file), []);
});

test('what it cannot judge has a reason, and no good job is refused by it', () => {
  const others = jobs.filter((j) => j.schema !== 'agrees');
  for (const j of others) {
    assert.equal(j.schema, 'cannot', j.file);
    assert.ok(j.reason, j.file);
    const value = read(j.file);
    assert.ok(j.fault !== 'ok' || value === undefined || valid(value), j.file);
  }
});
