/** A witness over HTTP, by the status codes of C2SP tlog-witness, and two installations that witness each other. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { toBase64 } from '@strongroom/kernel';
import { asSystem } from '@strongroom/storage';
import { figure, temporaryFolder } from '@strongroom/testing';
import { databases } from '@strongroom/testing/databases';
import { afterEach, describe, expect, it } from 'vitest';
import { cosignatureReader } from './checkpoint.ts';
import { writeWitnessPolicy } from './internal/witnessing.ts';
import { auditEvent, type House, newCosigner, openHouse } from './log.test-support.ts';
import { policyOfKeys } from './key-succession.ts';
import { parsePolicy } from './policy.ts';
import { formatVerifierKey, parseVerifierKey, verifierKey } from './signed-note.ts';
import { verifyLog } from './verify-log.ts';
import { hashOfOrigin } from './witness.ts';
import { openWitnessFolder } from './witness-state.ts';
import {
  add,
  closeAll,
  closing,
  leaves,
  log,
  note,
  ORIGIN,
  other,
  proof,
  request,
  type Running,
  startWitness,
  stranger,
} from './witness.test-support.ts';

afterEach(closeAll);

describe('a witness', () => {
  it('cosigns a log as it grows, with both kinds of keys, and shows the newest', async () => {
    const witness = await startWitness('w.example', [log.key]);
    const reader = await cosignatureReader(witness.keys);
    let old = 0;
    for (const size of [1, 2, 7, 8, 8, 31, 40]) {
      const answer = await add(witness, request(old, proof(old, size), note(size)));
      expect(answer).toMatchObject({ status: 200 });
      const cosigned = note(size) + answer.body;
      const found = await reader.read(cosigned);
      expect(found.map(({ key }) => key.algorithm)).toEqual(['ed25519-cosignature', 'ml-dsa-44']);
      for (const { timestamp } of found) expect(Math.abs(timestamp - Date.now() / 1000)).toBeLessThan(60);
      const latest = await fetch(`${witness.url}/${hashOfOrigin(ORIGIN)}/checkpoint`);
      expect(await latest.text()).toBe(cosigned);
      old = size;
    }
  });

  it('follows a log to new keys that it was given, and never back', async () => {
    const next = newCosigner(ORIGIN, 'ed25519');
    const folder = temporaryFolder();
    const handover = next.cosign(note(8), 0);
    const before = await startWitness('w.example', [log.key], folder);
    expect(await add(before, request(0, [], note(5)))).toMatchObject({ status: 200 });
    expect(await add(before, request(5, proof(5, 7), note(7, leaves, next)))).toMatchObject({ status: 403 });
    // The former key signed as well, but what the new one says counts only for who was told of it.
    expect(await add(before, request(5, proof(5, 8), handover))).toMatchObject({ status: 200 });
    expect(await add(before, request(8, proof(8, 9), note(9, leaves, next)))).toMatchObject({ status: 403 });
    await before.stop();

    const after = await startWitness('w.example', [log.key, next.key], folder);
    expect(await add(after, request(8, proof(8, 9), note(9)))).toMatchObject({ status: 200 });
    expect(await add(after, request(9, proof(9, 10), note(10, leaves, next)))).toMatchObject({ status: 200 });
    expect(await add(after, request(10, proof(10, 11), note(11)))).toMatchObject({ status: 403 });
    expect(await add(after, request(10, proof(10, 11), note(11, leaves, stranger)))).toMatchObject({ status: 403 });
    expect(await add(after, request(10, proof(10, 11), note(11, leaves, next)))).toMatchObject({ status: 200 });
  });

  it('answers with the status codes of the specification, and cosigns nothing meanwhile', async () => {
    const witness = await startWitness('w.example', [log.key]);
    const monitored = `${witness.url}/${hashOfOrigin(ORIGIN)}/checkpoint`;
    expect((await fetch(monitored)).status).toBe(404);
    expect((await fetch(`${witness.url}/${hashOfOrigin('unknown')}/checkpoint`)).status).toBe(404);
    expect(await add(witness, request(0, [], note(20)))).toMatchObject({ status: 200 });
    const before = await (await fetch(monitored)).text();

    const good = request(20, proof(20, 30), note(30));
    const hash = toBase64(leaves[0]!);
    const cases: readonly (readonly [what: string, status: number, body: string | Uint8Array])[] = [
      ['stale', 409, request(10, proof(10, 30), note(30))],
      ['first contact when there was one', 409, request(0, [], note(30))],
      ['ahead', 409, request(25, proof(25, 30), note(30))],
      ['rollback', 400, request(20, [], note(10))],
      ['rollback that admits it', 409, request(10, [], note(10))],
      ['fork at a larger size', 422, request(20, proof(20, 30, other), note(30, other))],
      ['fork at the same size', 422, request(20, [], note(20, other))],
      ['proof for the same size', 422, request(20, [hash], note(20))],
      ['no proof', 422, request(20, [], note(30))],
      ['a proof hash too many', 422, request(20, [...proof(20, 30), hash], note(30))],
      ['proof of other sizes', 422, request(20, proof(19, 30), note(30))],
      ['another key', 403, request(20, proof(20, 30), note(30, leaves, stranger))],
      [
        'a wrong signature under the right key',
        403,
        good.replace(/(.)(.{9})\n$/, (_, one, rest) => `${one === 'A' ? 'B' : 'A'}${rest}\n`),
      ],
      ['an unknown log', 404, good.replaceAll(ORIGIN, 'example.com/unknown')],
      ['no old size', 400, good.replace('old 20\n', '')],
      ['a leading zero', 400, good.replace('old 20', 'old 020')],
      ['a negative size', 400, good.replace('old 20', 'old -1')],
      ['bad base64', 400, request(20, ['####'], note(30))],
      ['a short hash', 400, request(20, ['AAAA'], note(30))],
      [
        '64 proof lines',
        400,
        request(
          20,
          Array.from({ length: 64 }, () => hash),
          note(30),
        ),
      ],
      ['no signature', 400, good.slice(0, good.lastIndexOf('—'))],
      ['carriage returns', 400, good.replaceAll('\n', '\r\n')],
      ['nothing', 400, ''],
      ['no text', 400, new Uint8Array([0xff, 0xfe, 0x0a, 0x0a])],
    ];
    for (const [what, status, body] of cases) {
      const answer = await add(witness, body);
      expect(answer.status, what).toBe(status);
      if (status === 409) expect(answer, what).toMatchObject({ type: 'text/x.tlog.size', body: '20\n' });
      else expect(answer.body, what).not.toContain('—');
    }
    expect(await (await fetch(monitored)).text()).toBe(before);
    expect((await fetch(`${witness.url}/add-checkpoint`)).status).toBe(405);
    expect((await fetch(`${witness.url}/else`)).status).toBe(404);
    expect((await add(witness, 'x'.repeat(300_000))).status).toBe(413);
    expect(await add(witness, good)).toMatchObject({ status: 200 });
    figure(`${cases.length} stale, forked or malformed requests answered with the C2SP status codes`);
  });

  it('takes an empty tree by its own root only, and then its first entries', async () => {
    const witness = await startWitness('w.example', [log.key]);
    expect(await add(witness, request(0, [], note(0, leaves, log, new Uint8Array(32))))).toMatchObject({ status: 422 });
    expect(await add(witness, request(0, [], note(0)))).toMatchObject({ status: 200 });
    expect(await add(witness, request(0, [toBase64(leaves[0]!)], note(3)))).toMatchObject({ status: 422 });
    expect(await add(witness, request(0, [], note(3)))).toMatchObject({ status: 200 });
  });

  it('of two requests at once cosigns one', async () => {
    const witness = await startWitness('w.example', [log.key]);
    await add(witness, request(0, [], note(10)));
    const answers = await Promise.all(
      [15, 20, 25, 30].map((size) => add(witness, request(10, proof(10, size), note(size)))),
    );
    expect(answers.map(({ status }) => status).toSorted((left, right) => left - right)).toEqual([200, 409, 409, 409]);
  });

  it('remembers over a restart, and refuses to sign when its memory was changed', async () => {
    const folder = temporaryFolder();
    const first = await startWitness('w.example', [log.key], folder);
    await add(first, request(0, [], note(20)));
    const taken = expect.objectContaining({ code: 'audit-log.witness-state' });
    await expect(openWitnessFolder(folder, 'w.example')).rejects.toThrow(taken);
    await first.stop();
    await expect(openWitnessFolder(folder, 'another.example')).rejects.toThrow(taken);

    const second = await startWitness('w.example', [log.key], folder);
    expect(second.keys.map(formatVerifierKey)).toEqual(first.keys.map(formatVerifierKey));
    expect(await add(second, request(0, [], note(5)))).toMatchObject({ status: 409, body: '20\n' });
    const file = join(folder, 'logs', `${hashOfOrigin(ORIGIN)}.checkpoint`);
    const honest = readFileSync(file, 'utf8');
    // A checkpoint of the log, but never cosigned here.
    for (const changed of [note(5), honest.replace('\n20\n', '\n5\n'), '', 'x']) {
      writeFileSync(file, changed);
      expect((await add(second, request(5, proof(5, 20), note(20)))).status).toBe(500);
    }
    writeFileSync(file, honest);
    expect(await add(second, request(20, proof(20, 21), note(21)))).toMatchObject({ status: 200 });
  });
});

for (const engine of databases()) {
  describe.skipIf(!engine.available)(`logs on ${engine.name}`, () => {
    async function open(): Promise<House> {
      const house = await openHouse(engine);
      closing.push(() => house.close());
      await house.append(auditEvent());
      await house.auditLog.sequence();
      return house;
    }
    const keysOf = async (house: House) => (await house.auditLog.verifierKeys()).map((key) => parseVerifierKey(key));
    const policyFor = ({ url, keys }: Running): string =>
      `${keys.map((key, index) => `witness w${index} ${formatVerifierKey(key)} ${url}\n`).join('')}group both all w0 w1\nquorum both\n`;
    const setPolicy = (house: House, policy: string | null) =>
      house.database.transaction(asSystem, (transaction) => writeWitnessPolicy(transaction, policy, house.clock.now()));
    const judge = async (house: House, policy: string) =>
      verifyLog(house.auditLog.source(), { keys: await house.auditLog.verifierKeys(), policy: parsePolicy(policy) });

    it('witness each other', async () => {
      const [one, two] = [await open(), await open()];
      const byTwo = await startWitness('two.example', await keysOf(one));
      const byOne = await startWitness('one.example', await keysOf(two));
      const policies = [policyFor(byTwo), policyFor(byOne)] as const;
      expect(await one.auditLog.witness()).toBeNull();
      await setPolicy(one, policies[0]);
      await setPolicy(two, policies[1]);
      for (const [house, policy] of [
        [one, policies[0]],
        [two, policies[1]],
      ] as const) {
        expect(await judge(house, policy)).toMatchObject({ ok: true, standing: 'UNANCHORED', witnessedSize: 0 });
        expect(await house.auditLog.witness()).toEqual({ size: 1, witnessedSize: 1, problems: [] });
        expect(await judge(house, policy)).toMatchObject({ ok: true, standing: 'WITNESSED', witnessedSize: 1 });
        // Grown further within the hour: what was witnessed is kept until more is.
        await house.append(auditEvent(), auditEvent());
        await house.auditLog.sequence();
        await house.append(auditEvent());
        await house.auditLog.sequence();
        expect(await judge(house, policy)).toMatchObject({ standing: 'WITNESSED', size: 4, witnessedSize: 1 });
        expect(await house.auditLog.witness()).toMatchObject({ witnessedSize: 4, problems: [] });
        expect(await judge(house, policy)).toMatchObject({ standing: 'WITNESSED', witnessedSize: 4 });
        const kept = await house.peek('select size from audit_checkpoints');
        expect(kept).toHaveLength(1);
      }
      // Witnesses of somebody else say nothing here.
      expect(await judge(one, policies[1])).toMatchObject({ ok: true, standing: 'UNANCHORED' });
      figure('2 installations witness each other: WITNESSED on both');
    });

    it('that were cut or rewritten are not cosigned, and the witness shows it', async () => {
      const house = await open();
      const witness = await startWitness('w.example', await keysOf(house));
      const policy = policyFor(witness);
      await setPolicy(house, policy);
      await house.append(...Array.from({ length: 9 }, () => auditEvent()));
      await house.auditLog.sequence();
      await house.auditLog.witness();
      const origin = (await keysOf(house))[0]!.name;
      const seen = await (await fetch(`${witness.url}/${hashOfOrigin(origin)}/checkpoint`)).text();
      const keys = await house.auditLog.verifierKeys();

      // The owner of database and keys goes back to the beginning and tells another story.
      await house.attack(
        ...['audit_events', 'audit_openings', 'audit_leaves', 'audit_checkpoints', 'audit_cosignatures'].map(
          (table) => `delete from ${table}`,
        ),
      );
      const liar = await house.replica(house.database);
      await house.append(auditEvent(), auditEvent());
      await liar.sequence();
      expect(await liar.witness()).toMatchObject({
        size: 2,
        witnessedSize: 0,
        problems: [{ problem: expect.stringContaining('was the log cut?') as string }],
      });
      const judged = (options: object) => verifyLog(liar.source(), { keys, policy: parsePolicy(policy), ...options });
      expect(await judged({})).toMatchObject({ ok: true, standing: 'UNANCHORED' });
      expect(await judged({ seen: [seen] })).toMatchObject({ ok: false, standing: 'DIVERGED' });
      await house.append(...Array.from({ length: 20 }, () => auditEvent()));
      await liar.sequence();
      expect(await liar.witness()).toMatchObject({
        size: 22,
        witnessedSize: 0,
        problems: [{ problem: expect.stringContaining('422') as string }],
      });
      expect(await judged({ seen: [seen] })).toMatchObject({ ok: false, standing: 'DIVERGED' });
    });

    it('whose keys changed say what the witness has to be told, and are cosigned once it was', async () => {
      const house = await open();
      const folder = temporaryFolder();
      const known = async () =>
        parsePolicy(
          policyOfKeys((await house.auditLog.source().handovers!()) ?? [], await house.auditLog.verifierKeys()),
        ).logs.map(({ key }) => key);
      expect(await known()).toEqual(await keysOf(house));
      const before = await startWitness('w.example', await known(), folder);
      await setPolicy(house, policyFor(before));
      expect(await house.auditLog.witness()).toMatchObject({ witnessedSize: 1, problems: [] });
      await house.auditLog.rotateKeys('command-line');
      // The checkpoint of the change is signed by the former keys as well.
      expect(await house.auditLog.witness()).toMatchObject({ witnessedSize: 2, problems: [] });
      await house.append(auditEvent());
      await house.auditLog.sequence();
      for (let turn = 0; turn < 2; turn += 1) {
        expect(await house.auditLog.witness()).toMatchObject({
          witnessedSize: 2,
          problems: [
            { witness: before.url, problem: expect.stringContaining('`strongroom audit witness --own-keys`') },
          ],
        });
      }
      await before.stop();

      expect(await known()).toHaveLength(4);
      expect((await known()).slice(2)).toEqual(await keysOf(house));
      const after = await startWitness('w.example', await known(), folder);
      await setPolicy(house, policyFor(after));
      expect(await house.auditLog.witness()).toMatchObject({ size: 3, witnessedSize: 3, problems: [] });
      const stranger = await startWitness('w.example', [log.key]);
      await setPolicy(house, policyFor(stranger));
      expect(await house.auditLog.witness()).toMatchObject({
        problems: [{ problem: expect.stringContaining('does not vouch for this log (status 404)') }],
      });
    });

    it('tell when a witness cannot be reached, and accept only addresses that can be asked', async () => {
      const house = await open();
      const witness = await startWitness('w.example', await keysOf(house));
      const policy = policyFor(witness);
      await witness.stop();
      await setPolicy(house, policy);
      expect(await house.auditLog.witness()).toMatchObject({
        problems: [{ problem: expect.stringContaining('cannot be reached') as string }],
      });
      const refused = expect.objectContaining({ code: 'audit-log.invalid-policy' });
      await expect(setPolicy(house, policy.replaceAll(witness.url, ''))).rejects.toThrow(refused);
      await expect(setPolicy(house, policy.replaceAll(witness.url, 'file:///etc/passwd'))).rejects.toThrow(refused);
      const crowd = (count: number) =>
        Array.from({ length: count }, (_, index) => {
          const key = verifierKey(`w${index}`, 'ed25519-cosignature', new Uint8Array(32).fill(index + 1));
          return `witness c${index} ${formatVerifierKey(key)} https://w.example\n`;
        }).join('');
      await expect(setPolicy(house, `${crowd(125)}quorum c0\n`)).rejects.toThrow(refused);
      await setPolicy(house, `${crowd(124)}quorum c0\n`);
      await setPolicy(house, null);
      expect(await house.auditLog.witness()).toBeNull();
    });
  });
}
