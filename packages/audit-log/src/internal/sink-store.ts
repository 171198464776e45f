/** The tables of the sinks. All of it is for the role of jobs and operators. */
import type { Encryption } from '@strongroom/encryption';
import type { Transaction } from '@strongroom/storage';
import { sql } from 'kysely';

export interface StoredSink {
  readonly id: string;
  readonly name: string;
  readonly kind: 'webhook' | 'file';
  readonly format: 'jsonl' | 'ocsf';
  readonly target: string;
  readonly withAddresses: boolean;
  /** Null for webhooks. */
  readonly rotateBytes: number | null;
  readonly rotateDaily: boolean;
  /** Null: all. */
  readonly keepFiles: number | null;
  /** Who vouches for the certificate of a webhook, in PEM; null: the authorities that Node knows. */
  readonly authorities: string | null;
}

export interface SinkState {
  /** Place of the first event that was not acknowledged. */
  readonly nextIndex: number;
  /** End of the batch that is under way or being tried again. */
  readonly batchEnd: number | null;
  readonly failures: number;
  readonly failingSince: Date | null;
  readonly nextAttempt: Date | null;
  readonly problem: string | null;
  readonly deliveredAt: Date | null;
}

export interface SinkOverview extends StoredSink, SinkState {
  /** Entries that are logged and not yet delivered. */
  readonly eventsBehind: number;
  /** When the oldest of them happened. */
  readonly oldest: Date | null;
  readonly deadBatches: number;
  readonly deadEvents: number;
}

export interface DeadLetter {
  readonly from: number;
  readonly to: number;
}

const sinkColumns = sql`s.sink_id as id, s.name, s.kind, s.format, s.target, s.with_addresses as "withAddresses",
  s.rotate_bytes as "rotateBytes", s.rotate_daily as "rotateDaily", s.keep_files as "keepFiles", s.authorities`;
const stateColumns = sql`t.next_index as "nextIndex", t.batch_end as "batchEnd", t.failures, t.failing_since as "failingSince",
  t.next_attempt as "nextAttempt", t.problem, t.delivered_at as "deliveredAt"`;
/** Only what is signed is delivered. */
const logSize = sql`(select coalesce(max(size), 0) from audit_checkpoints)`;

const secretPlace = (id: string) => ({
  tenant: null,
  table: 'audit_sink_states',
  column: 'secret',
  row: id,
  subject: null,
});

export async function readSinks(transaction: Transaction): Promise<readonly SinkOverview[]> {
  const { rows } = await sql<SinkOverview>`
    select ${sinkColumns}, ${stateColumns}, greatest(log.size - t.next_index, 0) as "eventsBehind",
      (select e.occurred_at from audit_leaves as l join audit_events as e using (event_id)
        where l.index >= t.next_index and l.index < log.size order by l.index limit 1) as oldest,
      (select count(*) from audit_dead_letters as d where d.sink_id = s.sink_id) as "deadBatches",
      (select coalesce(sum(d.to_index - d.from_index), 0)::bigint from audit_dead_letters as d where d.sink_id = s.sink_id) as "deadEvents"
    from audit_sinks as s join audit_sink_states as t using (sink_id), (select ${logSize} as size) as log
    order by s.name`.execute(transaction);
  return rows;
}

/** Undefined when there is none of that name. */
export async function readSink(transaction: Transaction, name: string): Promise<StoredSink | undefined> {
  const { rows } = await sql<StoredSink>`
    select ${sinkColumns} from audit_sinks as s where s.name = ${name}`.execute(transaction);
  return rows[0];
}

/** Sinks that have something to deliver and are not waiting after a failure. */
export async function readDueSinks(transaction: Transaction, now: number): Promise<readonly StoredSink[]> {
  const { rows } = await sql<StoredSink>`
    select ${sinkColumns} from audit_sinks as s join audit_sink_states as t using (sink_id)
    where (t.next_attempt is null or t.next_attempt <= ${new Date(now)})
      and (t.next_index < ${logSize}
        or exists (select from audit_dead_letters as d where d.sink_id = s.sink_id and d.is_due))
    order by s.name`.execute(transaction);
  return rows;
}

/** Locks the state, so that two that deliver do not begin different batches. Undefined when the sink was removed meanwhile. */
export async function lockState(
  transaction: Transaction,
  id: string,
): Promise<(SinkState & { readonly size: number }) | undefined> {
  const { rows } = await sql<SinkState & { size: number }>`
    select ${stateColumns}, ${logSize} as size from audit_sink_states as t where t.sink_id = ${id} for update`.execute(
    transaction,
  );
  return rows[0];
}

export async function readSecret(
  transaction: Transaction,
  encryption: Encryption,
  { id, kind }: StoredSink,
): Promise<string> {
  if (kind === 'file') return '';
  const { rows } = await sql<{ secret: Uint8Array }>`
    select secret from audit_sink_states where sink_id = ${id}`.execute(transaction);
  const keys = await encryption.subjects(transaction, []);
  return keys.openText(secretPlace(id), rows[0]!.secret);
}

