// kafkajs and kcat, which know nothing of librdkafka's mock cluster, publish and read jobs there.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { after, before, test } from 'node:test';
import kafkajs from 'kafkajs';
import { startSandbox } from './sandbox.mjs';

const topic = 'sendcode.jobs';
const phone = '+8613800138000';
const job = (id) => JSON.stringify({
  v: 1, job_id: id, phone, scene: 'login', requested_at: '2026-11-22T08:00:00Z',
});
let sandbox;
let kafka;

before(async () => {
  sandbox = await startSandbox('--broker');
  kafka = new kafkajs.Kafka({
    brokers: sandbox.ready.brokers.split(','), logLevel: kafkajs.logLevel.NOTHING,
  });
});
after(async () => assert.equal(await sandbox.stop(), 0));

function kcat(options, input) {
  return execFileSync('kcat', ['-b', sandbox.ready.brokers, '-t', topic, ...options],
    { input, encoding: 'utf8', timeout: 60000 });
}

test('what kafkajs publishes, kcat reads', async () => {
  const producer = kafka.producer({ createPartitioner: kafkajs.Partitioners.DefaultPartitioner });
  await producer.connect();
  await producer.send({ topic, messages: [{ key: phone, value: job('from-kafkajs') }] });
  await producer.disconnect();
  const read = kcat(['-C', '-e', '-o', 'beginning', '-f', '%k %s\n']);
  assert.equal(read, `${phone} ${job('from-kafkajs')}\n`);
});

test('what kcat publishes, a group of kafkajs reads', async () => {
  kcat(['-P', '-K', '\t'], `${phone}\t${job('from-kcat')}\n`);
  // A rebalance of the mock cluster lasts the session's time-out, less a second.
  const consumer = kafka.consumer({
    groupId: 'clients', sessionTimeout: 3000, heartbeatInterval: 500, maxWaitTimeInMs: 10,
  });
  await consumer.connect();
  await consumer.subscribe({ topic, fromBeginning: true });
  const ids = await new Promise((resolve) => {
    const seen = new Set();
    consumer.run({
      eachMessage: async ({ message }) => {
        assert.equal(message.key.toString(), phone);
        seen.add(JSON.parse(message.value.toString()).job_id);
        if (seen.size === 2) resolve(seen);
      },
    });
  });
  await consumer.disconnect();
  assert.deepEqual([...ids].sort(), ['from-kafkajs', 'from-kcat']);
});
