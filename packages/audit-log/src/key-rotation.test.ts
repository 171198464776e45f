/** The keys that sign the log change, and whoever trusts the former ones follows, but to nobody else's. */
import { inInstallation } from '@strongroom/storage';
import { temporaryFolder } from '@strongroom/testing';
import { databases } from '@strongroom/testing/databases';
import { readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { verifyBundle } from './bundle.ts';
import { KEY_ROTATION } from './entry.ts';
import { followKeys } from './key-succession.ts';
import { auditEvent, type House, openHouse } from './log.test-support.ts';
import { publishTiles } from './publish-tiles.ts';
import { parseNote, parseVerifierKey } from './signed-note.ts';
import { tileFolderSource } from './tile-folder.ts';
import { createTlogProof, parseTlogProof, verifyTlogProof } from './tlog-proof.ts';
import { verifyLog } from './verify-log.ts';
import { writeBundle } from './write-bundle.ts';

for (const engine of databases()) {
  describe.skipIf(!engine.available)(`changing the keys of the log on ${engine.name}`, () => {
    let house: House;
    /** Before the first change, after it, after the second. */
    let first: readonly string[];
    let second: readonly string[];
    let third: readonly string[];
    let oldBundle: string;

    const log = async (count: number): Promise<void> => {
      for (let done = 0; done < count; done += 1) await house.append(auditEvent());
      await house.auditLog.sequence();
    };
    const source = () => house.auditLog.source();
    const verify = (keys: readonly string[]) => verifyLog(source(), { keys });
    const bundle = async (range: { from?: number; to?: number } = {}): Promise<string> => {
      let text = '';
      for await (const part of writeBundle(source(), { keys: await house.auditLog.verifierKeys(), ...range }))
        text += part;
      return text;
    };

    beforeEach(async () => {
      house = await openHouse(engine);
      await log(5);
      first = await house.auditLog.verifierKeys();
      oldBundle = await bundle();
      // Kept checkpoints of an earlier hour are signed by the former keys.
      house.clock.time += 3_600_000;
      await log(1);
      ({ keys: second } = await house.auditLog.rotateKeys('command-line'));
      house.clock.time += 3_600_000;
      await log(3);
      ({ keys: third } = await house.auditLog.rotateKeys('administrator-socket'));
      await log(2);
    });
    afterEach(() => house.close());

    it('is an entry of the log, signed by the former keys and the new ones, and forgets the former private halves', async () => {
      expect(new Set([...first, ...second, ...third]).size).toBe(6);
      expect(await house.auditLog.verifierKeys()).toEqual(third);
      const types = await house.peek<{ index: string; type: string; actor_via: string }>(
        `select index, type, actor_via from audit_events join audit_leaves using (event_id) where type = '${KEY_ROTATION}' order by index`,
      );
      expect(types.map(({ index, actor_via }) => [Number(index), actor_via])).toEqual([
        [6, 'command-line'],
        [10, 'administrator-socket'],
      ]);
      const handovers = (await source().handovers!()).map((proof) => parseTlogProof(proof));
      expect(handovers.map(({ checkpoint }) => parseNote(checkpoint).signatures.length)).toEqual([4, 4]);
      const newest = (await source().newestCheckpoint())!.note;
      expect(parseNote(newest).signatures.map(({ keyId }) => keyId)).toEqual(
        third.map((key) => parseVerifierKey(key).id),
      );
      const kept = await house.peek('select verifier_key from audit_signing_keys where private_key is not null');
      expect(new Set(kept.map(({ verifier_key: key }) => key))).toEqual(new Set(third));
    });

    it('is followed from every key there ever was, forwards and backwards, by all of them or by one', async () => {
      for (const keys of [first, second, third, first.slice(0, 1), second.slice(1), third.slice(0, 1)]) {
        const verdict = await verify(keys);
        expect(verdict).toMatchObject({ ok: true, size: 13, standing: 'UNANCHORED' });
        const algorithms = new Set(keys.map((key) => parseVerifierKey(key).algorithm));
        expect(verdict.keys).toEqual(third.filter((key) => algorithms.has(parseVerifierKey(key).algorithm)));
      }
      const { size, root, keys } = await verify(first);
      await log(1);
      expect(await verifyLog(source(), { keys, remembered: { size, root } })).toMatchObject({ ok: true });
    });

    it('holds for bundles, whole or in part, for published tiles and for proofs', async () => {
      for (const range of [{}, { from: 8, to: 9 }, { from: 12 }, { to: 2 }, { from: 6, to: 7 }]) {
        const text = await bundle(range);
        for (const keys of [undefined, first, third]) {
          expect(await verifyBundle(linesOf(text), { keys }), JSON.stringify(range)).toMatchObject({
            ok: true,
            keys: third,
          });
        }
      }
      // One from before verifies with the keys of before, and with those of today by whoever has the hand-overs.
      expect(await verifyBundle(linesOf(oldBundle), { keys: first })).toMatchObject({ ok: true, keys: first });
      expect(await verifyBundle(linesOf(oldBundle), { keys: third })).toMatchObject({ ok: false, standing: 'INVALID' });

      const folder = temporaryFolder();
      await publishTiles(source(), folder, { entries: true });
      expect(readdirSync(join(folder, 'handovers')).toSorted()).toEqual(['11', '7']);
      const published = async (keys: readonly string[]) => verifyLog(await tileFolderSource(folder), { keys });
      for (const keys of [first.slice(0, 1), second, third]) expect(await published(keys)).toMatchObject({ ok: true });
      rmSync(join(folder, 'handovers', '7'));
      expect(await published(first)).toMatchObject({ ok: false, standing: 'INVALID' });
      expect(await published(second)).toMatchObject({ ok: true });
      writeFileSync(join(folder, 'handovers', '7'), 'nonsense');
      expect(await published(third)).toMatchObject({ ok: false, standing: 'INVALID' });

      const proof = parseTlogProof(await createTlogProof(source(), 2));
      const handovers = await source().handovers!();
      expect(await verifyTlogProof(proof, { keys: first, handovers })).toMatchObject({ ok: true });
      expect(await verifyTlogProof(proof, { keys: first })).toMatchObject({ ok: false });
    });

    it('is done by other processes as well: who signed before signs with the new keys', async () => {
      const other = await house.replica(house.database);
      await house.append(auditEvent());
      await other.sequence();
      const { keys } = await house.auditLog.rotateKeys('command-line');
      await house.append(auditEvent());
      await other.sequence();
      const newest = (await source().newestCheckpoint())!.note;
      expect(parseNote(newest).signatures.map(({ keyId }) => keyId)).toEqual(
        keys.map((key) => parseVerifierKey(key).id),
      );
      expect(await verify(first)).toMatchObject({ ok: true, keys });
    });

    it('is nobody else’s to write: neither as an event nor into the inbox', async () => {
      const event = auditEvent({ type: KEY_ROTATION });
      const attempt = house.database.transaction(inInstallation, (transaction) =>
        house.auditLog.append(transaction, event),
      );
      await expect(attempt).rejects.toMatchObject({ code: 'audit-log.reserved-event' });
      await house.append(auditEvent());
      await house.attack(
        `insert into audit_inbox (event) select replace(event, 'memory.created', '${KEY_ROTATION}') from audit_inbox`,
      );
      await expect(house.auditLog.sequence()).rejects.toMatchObject({ code: 'audit-log.damaged' });
    });

    it('stands in the log: without its proof it is a finding, and keys that nothing leads to are refused', async () => {
      const strangers = (await openStranger(engine)).keys;
      expect(await verify(strangers)).toMatchObject({ ok: false, standing: 'INVALID' });
      const hidden = { ...source(), handovers: async () => [] };
      const { findings } = await verifyLog(hidden, { keys: third });
      expect(findings.map(({ where }) => where)).toEqual(
        expect.arrayContaining(['event 6', 'event 10', 'checkpoint 5']),
      );
      const followed = await followKeys(first.map(parseVerifierKey), await source().handovers!());
      expect(followed).toMatchObject({ keys: third, problems: [] });
      // Only the second change is known: nothing leads there from the first keys.
      const partly = await followKeys(first.map(parseVerifierKey), (await source().handovers!()).slice(1));
      expect(partly.keys).toEqual(first);
    });
  });
}

async function openStranger(engine: Parameters<typeof openHouse>[0]): Promise<{ readonly keys: readonly string[] }> {
  const house = await openHouse(engine);
  await house.append(auditEvent());
  await house.auditLog.sequence();
  const keys = await house.auditLog.verifierKeys();
  await house.close();
  return { keys };
}

async function* linesOf(bundle: string): AsyncIterable<string> {
  for (const line of bundle.split('\n').slice(0, -1)) yield line;
}
