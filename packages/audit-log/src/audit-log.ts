/** The audit log: events in the caller's transaction, sequencing beside it. */
import type { Encryption } from '@strongroom/encryption';
import type { Clock, RequestContext, Uuid } from '@strongroom/kernel';
import type { AuditEvent, AuditPort } from '@strongroom/pipeline';
import { asSystem, type Database, type Transaction } from '@strongroom/storage';
import type { EventCatalogue } from './catalogue.ts';
import { databaseLogSource, type PageCheck } from './database-source.ts';
import { AuditLogError } from './errors.ts';
import { appendEvent } from './internal/append-event.ts';
import { OpeningKeys } from './internal/opening-keys.ts';
import { PageThreads } from './internal/page-threads.ts';
import { Pseudonyms } from './internal/pseudonyms.ts';
import { redactErased } from './internal/redact-erased.ts';
import { type KeyRotation, rotateKeys } from './internal/rotate-keys.ts';
import { redactSubject, type Redaction } from './internal/redact-subject.ts';
import { isWaiting } from './internal/inbox.ts';
import {
  previewRetention,
  removeExpired,
  RETENTION_BATCH,
  type RetentionPreview,
  type RunActor,
} from './internal/remove-expired.ts';
import { SEALED_AT_ONCE, sealOpenings } from './internal/seal-openings.ts';
import { BATCH, sequenceBatch, type SequencerState } from './internal/sequencer.ts';
import { gatherCosignatures, type Witnessing } from './internal/witnessing.ts';
import { readVerifierKeys } from './internal/verifier-keys.ts';
import type { LogSource } from './log-source.ts';
import { KEY_ROTATION } from './entry.ts';
import { RETENTION_RUN } from './retention.ts';
import { type Verdict, verifyLog, type VerifyOptions } from './verify-log.ts';

export interface AuditLogOptions {
  readonly clock: Clock;
  readonly database: Database;
  readonly encryption: Encryption;
  /** The types that may be written: `catalogue(manifests)`. */
  readonly events: EventCatalogue;
  /** Makes the job `audit-log.sequence` run soon. */
  readonly nudge: () => void;
}

export interface AuditLog extends AuditPort {
  /**
   * Writes the event in the caller's transaction. Throws `audit-log.undeclared-event`, `audit-log.person-in-details` or
   * `audit-log.event-too-large`, `audit-log.reserved-event`, and then nothing of the transaction may be committed.
   */
  append(transaction: Transaction, event: AuditEvent): Promise<void>;
  committed(): void;
  /**
   * Gives every committed event its place and signs. Returns how many. At most one caller on all replicas works at a time. Throws
   * `audit-log.damaged` when the stored tree is not the one signed last.
   */
  sequence(signal?: AbortSignal): Promise<number>;
  /** The types that may be written. */
  readonly events: EventCatalogue;
  /** Verifier keys (C2SP vkeys), all of which sign every checkpoint; empty before the first event was sequenced. */
  verifierKeys(): Promise<readonly string[]>;
  /**
   * Makes new signing keys, for whom the former ones vouch: an entry names both, and the checkpoint that ends with it is signed by both. The private halves of
   * the former keys are deleted. Throws `audit-log.no-checkpoint` before anything was logged, and `audit-log.damaged`.
   */
  rotateKeys(via: 'administrator-socket' | 'command-line'): Promise<KeyRotation>;
  /**
   * Forgets a person in the caller's transaction, whatever its scope: pseudonym and address prefixes are deleted, and an event that
   * says so is written to every tenant with traces of them. Hashes and proofs stay what they are. What the same transaction records about the account afterwards goes
   * under the former pseudonym, without an address. Returns how many values were deleted; null when the log knew nobody by that id.
   */
  redactSubject(transaction: Transaction, account: Uuid, context?: RequestContext): Promise<Redaction | null>;
  /**
   * Forgets, in the caller's transaction, those of the people whose keys were destroyed: what is stored about them opens no more, and an event has to say so. Of
   * everybody the log knows when `accounts` is absent. Returns how many people.
   */
  redactErased(transaction: Transaction, accounts?: readonly Uuid[]): Promise<number>;
  /** Encrypts what was stored in the clear by versions before openings were encrypted. Returns how many values. */
  sealOpenings(signal?: AbortSignal): Promise<number>;
  /** Opens what events commit to. */
  readonly openings: OpeningKeys;
  /**
   * Asks the witnesses of the policy to cosign the newest checkpoint; null while there is no policy or no checkpoint. What a witness answers
   * wrongly or not at all is told, not thrown.
   */
  witness(signal?: AbortSignal): Promise<Witnessing | null>;
  /**
   * Removes the content of events that are older than the period of their type and not on hold, a batch at a time; each batch is an entry of the log that names
   * what it removed. Leaf hashes and tiles stay. Returns how many events were removed. Throws `audit-log.damaged` rather than remove an event that is not as it was logged.
   */
  applyRetention(actor: RunActor, signal?: AbortSignal): Promise<number>;
  /** What `applyRetention` would remove now. */
  previewRetention(): Promise<RetentionPreview>;
  /** Everything that is stored, for `verifyLog`. */
  source(): LogSource;
  /** `verifyLog` of everything that is stored; of a long log in several threads. */
  verify(options: VerifyOptions): Promise<Verdict>;
}

