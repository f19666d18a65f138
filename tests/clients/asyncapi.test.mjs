// schema/asyncapi.yaml is sound AsyncAPI, and says of events what the worker's tables say.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { Parser } from '@asyncapi/parser';
import Ajv from 'ajv';

const root = process.env.SENDCODE_SOURCE_DIR;
const path = join(root, 'schema/asyncapi.yaml');
const { document, diagnostics } = await new Parser().parse(readFileSync(path, 'utf8'),
  { source: path });

test('the parser finds no fault in it', () => {
  const faults = diagnostics.filter((d) => d.severity <= 1);
  assert.deepEqual(faults.map((d) => `${d.path.join('.')}: ${d.message}`), []);
  assert.ok(document);
});

test('it has the three topics with their directions', () => {
  const found = document.operations().all()
    .map((o) => `${o.action()} ${o.channels().all()[0].address()}`).sort();
  assert.deepEqual(found,
    ['receive sendcode.jobs', 'send sendcode.dead', 'send sendcode.events']);
});

test('a job is what job.schema.json says', () => {
  const schema = JSON.parse(readFileSync(join(root, 'schema/job.schema.json'), 'utf8'));
  const job = document.components().messages().get('job').payload().json();
  assert.equal(job.$id ?? job['x-parser-schema-id'], schema.$id);
  assert.deepEqual(Object.keys(job.properties).sort(), Object.keys(schema.properties).sort());
});

test('states and reasons are those of the worker', () => {
  const header = readFileSync(join(root, 'common/domain/job_state.h'), 'utf8');
  const listed = (macro) => [...header.split(`#define ${macro}(X)`)[1].split('\n\n')[0]
    .matchAll(/X\(\w+, "(\w+)"/g)].map((m) => m[1]);
  const event = document.components().schemas().get('event').json();
  assert.deepEqual(event.properties.state.enum, listed('JOB_STATES').filter((s) => s !== 'claimed'));
  assert.deepEqual(event.properties.reason.enum, listed('JOB_REASONS'));
});

test('its examples keep to their schemas, and a whole phone number does not', () => {
  const event = document.components().schemas().get('event').json();
  const valid = new Ajv({ strict: false }).compile(event);
  const examples = document.components().messages().get('event').examples().all()
    .map((e) => e.payload());
  assert.ok(examples.length > 0);
  for (const example of examples) {
    assert.ok(valid(example), JSON.stringify(valid.errors));
    assert.ok(!valid({ ...example, phone: '+8613800138000' }));
  }
});
