/** Cosignatures for the own checkpoints: which policy holds, who is asked, and what they answered. */
import { newUuid } from '@strongroom/kernel';
import { asSystem, type Database, type Transaction } from '@strongroom/storage';
import { sql } from 'kysely';
import { cosignatureReader, parseCheckpoint } from '../checkpoint.ts';
import type { LogSource, StoredCheckpoint } from '../log-source.ts';
import { HASH_LENGTH } from '../merkle.ts';
import { AuditLogError } from '../errors.ts';
import { type Policy, parsePolicy } from '../policy.ts';
import { createConsistencyProof, nodesFromTiles } from '../proofs.ts';
import { formatNote, formatVerifierKey, MAXIMUM_SIGNATURES, parseNote, type VerifierKey } from '../signed-note.ts';
import { type Cosignature, requestCosignatures } from '../witness-client.ts';

/** Milliseconds a witness has to answer. */
const PATIENCE = 5000;

/** At most, on a checkpoint with which the keys change. */
const OWN_SIGNATURES = 4;

interface WitnessProblem {
  readonly witness: string;
  readonly problem: string;
}

export interface Witnessing {
  /** Entries under the newest checkpoint, and how many of them are under one that a quorum cosigned. */
  readonly size: number;
  readonly witnessedSize: number;
  /** Witnesses that did not cosign this time, and why. */
  readonly problems: readonly WitnessProblem[];
}

/** Null when none was set, or it was taken away again. */
export async function readWitnessPolicy(transaction: Transaction): Promise<string | null> {
  const { rows } = await sql<{ policy: string }>`
    select policy from audit_witness_policies order by policy_id desc limit 1`.execute(transaction);
  const policy = rows[0]?.policy ?? '';
  return policy === '' ? null : policy;
}

