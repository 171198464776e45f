/** Readers and writers at full speed while a column goes through all phases, there and back. */
import { join } from 'node:path';
import { newUuid, systemClock, type Uuid } from '@strongroom/kernel';
import { figure, temporaryFolder } from '@strongroom/testing';
import { databases } from '@strongroom/testing/databases';
import { describe, expect, it } from 'vitest';
import { Notes, notesRoom } from './column-migration.test-support.ts';
import { createEncryption } from './encryption.ts';
import { fileSlot } from './file-slot.ts';
import { manifest } from './manifest.ts';

for (const engine of databases()) {
  describe.skipIf(!engine.available)(engine.name, () => {
    it('keeps readers and writers going through all phases', async () => {
      const encryption = await createEncryption({ slot: fileSlot(join(temporaryFolder(), 'root')) });
      const notes = new Notes(await engine.open([manifest, notesRoom]), encryption, systemClock);
      const owners = [newUuid(), newUuid()];
      const expected = new Map<Uuid, string | null>();
      const owned: { id: Uuid; owner: Uuid }[] = [];
      for (const owner of owners) {
        for (const id of await notes.insert(
          owner,
          Array.from({ length: 100 }, (_, index) => `first ${index}`),
        ))
          owned.push({ id, owner });
      }
      for (const [id, content] of await notes.read()) expected.set(id, content);
      let running = true;
      let [reads, writes] = [0, 0];
      const writer = async (part: number) => {
        for (let turn = 0; running; turn += 1) {
          // Each writer has rows of its own, so what must be read afterwards is known.
          const { id, owner } = owned[(turn * 2 + part) % owned.length]!;
          const content = turn % 7 === 0 ? null : `by ${part} in turn ${turn}`;
          await notes.update(owner, id, content);
          expected.set(id, content);
          expect((await notes.read(id)).get(id)).toBe(content);
          if (turn % 5 === 0) {
            const [added] = await notes.insert(owner, [`added by ${part} in turn ${turn}`]);
            expected.set(added!, `added by ${part} in turn ${turn}`);
          }
          writes += 1;
        }
      };
      const reader = async () => {
        while (running) {
          const size = expected.size;
          expect((await notes.read()).size).toBeGreaterThanOrEqual(size);
          reads += 1;
        }
      };
      const migration = notes.migration('content', { rowsAtOnce: 10 });
      const traffic = [writer(0), writer(1), reader()];
      const all = Promise.all(traffic);
      const migrate = async () => {
        await migration.begin();
        await migration.run();
        await migration.revert();
        await migration.begin();
        await migration.run();
        await migration.cutOver();
        await migration.drop();
        await migration.run();
      };
      await Promise.race([all, migrate()]);
      running = false;
      await all;
      expect((await migration.status()).phase).toBe('dropped');
      expect(await notes.read()).toEqual(expected);
      expect((await notes.counts()).plain).toBe(0);
      expect(reads).toBeGreaterThan(2);
      figure(
        `column migration: ${writes} writes and ${reads} full reads through all phases, none failed, nothing lost`,
      );
    });
  });
}
