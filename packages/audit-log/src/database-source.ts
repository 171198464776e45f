/** The log as it lies in the database, for verification by the operator: every event of every tenant. */
import type { Clock } from '@strongroom/kernel';
import { asSystem, type Database, type Transaction } from '@strongroom/storage';
import { sql } from 'kysely';
import { ADDRESS_PREFIX } from './internal/append-event.ts';
import type { OpeningKeys, ReadingKeys } from './internal/opening-keys.ts';
import type { EntryPage } from './internal/binary-entries.ts';
import { readEntries, readPage } from './internal/read-entries.ts';
import { readHandovers } from './internal/verifier-keys.ts';
import { readCheckpoints, readMinimumIndex, readNewestCheckpoint, readTiles } from './internal/tree-store.ts';
import type { CheckedEntry, Finding, LogSource } from './log-source.ts';

/** Milliseconds an event may wait for its place while the sequencer runs every second. */
export const SEQUENCING_GRACE = 60_000;

/** Strays of one kind that are named one by one. */
const STRAYS_NAMED = 100;

/** Finds the entries of a page; `undefined` for a page that was lost on the way and has to be read again. */
export type PageCheck = (page: EntryPage, keys: ReadingKeys) => Promise<readonly CheckedEntry[] | undefined>;

/**
 * Each call is a short transaction of its own, so that a long verification holds nobody up. Run the sequencer before verifying a log whose
 * server was stopped: events that wait longer than `SEQUENCING_GRACE` are findings. `settle`: has entries account for what is gone, and gives every event its place.
 */
export function databaseLogSource(
  database: Database,
  clock: Clock,
  openings: OpeningKeys,
  settle: () => Promise<unknown>,
  check: PageCheck = (page, keys) => Promise.resolve(page.checked(keys)),
): LogSource {
  const read = <Result>(work: (transaction: Transaction) => Promise<Result>): Promise<Result> =>
    database.transaction(asSystem, work);
  async function checkedEntries(from: number, to: number): Promise<readonly CheckedEntry[]> {
    const readRows = () => read((transaction) => readPage(transaction, openings, from, to));
    const { page, keys } = await readRows();
    const entries = await check(page, keys);
    if (entries !== undefined) return entries;
    // Here: what a thread fails over must be met by whoever asked, and not be given to a thread for ever.
    const lost = await readRows();
    return lost.page.checked(lost.keys);
  }
  return {
    newestCheckpoint: () => read(readNewestCheckpoint),
    checkpoints: (after, upTo) => read((transaction) => readCheckpoints(transaction, after, upTo)),
    entries: (from, to) => read((transaction) => readEntries(transaction, openings, from, to)),
    checkedEntries,
    tiles: (places) => read((transaction) => readTiles(transaction, places)),
    handovers: () => read(readHandovers),
    minimumIndex: () => read(readMinimumIndex),
    async settled() {
      // A log that is damaged cannot be continued; that is what the verdict will say.
      await settle().catch(() => undefined);
    },
    strays: () => read((transaction) => readStrays(transaction, clock.now() - SEQUENCING_GRACE)),
  };
}

/** One statement, so that all of it is seen at one moment although the sequencer goes on. */
async function readStrays(transaction: Transaction, overdue: number): Promise<Finding[]> {
  const { rows } = await sql<{ place: string; what: string }>`
      with tree as materialized (select coalesce(max(size), 0) as size from audit_checkpoints)
      (select concat('event ', e.event_id) as place, 'it is stored but was never logged' as what
        from audit_events as e
        where not exists (select from audit_leaves as l where l.event_id = e.event_id) limit ${STRAYS_NAMED}::int)
      union all
      (select concat('event ', i.event::jsonb->>0), 'it waits for its place in the log for too long; does the sequencer run?'
        from audit_inbox as i where (i.event::jsonb->>1)::bigint < ${overdue * 1000} limit ${STRAYS_NAMED}::int)
      union all
      (select concat('event ', l.event_id), 'it waits although it was logged' from audit_inbox as i
        join audit_leaves as l on l.event_id = (i.event::jsonb->>0)::uuid limit ${STRAYS_NAMED}::int)
      union all
      (select concat('leaf ', l.index), 'no checkpoint covers it' from audit_leaves as l, tree
        where (l.index >= 0 and l.index < tree.size) is not true limit ${STRAYS_NAMED}::int)
      union all
      (select concat('tile ', t.level, '/', t.index), 'no checkpoint covers it' from audit_tiles as t, tree
        where (t.index >= 0 and t.level >= 0 and (t.index + 1) * power(256::numeric, t.level + 1) <= tree.size) is not true limit ${STRAYS_NAMED}::int)
      union all
      (select concat('checkpoint ', c.size), 'it covers nothing' from audit_checkpoints as c
        where (c.size > 0) is not true limit ${STRAYS_NAMED}::int)
      union all
      (select concat('event ', o.event_id, ', column ', o.field), 'a value is stored that belongs to no event' from audit_openings as o
        left join audit_events as e using (event_id)
        where e.event_id is null or o.field is distinct from ${ADDRESS_PREFIX}
          or o.tenant_id is distinct from e.tenant_id or o.subject is distinct from coalesce(e.actor, e.subjects[1]) limit ${STRAYS_NAMED}::int)
      union all
      (select concat('event ', o.event_id, ', column ', o.field), 'a value is stored about somebody who has no pseudonym any more'
        from audit_openings as o
        where o.subject is not null and not exists (select from audit_pseudonyms as p where p.pseudonym = o.subject)
        limit ${STRAYS_NAMED}::int)
      union all
      (select concat('key of ', k.person), 'it is not of the account that its pseudonym stands for' from audit_opening_keys as k
        left join audit_pseudonyms as p on p.pseudonym = k.person
        where p.account_id is distinct from k.account_id limit ${STRAYS_NAMED}::int)`.execute(transaction);
  return rows.map(({ place, what }) => ({ where: place, what }));
}
