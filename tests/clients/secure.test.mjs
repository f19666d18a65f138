// The real Kafka's listener for TLS and SASL/SCRAM takes jobs from a client that proves itself.
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import kafkajs from 'kafkajs';

const read = (name) => readFileSync(`${process.env.SENDCODE_TEST_SECURE}/secure.${name}`, 'utf8').trim();

function connect(password) {
  return new kafkajs.Kafka({
    brokers: read('bootstrap').split(','),
    ssl: { ca: [read('ca.pem')] },
    sasl: { mechanism: 'scram-sha-256', username: read('user'), password },
    logLevel: kafkajs.logLevel.NOTHING,
    retry: { retries: 2 },
  });
}

test('a job is published over TLS by SCRAM', async () => {
  const kafka = connect(read('password'));
  const topic = `secure-${randomUUID()}`;
  const admin = kafka.admin();
  await admin.connect();
  await admin.createTopics({ waitForLeaders: true, topics: [{ topic }] });
  const producer = kafka.producer({ createPartitioner: kafkajs.Partitioners.DefaultPartitioner });
  await producer.connect();
  const [sent] = await producer.send({ topic, messages: [{ key: '+8613800138000', value: '{}' }] });
  assert.equal(sent.errorCode, 0);
  await producer.disconnect();
  await admin.disconnect();
});

test('a wrong password is refused', async () => {
  const producer = connect('wrong').producer();
  await assert.rejects(producer.connect(), /SASL|authentication/i);
});
