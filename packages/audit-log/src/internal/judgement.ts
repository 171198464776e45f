/** What a verification knows beside the log itself, what it found, and the standing that follows. */
import { equalBytes } from '@strongroom/kernel';
import { type CosignatureReader, cosignatureReader, type VerifiedCheckpoint } from '../checkpoint.ts';
import { type EventColumns, KEY_ROTATION } from '../entry.ts';
import { followKeys, type Succession } from '../key-succession.ts';
import type { Policy } from '../policy.ts';
import { parseVerifierKey } from '../signed-note.ts';
import { Findings } from './findings.ts';

/** A checkpoint a client saw and verified before: what reveals that a log was cut or rewritten. */
export interface RememberedCheckpoint {
  readonly size: number;
  readonly root: Uint8Array;
}

/**
 * - `INVALID`: something does not fit the signed tree, or is not signed;
 * - `DIVERGED`: it is sound by itself and contradicts a checkpoint that was seen elsewhere, or that the log signed before;
 * - `UNANCHORED`: it is sound, and only the log itself vouches for it;
 * - `WITNESSED`: it is sound, and a quorum of the policy's witnesses cosigned a checkpoint of it.
 */
export type Standing = 'INVALID' | 'DIVERGED' | 'UNANCHORED' | 'WITNESSED';

/** What a log is judged by. */
export interface Yardstick {
  /** Verifier keys of the log (C2SP vkeys). Every one of them must have signed, or its announced successor. */
  readonly keys: readonly string[];
  /** Origin of the log, where it is not the name of its keys. */
  readonly origin?: string | undefined;
  /** Changes of the keys, in addition to what the log itself shows of them: C2SP tlog-proofs (key-succession.ts). */
  readonly handovers?: readonly string[] | undefined;
  readonly remembered?: RememberedCheckpoint;
  /** Checkpoints of this log that came from elsewhere, as signed notes: from a witness, a mailing list, another Strongroom. */
  readonly seen?: readonly string[];
  /** Which witnesses count. Without it nothing is `WITNESSED`. */
  readonly policy?: Policy;
}

/** A root that the log must have had at some size, and who says so. */
export interface StatedRoot {
  readonly root: Uint8Array;
  readonly where: string;
}

export class Judgement {
  readonly verifier: Succession;
  readonly findings = new Findings();
  readonly #cosigners: CosignatureReader;
  readonly #policy: Policy | undefined;
  /** What was seen elsewhere, by size. */
  readonly #elsewhere = new Map<number, StatedRoot[]>();
  #reports = 0;
  /** Of the reports, those that say the log contradicts what it showed elsewhere. */
  #divergences = 0;
  #witnessedSize = 0;

  private constructor(verifier: Succession, cosigners: CosignatureReader, policy: Policy | undefined) {
    this.verifier = verifier;
    this.#cosigners = cosigners;
    this.#policy = policy;
  }

  /** Throws `audit-log.invalid-key`, and `audit-log.invalid-note` for a note from elsewhere that this log did not sign: it says nothing about it. */
  static async by({ keys, origin, handovers = [], policy, remembered, seen = [] }: Yardstick): Promise<Judgement> {
    const verifier = await followKeys(keys.map(parseVerifierKey), [...new Set(handovers)], origin);
    const cosigners = await cosignatureReader(policy?.witnesses.map(({ key }) => key) ?? []);
    const judgement = new Judgement(verifier, cosigners, policy);
    for (const problem of verifier.problems) judgement.report('keys', problem);
    for (const checkpoint of verifier.handovers) {
      judgement.#expect(checkpoint, `checkpoint ${checkpoint.size}, with which the keys changed`);
    }
    if (remembered !== undefined) judgement.#expect(remembered, `remembered checkpoint ${remembered.size}`);
    for (const note of seen) {
      const checkpoint = await judgement.verify(note);
      judgement.#expect(checkpoint, `checkpoint ${checkpoint.size} seen elsewhere`);
    }
    return judgement;
  }

  get witnessedSize(): number {
    return this.#witnessedSize;
  }

  get standing(): Standing {
    if (this.#reports > this.#divergences) return 'INVALID';
    if (this.#divergences > 0) return 'DIVERGED';
    return this.#witnessedSize > 0 ? 'WITNESSED' : 'UNANCHORED';
  }

  report(where: string, what: string): void {
    this.#reports += 1;
    this.findings.report(where, what);
  }

  /** The log may be sound in itself and still not be the one that somebody else was shown. */
  diverges(where: string, what: string): void {
    this.#divergences += 1;
    this.report(where, what);
  }

  /** Signed by the log, and noted when by enough witnesses. Throws `audit-log.invalid-note`. */
  async verify(note: string): Promise<VerifiedCheckpoint> {
    const checkpoint = await this.verifier.verify(note);
    if (this.#policy !== undefined) {
      const cosigned = await this.#cosigners.read(note);
      if (this.#policy.isQuorum(cosigned.map(({ key }) => key))) {
        this.#witnessedSize = Math.max(this.#witnessedSize, checkpoint.size);
      }
    }
    return checkpoint;
  }

  /** An entry of the log that changes the keys must be the one by which this verification changed its own. */
  followKeys(index: number, { type, outcome }: EventColumns): void {
    if (type !== KEY_ROTATION || outcome !== 'success') return;
    if (this.verifier.handovers.some(({ size }) => size === index + 1)) return;
    this.report(`event ${index}`, 'it changes the keys of the log, and nothing shows that they were handed over');
  }

  /** Sizes with `after` < size ≤ `upTo` at which a root was stated elsewhere. */
  statedElsewhere(after: number, upTo: number): Map<number, StatedRoot[]> {
    const within = [...this.#elsewhere].filter(([size]) => size > after && size <= upTo);
    return new Map(within.map(([size, stated]) => [size, [...stated]]));
  }

  /** `root`: of the entries, at the size of which `stated` speaks. */
  compare(stated: readonly StatedRoot[], root: Uint8Array): void {
    for (const { root: expected, where } of stated) {
      // Signed by the log or seen before, so this log has shown two histories; unless entries were changed, which is reported as well.
      if (!equalBytes(root, expected)) this.diverges(where, 'its root is not that of the entries');
    }
  }

  /** A log never gets smaller. */
  compareSizes(size: number): void {
    for (const seen of this.#elsewhere.keys()) {
      if (seen <= size) continue;
      this.diverges(
        `checkpoint ${size}`,
        `the log was cut: a checkpoint over ${seen} entries was verified before, now it has ${size}`,
      );
    }
  }

  #expect({ size, root }: RememberedCheckpoint, where: string): void {
    this.#elsewhere.set(size, [...(this.#elsewhere.get(size) ?? []), { root, where }]);
  }
}
