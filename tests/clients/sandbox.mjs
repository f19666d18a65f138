// Starts the real sendcode-sandbox for the tests of this folder.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

export const secretId = 'AKIDsandboxEXAMPLE';
export const secretKey = 'sandboxSecretKeyEXAMPLE';

// Resolves to { ready, stop }: the members of the ready line, and the end with its exit code.
export async function startSandbox(...options) {
  const child = spawn(join(process.env.SENDCODE_BUILD_DIR, 'sendcode-sandbox'), options, {
    env: { ...process.env, TENCENT_SECRET_ID: secretId, TENCENT_SECRET_KEY: secretKey },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ended = once(child, 'exit');
  const line = await Promise.race([
    once(createInterface(child.stdout), 'line'),
    ended.then(([code]) => { throw new Error(`the sandbox ended with ${code}`); }),
  ]);
  return {
    ready: JSON.parse(line[0]),
    async stop() {
      child.kill('SIGTERM');
      return (await ended)[0];
    },
  };
}