/**
 * Milliseconds between a commit and the nudge: commits close to each other share one batch and one signature. Under load there are four batches a
 * second, each of which keeps PGlite's one session from others; events have two seconds to be signed.
 */
const NUDGE_DELAY = 250;

export function createAuditLog(options: AuditLogOptions): AuditLog {
  const { clock, database, encryption, events, nudge } = options;
  const openings = new OpeningKeys(encryption);
  const people = { events, pseudonyms: new Pseudonyms(), openings };
  let state: SequencerState | undefined;
  let running: Promise<number> = Promise.resolve(0);
  let timer: NodeJS.Timeout | undefined;
  /** By address: what each witness cosigned last, as far as this process knows. */
  const cosignedSizes = new Map<string, number>();

  async function drain(signal: AbortSignal | undefined): Promise<number> {
    if (!(await database.transaction(asSystem, isWaiting))) return 0;
    let total = 0;
    for (;;) {
      signal?.throwIfAborted();
      const batch = await database.transaction(asSystem, (transaction) =>
        sequenceBatch(transaction, encryption, clock.now(), state),
      );
      // Only now: a transaction that rolled back must leave nothing behind, here either.
      state = batch.state;
      total += batch.sequenced;
      if (batch.sequenced < BATCH) return total;
    }
  }

  function sequence(signal?: AbortSignal): Promise<number> {
    // The advisory lock keeps other replicas out; within this process, and on PGlite, this queue does.
    running = running.catch(() => 0).then(() => drain(signal));
    return running;
  }

  const forgetErased = (transaction: Transaction, accounts?: readonly Uuid[]) =>
    redactErased(transaction, { encryption, people, now: clock.now() }, accounts);

  async function settle(): Promise<void> {
    // Between the destruction of somebody's keys and the entry that says so are a moment or a crash.
    await database.transaction(asSystem, (transaction) => forgetErased(transaction));
    await sequence();
  }

  const source = (check?: PageCheck) => databaseLogSource(database, clock, openings, settle, check);

  async function retain(actor: RunActor, signal: AbortSignal | undefined): Promise<number> {
    // Periods and holds that were set before must have their place: a run obeys what stands in the log.
    await drain(signal);
    let total = 0;
    for (;;) {
      signal?.throwIfAborted();
      const run = { events, now: clock.now(), actor };
      const batch = await database.transaction(asSystem, (transaction) =>
        removeExpired(transaction, encryption, run, state),
      );
      state = batch.state;
      total += batch.removed;
      if (batch.removed < RETENTION_BATCH) return total;
    }
  }

  return {
    async append(transaction, event) {
      if (!events.has(event.type)) {
        throw new AuditLogError('audit-log.undeclared-event', { detail: `"${event.type}"` });
      }
      if (event.type === RETENTION_RUN || event.type === KEY_ROTATION)
        throw new AuditLogError('audit-log.reserved-event');
      await appendEvent(transaction, people, event, clock.now());
    },
    committed() {
      if (timer !== undefined) return;
      timer = setTimeout(() => {
        timer = undefined;
        nudge();
      }, NUDGE_DELAY);
      // Losing a nudge at exit costs nothing: the job runs every second and at every start.
      timer.unref();
    },
    sequence,
    applyRetention(actor, signal) {
      running = running.catch(() => 0).then(() => retain(actor, signal));
      return running;
    },
    rotateKeys(via) {
      const rotation = running
        .catch(() => 0)
        .then(async () => {
          await drain(undefined);
          const rotated = await database.transaction(asSystem, (transaction) =>
            rotateKeys(transaction, encryption, { now: clock.now(), via }, state),
          );
          state = rotated.state;
          return rotated.rotation;
        });
      running = rotation.then(() => 0);
      running.catch(() => undefined);
      return rotation;
    },
    previewRetention: () =>
      database.transaction(asSystem, (transaction) => previewRetention(transaction, events, clock.now())),
    events,
    verifierKeys: () => database.transaction(asSystem, readVerifierKeys),
    witness: (signal) => gatherCosignatures(database, source(), cosignedSizes, signal),
    redactSubject: (transaction, account, context) => redactSubject(transaction, people, account, clock.now(), context),
    redactErased: forgetErased,
    async sealOpenings(signal) {
      let total = 0;
      for (;;) {
        signal?.throwIfAborted();
        const sealed = await database.transaction(asSystem, (transaction) =>
          sealOpenings(transaction, openings, clock.now()),
        );
        total += sealed;
        if (sealed < SEALED_AT_ONCE) return total;
      }
    },
    openings,
    source: () => source(),
    async verify(verifyOptions) {
      const newest = await source().newestCheckpoint();
      const threads = new PageThreads(newest?.columns?.size ?? 0);
      try {
        return await verifyLog(
          source((page, keys) => threads.check(page, keys)),
          verifyOptions,
        );
      } finally {
        await threads.stop();
      }
    },
  };
}