/** Throws `audit-log.invalid-policy`, also for a witness without an address, which could not be asked, and for more keys than a note can have signatures. */
export async function writeWitnessPolicy(transaction: Transaction, policy: string | null, now: number): Promise<void> {
  if (policy !== null) {
    const { witnesses } = parsePolicy(policy);
    if (witnesses.some(({ url }) => url === null || !/^https?:\/\//.test(url) || !URL.canParse(url))) {
      throw new AuditLogError('audit-log.invalid-policy', { detail: 'Each witness needs an http or https address.' });
    }
    if (witnesses.length > MAXIMUM_SIGNATURES - OWN_SIGNATURES) {
      throw new AuditLogError('audit-log.invalid-policy', { detail: 'These are more witnesses than a note can name.' });
    }
  }
  await sql`insert into audit_witness_policies (policy_id, policy, set_at)
    values (${newUuid(now)}, ${policy ?? ''}, ${new Date(now)})`.execute(transaction);
}

/** Asks every witness of the policy that has not yet cosigned the newest checkpoint. Nothing is held while they answer. */
export async function gatherCosignatures(
  database: Database,
  source: LogSource,
  known: Map<string, number>,
  signal: AbortSignal | undefined,
): Promise<Witnessing | null> {
  const text = await database.transaction(asSystem, readWitnessPolicy);
  const newest = text === null ? null : await source.newestCheckpoint();
  if (text === null || newest === null) return null;
  const policy = parsePolicy(text);
  const { text: body, signatures } = parseNote(newest.note);
  const checkpoint = parseCheckpoint(body);
  // What others cosigned is nothing to a witness, and may be more than it accepts.
  const note = formatNote(
    body,
    signatures.filter(({ name }) => name === checkpoint.origin),
  );
  const cosigned = await keysThatCosigned(newest.note, policy);
  const nodes = nodesFromTiles(checkpoint.size, async (level, index, width) => {
    const [tile] = await source.tiles([{ level, index, width }]);
    if (tile?.hashes.length !== width * HASH_LENGTH) throw new AuditLogError('audit-log.unknown-tile');
    return tile.hashes;
  });
  const problems: WitnessProblem[] = [];
  const gathered = await Promise.all(
    [...addresses(policy)].map(async ([url, keys]): Promise<readonly Cosignature[]> => {
      if (keys.every((key) => isAmong(cosigned, key))) return [];
      const timeout = AbortSignal.timeout(PATIENCE);
      try {
        const cosignatures = await requestCosignatures({
          url,
          keys,
          note,
          lastSize: Math.min(known.get(url) ?? 0, checkpoint.size),
          prove: (older) => createConsistencyProof(nodes, older, checkpoint.size),
          signal: signal === undefined ? timeout : AbortSignal.any([timeout, signal]),
        });
        known.set(url, checkpoint.size);
        return cosignatures;
      } catch (error) {
        if (!(error instanceof AuditLogError)) throw error;
        known.delete(url);
        problems.push({ witness: url, problem: error.message });
        return [];
      }
    }),
  );
  // Those of a former policy may still be there, and a note with too many signatures would be none.
  const fresh = gathered.flat().slice(0, MAXIMUM_SIGNATURES - signatures.length);
  const isWitnessed = policy.isQuorum([...cosigned, ...fresh.map(({ key }) => key)]);
  if (fresh.length > 0) {
    await database.transaction(asSystem, (transaction) => storeCosignatures(transaction, newest, note, fresh));
  }
  const earlier = isWitnessed ? checkpoint.size : await witnessedSize(source, policy, checkpoint.size);
  return { size: checkpoint.size, witnessedSize: earlier, problems };
}

/** One submission for each address, whatever number of its keys the policy lists. */
function addresses(policy: Policy): ReadonlyMap<string, readonly VerifierKey[]> {
  const byUrl = Map.groupBy(policy.witnesses, ({ url }) => url ?? '');
  return new Map([...byUrl].map(([url, witnesses]) => [url, witnesses.map(({ key }) => key)]));
}

async function keysThatCosigned(note: string, policy: Policy): Promise<readonly VerifierKey[]> {
  const reader = await cosignatureReader(policy.witnesses.map(({ key }) => key));
  return (await reader.read(note)).map(({ key }) => key);
}

const isAmong = (keys: readonly VerifierKey[], key: VerifierKey): boolean =>
  keys.some((other) => formatVerifierKey(other) === formatVerifierKey(key));

async function witnessedSize(source: LogSource, policy: Policy, size: number): Promise<number> {
  let largest = 0;
  for (const { note } of await source.checkpoints(0, size)) {
    const cosigned = await keysThatCosigned(note, policy);
    if (policy.isQuorum(cosigned)) largest = parseCheckpoint(parseNote(note).text).size;
  }
  return largest;
}

/** Milliseconds: the sequencer keeps one checkpoint of each. */
const HOUR = 3_600_000;

/**
 * The sequencer may have replaced the checkpoint meanwhile; a cosigned one is worth keeping, so it is put back, as `own`: signed by the log alone. Of those cosigned in the same
 * hour, only the newest is kept.
 */
async function storeCosignatures(
  transaction: Transaction,
  { columns }: StoredCheckpoint,
  own: string,
  cosignatures: readonly Cosignature[],
): Promise<void> {
  if (columns === undefined) return;
  const { size, root } = columns;
  const signedAt = columns.signedAt / 1000;
  await sql`insert into audit_checkpoints (size, root, signed_at, note)
    values (${size}, ${root}, ${new Date(signedAt)}, ${own}) on conflict (size) do nothing`.execute(transaction);
  for (const { key, line } of cosignatures) {
    // Name and id together are what names a key (signed-note); an id alone can be made to be that of another witness.
    await sql`insert into audit_cosignatures (size, key_id, line) values (${size}, ${`${key.name}+${key.id}`}, ${line})
      on conflict do nothing`.execute(transaction);
  }
  await sql`delete from audit_checkpoints as c where c.size < ${size} and c.signed_at >= ${new Date(signedAt - (signedAt % HOUR))}
    and exists (select from audit_cosignatures as s where s.size = c.size)`.execute(transaction);
  await sql`delete from audit_cosignatures as s
    where not exists (select from audit_checkpoints as c where c.size = s.size)`.execute(transaction);
}
