/** Readers and writers beside a rotation. */
import { setTimeout as delay } from 'node:timers/promises';
import { newUuid, StrongroomError, type Uuid } from '@strongroom/kernel';
import { inInstallation, type Database } from '@strongroom/storage';
import type { Encryption } from './encryption.ts';
import { addPerson, readPeople } from './rotation.test-support.ts';

/** What a person's columns hold: who it is and how often it was changed. */
export const textOf = (id: Uuid, number: number): string => `${id} #${number}`;

interface Told {
  readonly written: (id: Uuid, number: number) => void;
  readonly failed: (failure: string) => void;
}

export interface Traffic {
  /** Reads that were answered. */
  reads(): number;
  stop(): Promise<void>;
}

/** Two readers, and a writer that changes people and adds one now and then, until stopped. No people: no traffic. */
export function traffic(database: Database, encryption: Encryption, people: readonly Uuid[], told: Told): Traffic {
  const known = [...people];
  let running = people.length > 0;
  let reads = 0;
  const anyone = (): Uuid => known[Math.floor(Math.random() * known.length)]!;
  const attempt = async (work: () => Promise<void>): Promise<void> => {
    while (running) {
      try {
        await work();
      } catch (error) {
        told.failed(error instanceof StrongroomError ? error.code : String(error));
      }
      await delay(2);
    }
  };
  const read = (): Promise<void> =>
    attempt(async () => {
      const ids = [anyone(), anyone(), anyone()];
      const found = await database.transaction(inInstallation, (transaction) =>
        readPeople(encryption, transaction, ids),
      );
      for (const id of ids) if (!found.get(id)?.startsWith(`${id} #`)) told.failed(`${id} is lost`);
      reads += 1;
    });
  const write = (): Promise<void> =>
    attempt(async () => {
      const isNew = Math.random() < 0.2;
      const id = isNew ? newUuid() : anyone();
      const number = await database.transaction(inInstallation, async (transaction) => {
        const found = isNew ? undefined : (await readPeople(encryption, transaction, [id])).get(id);
        const next = found === undefined ? 0 : Number(found.split('#')[1]) + 1;
        await addPerson(encryption, transaction, id, textOf(id, next));
        return next;
      });
      told.written(id, number);
      if (isNew) known.push(id);
    });
  const all = Promise.all([read(), read(), write()]);
  return {
    reads: () => reads,
    async stop() {
      running = false;
      await all;
    },
  };
}
