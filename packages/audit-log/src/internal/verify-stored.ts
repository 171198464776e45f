/** Verification of the log in the own database, on several threads when it is long. */
import type { Clock } from '@strongroom/kernel';
import { asSystem, type Database } from '@strongroom/storage';
import { databaseLogSource } from '../database-source.ts';
import type { CheckedEntry, LogSource } from '../log-source.ts';
import { type Verdict, verifyLog, type VerifyOptions } from '../verify-log.ts';
import { CheckingThreads } from './checking-threads.ts';
import type { OpeningKeys } from './opening-keys.ts';
import { readStoredEntries } from './read-entries.ts';

/** Entries from which on threads are worth their start, which takes as long as some ten thousand entries. */
const LONG = 50_000;

export interface LogOwner {
  readonly database: Database;
  readonly clock: Clock;
  readonly openings: OpeningKeys;
}

export async function verifyStored(owner: LogOwner, options: VerifyOptions): Promise<Verdict> {
  const source = databaseLogSource(owner.database, owner.clock, owner.openings);
  const newest = await source.newestCheckpoint();
  if (newest === null || newest.columns!.size < LONG) return verifyLog(source, options);
  const threads = new CheckingThreads();
  try {
    return await verifyLog(withThreads(source, owner, threads), options);
  } finally {
    await threads.close();
  }
}

/** The same source, its entries checked by threads. */
export function withThreads(
  source: LogSource,
  { database, openings }: Omit<LogOwner, 'clock'>,
  threads: CheckingThreads,
): LogSource {
  const check = async (from: number, to: number, isAgain = false): Promise<readonly CheckedEntry[]> => {
    const page = await database.transaction(asSystem, (transaction) => readStoredEntries(transaction, from, to));
    let isComplete = true;
    const entries = await threads.check(page, async (people) => {
      const keys = await database.transaction(asSystem, (transaction) => openings.forReading(transaction, people));
      isComplete = people.every((person) => keys.has(person));
      return keys;
    });
    // Whoever was forgotten in between had openings on this page that are gone by now. Of what is damaged, the second look shows the same.
    return isComplete || isAgain ? entries : check(from, to, true);
  };
  return { ...source, checkedEntries: (from, to) => check(from, to) };
}
