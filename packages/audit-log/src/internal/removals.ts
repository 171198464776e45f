/** Entries whose content is gone, until an entry further on says that a retention run removed them. */
import type { EventColumns } from '../entry.ts';
import type { Finding } from '../log-source.ts';
import { readRun, RETENTION_RUN, RetentionRules, samePeriods } from '../retention.ts';
import { IndexSet } from './index-set.ts';

/** Named one by one at most: what a reader of findings can use. */
const NAMED = 1000;

export class Removals {
  readonly #absent = new IndexSet();
  readonly #rules = new RetentionRules();
  #removed = 0;

  /** Entries that a run accounts for. */
  get removed(): number {
    return this.#removed;
  }

  /** Entries that none accounts for so far. */
  get unaccounted(): number {
    return this.#absent.size;
  }

  note(index: number): void {
    this.#absent.add(index);
  }

  /**
   * Takes every entry in order, and returns what is wrong with it: a run had to obey what was in force when it was logged. `readBefore`: entries that
   * were read when the log was shorter, and may have been there then.
   */
  follow(index: number, event: EventColumns, readBefore: number): Finding[] {
    this.#rules.follow(event);
    if (event.type !== RETENTION_RUN || event.outcome !== 'success') return [];
    const where = `event ${index}`;
    const run = readRun(event);
    if (run === null || run.ranges.at(-1)!.to > index) {
      return [{ where, what: 'it does not say properly which entries were removed' }];
    }
    const findings: Finding[] = [];
    if (!samePeriods(run.periods, this.#rules.periods)) {
      findings.push({ where, what: 'entries were removed after other periods than those that were set' });
    }
    const respected = new Set(run.holds);
    for (const id of this.#rules.holds.keys()) {
      if (!respected.has(id)) findings.push({ where, what: `entries were removed without regard to the hold ${id}` });
    }
    for (const { from, to } of run.ranges) {
      for (let place = from; place < to; place += 1) {
        if (this.#absent.delete(place)) this.#removed += 1;
        else if (place >= readBefore && findings.length < NAMED) {
          findings.push({ where: `event ${place}`, what: 'a retention run removed it, and it is there' });
        }
      }
    }
    return findings;
  }

  /** At the end of the log. */
  *findings(): Iterable<Finding> {
    for (const index of this.#absent) yield { where: `event ${index}`, what: 'it was logged and is missing' };
  }
}
