/** `strongroom audit sinks` as an operator uses it: server running, server stopped, receiver down and up again. */
import { createHmac } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { temporaryFolder } from '@strongroom/testing';
import { describe, expect, it } from 'vitest';
import { Device, startVault, until } from './running-vault.fixture.ts';

interface Listed {
  readonly items: readonly { readonly name: string; readonly eventsBehind: number; readonly failures: number }[];
}

describe('audit sinks', () => {
  it('deliver from a running vault, say how far they are, and are managed with the server stopped too', async () => {
    const received: { body: string; valid: boolean }[] = [];
    let secret = '';
    let status = 200;
    const server = createServer((request, response) => {
      void (async () => {
        let body = '';
        for await (const chunk of request.setEncoding('utf8')) body += String(chunk);
        const { 'webhook-id': id, 'webhook-timestamp': time, 'webhook-signature': signature } = request.headers;
        const key = Buffer.from(secret.slice('whsec_'.length), 'base64');
        const expected = createHmac('sha256', key)
          .update(`${String(id)}.${String(time)}.${body}`)
          .digest('base64');
        if (status === 200) received.push({ body, valid: signature === `v1,${expected}` });
        response.writeHead(status).end();
      })();
    });
    await new Promise<void>((resolve) => {
      server.listen(0, '127.0.0.1', resolve);
    });
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
    const folder = join(temporaryFolder(), 'files');
    const vault = await startVault();
    const operator = new Device();
    const sinks = (...words: readonly string[]) => operator.run(['audit', 'sinks', ...words, '--data', vault.data]);
    const list = async () => JSON.parse((await sinks('list', '--json')).stdout) as Listed;
    try {
      expect(await sinks('list')).toMatchObject({ code: 0, stdout: 'There are no sinks.\n' });
      expect(await sinks('add', 'siem')).toMatchObject({ code: 2 });
      expect(await sinks('add', 'SIEM', '--webhook', url)).toMatchObject({ code: 2 });
      expect(await sinks('add', 'siem', '--webhook', 'http://siem.example.org/')).toMatchObject({ code: 1 });
      expect(await sinks('add', 'few', '--folder', folder, '--keep-files', '1')).toMatchObject({ code: 2 });
      const added = await sinks('add', 'siem', '--webhook', url, '--from', '0', '--json');
      expect(added).toMatchObject({ code: 0 });
      ({ secret } = JSON.parse(added.stdout) as { secret: string });
      expect(await sinks('add', 'siem', '--webhook', url)).toMatchObject({ code: 1 });
      expect(await sinks('add', 'files', '--folder', folder, '--format', 'ocsf', '--rotate-daily')).toMatchObject({
        code: 0,
      });
      expect(await sinks('test', 'siem')).toMatchObject({ code: 0, stdout: 'siem acknowledged a test message.\n' });
      await new Device().signUp(vault);
      await until('both have everything', async () => {
        const { items } = await list();
        return items.every(({ eventsBehind }) => eventsBehind === 0) && readdirSync(folder).length === 1;
      });
      expect(received.every(({ valid }) => valid)).toBe(true);
      expect(received.map(({ body }) => body).join('')).toContain('"type":"account.');
      const [file] = readdirSync(folder);
      expect(readFileSync(join(folder, file!), 'utf8')).toContain('"metadata":');

      status = 503;
      expect(await sinks('test', 'siem')).toMatchObject({ code: 1, stderr: expect.stringContaining('status 503') });
      await new Device().run(['login', '--email', 'nobody@example.org'], {
        environment: { STRONGROOM_SERVER: vault.url },
      });
      await sinks('add', 'third', '--folder', folder);
      await until('the receiver is missed', async () => (await list()).items.some(({ failures }) => failures > 0));
      const metrics = await (await fetch(vault.metricsUrl!)).text();
      expect(metrics).toMatch(/^strongroom_audit_sink_lag_events\{sink="siem"\} [1-9]/m);
      expect(metrics).toMatch(/^strongroom_audit_sink_lag_events\{sink="files"\} /m);
      expect(metrics).toMatch(/^strongroom_audit_sink_failures\{sink="siem"\} [1-9]/m);
      expect(metrics).not.toContain(url);
      await vault.stop();

      expect(await sinks('list')).toMatchObject({
        code: 0,
        stdout: expect.stringMatching(/siem {2}jsonl to http:.* events behind[^]*failed \d+ times \(status 503\)/),
      });
      expect(await sinks('remove', 'third')).toMatchObject({ code: 0 });
      expect(await sinks('remove', 'third')).toMatchObject({ code: 1 });
      expect(await sinks('retry', 'siem')).toMatchObject({ code: 0, stdout: '0 batches of siem are sent again.\n' });
      status = 200;
      expect(await sinks('test', 'siem')).toMatchObject({ code: 0 });
      const again = await vault.start();
      await until('the rest has arrived', async () =>
        (await list()).items.every(({ eventsBehind, failures }) => eventsBehind + failures === 0),
      );
      const indexes = received.flatMap(({ body }) =>
        body
          .split('\n')
          .filter((line) => line !== '')
          .flatMap((line) => (JSON.parse(line) as { index?: number }).index ?? []),
      );
      expect([...new Set(indexes)]).toEqual(Array.from({ length: Math.max(...indexes) + 1 }, (_, index) => index));
      expect(received.map(({ body }) => body).join('')).toContain('"audit.sink-removed"');
      expect(await operator.run(['audit', 'reconcile', '--data', vault.data])).toMatchObject({ code: 0 });
      expect(await operator.run(['audit', 'verify', '--data', vault.data])).toMatchObject({ code: 0 });
      await again.stop();
    } finally {
      server.close();
      server.closeAllConnections();
    }
  });
});
