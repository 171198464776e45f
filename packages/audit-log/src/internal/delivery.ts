/** One run of delivery: what is due goes out, batch by batch, and a sink's cursor moves only behind what was acknowledged. */
import { randomInt } from 'node:crypto';
import type { Encryption } from '@strongroom/encryption';
import type { Clock } from '@strongroom/kernel';
import type { AuditPort } from '@strongroom/pipeline';
import { asSystem, type Database, type Transaction } from '@strongroom/storage';
import type { EventCatalogue } from '../catalogue.ts';
import { parseCheckpoint } from '../checkpoint.ts';
import { parseNote } from '../signed-note.ts';
import { unrequestedEvent } from '../unrequested-event.ts';
import type { OpeningKeys } from './opening-keys.ts';
import { readEntries } from './read-entries.ts';
import { appendToFile } from './rotating-file.ts';
import { BATCH_BYTES, BATCH_EVENTS, sinkLines } from './sink-lines.ts';
import {
  acknowledge,
  type DeadLetter,
  fixBatch,
  giveUp,
  lockState,
  postpone,
  readDueLetters,
  readDueSinks,
  readSecret,
  settleLetter,
  type SinkState,
  type StoredSink,
} from './sink-store.ts';
import { readNewestCheckpoint } from './tree-store.ts';
import { sendToWebhook } from './webhook.ts';

/** Milliseconds before the second attempt; doubled after each failure, up to the longest. */
const FIRST_PAUSE = 5000;
const LONGEST_PAUSE = 3_600_000;

/** A batch is given up after both: an outage of a night is waited out, a batch that a receiver cannot take does not stop the rest for good. */
const ATTEMPTS = 10;
const GIVE_UP_AFTER = 24 * 3_600_000;

export const DELIVERY_JOB = 'audit-log.deliver';
export const DEAD_LETTER = 'audit.sink-dead-letter';

export interface DeliveryOptions {
  readonly database: Database;
  readonly encryption: Encryption;
  readonly clock: Clock;
  readonly auditLog: AuditPort & { readonly events: EventCatalogue; readonly openings: OpeningKeys };
  /** Version of the program, for OCSF. */
  readonly program: string;
}

interface Batch extends DeadLetter {
  readonly body: string;
  readonly secret: string;
}

/** The name of a batch, the same for each attempt: `webhook-id`. */
const batchId = ({ id }: StoredSink, { from, to }: DeadLetter): string => `${id}-${from}-${to}`;

/** Delivers to all sinks that are due, side by side. Returns how many events were acknowledged. */
export async function deliverDue(options: DeliveryOptions, signal: AbortSignal | undefined): Promise<number> {
  const { database, clock } = options;
  const due = await database.transaction(asSystem, (transaction) => readDueSinks(transaction, clock.now()));
  const runs = await Promise.allSettled(due.map((sink) => new SinkRun(options, sink, signal).run()));
  const failed = runs.find(({ status }) => status === 'rejected');
  if (failed?.status === 'rejected') throw failed.reason;
  return runs.reduce((sum, run) => sum + (run.status === 'fulfilled' ? run.value : 0), 0);
}

/** Sends to one sink; resolves with what was wrong, or null. */
export function send(
  sink: StoredSink,
  { id, secret, body, from }: { readonly id: string; readonly secret: string; readonly body: string; from: number },
  now: number,
  signal: AbortSignal | undefined,
): Promise<string | null> {
  if (sink.kind === 'webhook')
    return sendToWebhook({ url: sink.target, authorities: sink.authorities, secret, id, body, now }, signal);
  const { name, target: folder, rotateDaily, keepFiles } = sink;
  const rotateBytes = sink.rotateBytes ?? Number.MAX_SAFE_INTEGER;
  return appendToFile({ folder, name, rotateBytes, rotateDaily, keepFiles }, { from, body, now });
}

class SinkRun {
  readonly #options: DeliveryOptions;
  readonly #sink: StoredSink;
  readonly #signal: AbortSignal | undefined;

  constructor(options: DeliveryOptions, sink: StoredSink, signal: AbortSignal | undefined) {
    this.#options = options;
    this.#sink = sink;
    this.#signal = signal;
  }