/** `from`: place of the first event to deliver; null for the next one. False when the name is taken. */
export async function insertSink(
  transaction: Transaction,
  encryption: Encryption,
  sink: StoredSink,
  more: { readonly secret: string | null; readonly from: number | null; readonly now: number },
): Promise<boolean> {
  const { rows } = await sql`
    insert into audit_sinks (sink_id, name, kind, format, target, with_addresses, rotate_bytes, rotate_daily, keep_files, authorities, added_at)
    values (${sink.id}, ${sink.name}, ${sink.kind}, ${sink.format}, ${sink.target}, ${sink.withAddresses},
      ${sink.rotateBytes}, ${sink.rotateDaily}, ${sink.keepFiles}, ${sink.authorities}, ${new Date(more.now)})
    on conflict (name) do nothing returning sink_id`.execute(transaction);
  if (rows.length === 0) return false;
  const keys = await encryption.subjects(transaction, []);
  const secret = more.secret === null ? null : keys.seal(secretPlace(sink.id), more.secret);
  await sql`insert into audit_sink_states (sink_id, secret, next_index)
    values (${sink.id}, ${secret}, coalesce(${more.from}::bigint, ${logSize}))`.execute(transaction);
  return true;
}

export async function deleteSink(transaction: Transaction, id: string): Promise<void> {
  await sql`delete from audit_dead_letters where sink_id = ${id}`.execute(transaction);
  await sql`delete from audit_sink_states where sink_id = ${id}`.execute(transaction);
  await sql`delete from audit_sinks where sink_id = ${id}`.execute(transaction);
}

/** A batch keeps its end, and with it its name, until it was acknowledged or given up. */
export async function fixBatch(transaction: Transaction, id: string, end: number): Promise<void> {
  await sql`update audit_sink_states set batch_end = ${end} where sink_id = ${id}`.execute(transaction);
}

/** Moves the cursor, unless somebody else did. */
export async function acknowledge(
  transaction: Transaction,
  id: string,
  { from, to }: DeadLetter,
  now: number,
): Promise<void> {
  await sql`update audit_sink_states set next_index = ${to}, batch_end = null, failures = 0, failing_since = null,
      next_attempt = null, problem = null, delivered_at = ${new Date(now)}
    where sink_id = ${id} and next_index = ${from}`.execute(transaction);
}

export async function postpone(
  transaction: Transaction,
  id: string,
  failure: {
    readonly failures: number;
    readonly failingSince: Date;
    readonly nextAttempt: Date;
    readonly problem: string;
  },
): Promise<void> {
  await sql`update audit_sink_states set failures = ${failure.failures}, failing_since = ${failure.failingSince},
      next_attempt = ${failure.nextAttempt}, problem = ${failure.problem}
    where sink_id = ${id}`.execute(transaction);
}

/** Sets the batch aside and goes on behind it. */
export async function giveUp(
  transaction: Transaction,
  id: string,
  { from, to }: DeadLetter,
  problem: string,
  now: number,
): Promise<void> {
  await sql`insert into audit_dead_letters (sink_id, from_index, to_index, problem, dead_at)
    values (${id}, ${from}, ${to}, ${problem}, ${new Date(now)})`.execute(transaction);
  await sql`update audit_sink_states set next_index = ${to}, batch_end = null, failures = 0, failing_since = null,
      next_attempt = null, problem = ${problem}
    where sink_id = ${id}`.execute(transaction);
}

/** Has dead letters delivered once more, and whatever waits at once. Returns how many dead letters. */
export async function makeDue(transaction: Transaction, id: string): Promise<number> {
  await sql`update audit_sink_states set next_attempt = null where sink_id = ${id}`.execute(transaction);
  const { rows } = await sql`update audit_dead_letters set is_due = true where sink_id = ${id}
    returning from_index`.execute(transaction);
  return rows.length;
}

export async function readDueLetters(transaction: Transaction, id: string): Promise<readonly DeadLetter[]> {
  const { rows } = await sql<DeadLetter>`
    select from_index as "from", to_index as "to" from audit_dead_letters
    where sink_id = ${id} and is_due order by from_index`.execute(transaction);
  return rows;
}

/** `problem`: null once it was delivered after all. */
export async function settleLetter(
  transaction: Transaction,
  id: string,
  { from }: DeadLetter,
  problem: string | null,
): Promise<void> {
  if (problem === null) {
    await sql`delete from audit_dead_letters where sink_id = ${id} and from_index = ${from}`.execute(transaction);
  } else {
    await sql`update audit_dead_letters set is_due = false, problem = ${problem}
      where sink_id = ${id} and from_index = ${from}`.execute(transaction);
  }
}
