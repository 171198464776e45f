/** Somebody's keys are destroyed on a running server between the checkpoint and the entries that another one verifies: no damage, and soon explained. */
import { verifyBundle, writeBundle } from '@strongroom/audit-log/verify';
import type { Uuid } from '@strongroom/kernel';
import { figure } from '@strongroom/testing';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { remoteLogSource, type RememberedLog, verifierKeys, verifyRemoteLog } from './audit.ts';
import { EMAIL, Live, PASSWORD } from './live.test-support.ts';
import type { Vault } from './vault.ts';

let live: Live;
let anna: Vault;

/** A new member of Anna's tenant, whose coming is in the log. */
async function newcomer(name: string): Promise<Uuid> {
  const { code: invitation } = await anna.invite('member');
  const vault = live.vault();
  await vault.signUp({
    invitation,
    email: `${name}@example.org`,
    displayName: name,
    password: PASSWORD,
    transport: 'bearer',
  });
  await vault.createSpace('Alone');
  await live.sequence();
  return vault.account!.id;
}

/** Milliseconds between two runs of the job that gives events their place. */
const SEQUENCING = 1000;

/** Answers the first request for entries once the keys of this person are destroyed. That they are has its place in the log as late as on a running server. */
function eraseMeanwhile(person: Uuid): void {
  let erased: Promise<void> | undefined;
  const erase = async () => {
    await live.erase(person);
    setTimeout(() => void live.sequence(), SEQUENCING);
  };
  live.wire = async (address, init) => {
    if (address.pathname === '/v1/audit/entries') await (erased ??= erase());
    return fetch(address, init);
  };
}

async function* linesOf(text: string): AsyncIterable<string> {
  for (const line of text.split('\n').slice(0, -1)) yield line;
}

async function bundle(): Promise<string> {
  let text = '';
  for await (const part of writeBundle(remoteLogSource(anna.api), { keys: await verifierKeys(anna.api) })) text += part;
  return text;
}

const MISSING = 'the logged value is missing';

beforeAll(async () => {
  live = await Live.start();
  ({ anna } = await live.signUp());
  await anna.reauthenticate(PASSWORD);
});
afterEach(() => {
  live.wire = fetch;
});
afterAll(() => live.close());

describe('an erasure on a running server', () => {
  it('is no finding of a verification beside it, which remembers how far it went', async () => {
    eraseMeanwhile(await newcomer('ben'));
    let kept: RememberedLog | null = null;
    const verdict = await verifyRemoteLog(anna.api, {
      read: () => Promise.resolve(kept),
      write: (log) => {
        kept = log;
        return Promise.resolve();
      },
    });
    expect(verdict).toMatchObject({ ok: true, findings: [] });
    expect(verdict.redactedEntries).toBeGreaterThan(0);
    expect(kept).toMatchObject({ size: verdict.size });
    figure(`verified over the network during an erasure: ${verdict.redactedEntries} redacted entries, 0 findings`);
  });

  it('does not make a bundle that is written beside it invalid for ever', async () => {
    eraseMeanwhile(await newcomer('cara'));
    const written = await bundle();
    const verdict = await verifyBundle(linesOf(written), { keys: await verifierKeys(anna.api) });
    expect(verdict).toMatchObject({ ok: true, findings: [] });
    expect(verdict.verifiedEntries + verdict.withheldEntries).toBe(verdict.size);
    expect(written).not.toContain(EMAIL);
    figure(
      `a bundle written over the network during an erasure: ${verdict.redactedEntries} redacted entries, 0 findings`,
    );
  });

  it('excuses no server that shows no entry for it, and is not waited for for ever', async () => {
    const person = await newcomer('dora');
    eraseMeanwhile(person);
    const erasing = live.wire;
    let checkpoint: object | undefined;
    let asked = 0;
    live.wire = async (address, init) => {
      const answer = await erasing(address, init);
      if (address.pathname !== '/v1/audit/checkpoint') return answer;
      asked += 1;
      checkpoint ??= (await answer.json()) as object;
      return Response.json(checkpoint);
    };
    const verdict = await verifyRemoteLog(anna.api, {
      read: () => Promise.resolve(null),
      write: () => Promise.reject(),
    });
    expect(verdict).toMatchObject({ ok: false, standing: 'INVALID' });
    expect(new Set(verdict.findings.map(({ what }) => what))).toEqual(new Set([MISSING]));
    expect(asked).toBe(2);
  });
});