  /** Dead letters that are to be tried again, then what waits, until nothing does or something fails. */
  async run(): Promise<number> {
    const { database } = this.#options;
    let count = 0;
    const letters = await database.transaction(asSystem, (transaction) => readDueLetters(transaction, this.#sink.id));
    for (const letter of letters) count += await this.#retry(letter);
    for (;;) {
      const delivered = await this.#next();
      if (delivered === 0) return count;
      count += delivered;
    }
  }

  async #retry(letter: DeadLetter): Promise<number> {
    const { database } = this.#options;
    const batch = await database.transaction(asSystem, (transaction) => this.#read(transaction, letter, Infinity));
    const problem = await this.#send(batch);
    await database.transaction(asSystem, (transaction) => settleLetter(transaction, this.#sink.id, letter, problem));
    return problem === null ? letter.to - letter.from : 0;
  }

  /** One batch. Returns how many events were acknowledged. */
  async #next(): Promise<number> {
    const { database, clock } = this.#options;
    const { id } = this.#sink;
    const begun = await database.transaction(asSystem, async (transaction) => {
      const state = await lockState(transaction, id);
      if (state === undefined || isWaiting(state, clock.now())) return null;
      const from = state.nextIndex;
      const end = state.batchEnd ?? Math.min(from + BATCH_EVENTS, state.size);
      if (end <= from) return null;
      const batch = await this.#read(transaction, { from, to: end }, BATCH_BYTES);
      if (state.batchEnd !== batch.to) await fixBatch(transaction, id, batch.to);
      return { state, batch };
    });
    if (begun === null) return 0;
    const { state, batch } = begun;
    const problem = await this.#send(batch);
    if (problem !== null) {
      await this.#failed(state, batch, problem);
      return 0;
    }
    await database.transaction(asSystem, (transaction) => acknowledge(transaction, id, batch, clock.now()));
    return batch.to - batch.from;
  }

  /** As much of the range as `limit` bytes hold. */
  async #read(transaction: Transaction, { from, to }: DeadLetter, limit: number): Promise<Batch> {
    const { auditLog, encryption, program } = this.#options;
    const newest = await readNewestCheckpoint(transaction);
    const { origin } = newest === null ? { origin: '' } : parseCheckpoint(parseNote(newest.note).text);
    const entries = await readEntries(transaction, auditLog.openings, from, to);
    const options = { ...this.#sink, events: auditLog.events, program, origin };
    const { body, taken } = sinkLines(entries, options, limit);
    const end = taken === entries.length ? to : entries[taken]!.index;
    return { from, to: end, body, secret: await readSecret(transaction, encryption, this.#sink) };
  }

  async #send(batch: Batch): Promise<string | null> {
    this.#signal?.throwIfAborted();
    if (batch.body === '') return null;
    const delivery = { ...batch, id: batchId(this.#sink, batch) };
    const problem = await send(this.#sink, delivery, this.#options.clock.now(), this.#signal);
    // Broken off by us: no failure of the receiver, and nothing is known of what arrived.
    if (problem !== null) this.#signal?.throwIfAborted();
    return problem;
  }

  async #failed(state: SinkState, batch: DeadLetter, problem: string): Promise<void> {
    const { database, clock, auditLog } = this.#options;
    const { id } = this.#sink;
    const now = clock.now();
    const failures = state.failures + 1;
    const failingSince = state.failingSince ?? new Date(now);
    if (failures < ATTEMPTS || now - failingSince.getTime() < GIVE_UP_AFTER) {
      const nextAttempt = new Date(now + pauseAfter(failures));
      await database.transaction(asSystem, (transaction) =>
        postpone(transaction, id, { failures, failingSince, nextAttempt, problem }),
      );
      return;
    }
    await database.transaction(asSystem, async (transaction) => {
      await giveUp(transaction, id, batch, problem, now);
      const event = {
        type: DEAD_LETTER,
        outcome: 'failure',
        reason: 'audit-log.undelivered',
        object: { type: 'audit-sink', id },
        details: { sink: this.#sink.name, from: batch.from, to: batch.to, problem },
      } as const;
      await auditLog.append(transaction, unrequestedEvent({ kind: 'system', job: DELIVERY_JOB }, now, event));
    });
    auditLog.committed();
  }
}

const isWaiting = ({ nextAttempt }: SinkState, now: number): boolean =>
  nextAttempt !== null && nextAttempt.getTime() > now;

/** Between half and all of the pause, so that senders that failed together do not come back together. */
function pauseAfter(failures: number): number {
  const pause = Math.min(FIRST_PAUSE * 2 ** (failures - 1), LONGEST_PAUSE);
  return randomInt(Math.ceil(pause / 2), pause + 1);
}
