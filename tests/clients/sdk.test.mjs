// Tencent's official Node.js SDK, unmodified, against the sandbox with right and wrong keys.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import sdk from 'tencentcloud-sdk-nodejs-sms';
import { secretId, secretKey, startSandbox } from './sandbox.mjs';

const phone = '+8613800138000';
let sandbox;

before(async () => {
  sandbox = await startSandbox('--listen', '127.0.0.1:0', '--control', '127.0.0.1:0');
});
after(async () => assert.equal(await sandbox.stop(), 0));

function client(credential, host = '127.0.0.1') {
  const { port } = new URL(sandbox.ready.endpoint);
  return new sdk.sms.v20210111.Client({
    credential,
    region: 'ap-guangzhou',
    profile: { httpProfile: { protocol: 'http://', endpoint: `${host}:${port}` } },
  });
}

const request = {
  PhoneNumberSet: [phone],
  SmsSdkAppId: '1400006789',
  SignName: 'AA生活服务',
  TemplateId: '1717171',
  TemplateParamSet: ['384592', '5'],
  SessionContext: 'job-1',
};

for (const host of ['127.0.0.1', 'localhost']) {
  test(`the right key sends through ${host}, and the message is seen`, async () => {
    const answer = await client({ secretId, secretKey }, host).SendSms(request);
    const [status] = answer.SendStatusSet;
    assert.equal(status.Code, 'Ok');
    assert.ok(answer.RequestId);
    const url = `${sandbox.ready.control}/messages?phone=${encodeURIComponent(phone)}`;
    const message = (await (await fetch(url)).json()).at(-1);
    assert.equal(message.serial_no, status.SerialNo);
    assert.equal(message.text,
      '【AA生活服务】您的验证码为：384592，请于5分钟内填写。如非本人操作，请忽略本短信。');
    assert.equal(message.session_context, 'job-1');
  });
}

test('a wrong key is refused as Tencent refuses it', async () => {
  await assert.rejects(client({ secretId, secretKey: 'wrong' }).SendSms(request),
    { code: 'AuthFailure.SignatureFailure' });
});

test('a wrong id is refused as Tencent refuses it', async () => {
  await assert.rejects(client({ secretId: 'wrong', secretKey }).SendSms(request),
    { code: 'AuthFailure.SecretIdNotFound' });
});

test('temporary keys of another account are refused', async () => {
  await assert.rejects(client({ secretId, secretKey, token: 'unexpected' }).SendSms(request),
    { code: 'AuthFailure.TokenFailure' });
});

test('a query has the members that the SDK names', async () => {
  const now = Math.floor(Date.now() / 1000);
  const answer = await client({ secretId, secretKey }).DescribeSendRecordList({
    PhoneNumber: phone, SmsSdkAppId: '1400006789', BeginTime: now - 60,
  });
  assert.equal(answer.TotalCount, answer.SendRecordSet.length);
  assert.ok(answer.SendRecordSet.length >= 1);
  const info = await client({ secretId, secretKey })
    .DescribePhoneNumberInfo({ PhoneNumberSet: ['13800138000'] });
  assert.equal(info.PhoneNumberInfoSet[0].PhoneNumber, phone);
});
