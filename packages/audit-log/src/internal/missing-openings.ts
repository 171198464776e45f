/** Openings that are gone, until an entry further on says that somebody they were closed with was forgotten. */
import type { EventColumns } from '../entry.ts';
import { holdersOf, REDACTION } from '../entry.ts';
import type { Finding } from '../log-source.ts';

/** Places remembered for each group of people. */
const PLACES = 8;

interface Missing {
  readonly places: number[];
  count: number;
}

/** Memory grows with the number of people, and of groups named together, not with the log. */
export class MissingOpenings {
  /** By those whose erasure explains it. */
  readonly #missing = new Map<string, Missing>();
  /** By person, the groups they belong to. */
  readonly #groups = new Map<string, Set<string>>();
  #redacted = 0;

  /** Entries whose opening is gone rightly. */
  get redacted(): number {
    return this.#redacted;
  }

  /** Groups of entries whose opening is gone, so far without a reason. */
  get unaccounted(): number {
    return this.#missing.size;
  }

  note(index: number, event: EventColumns): void {
    const people = holdersOf(event).map((person) => keyOf(event, person));
    const group = people.join(' ');
    const missing = this.#missing.get(group) ?? { places: [], count: 0 };
    this.#missing.set(group, missing);
    missing.count += 1;
    if (missing.places.length < PLACES) missing.places.push(index);
    for (const person of people) this.#groups.set(person, (this.#groups.get(person) ?? new Set()).add(group));
  }

  /** One is there that nobody can read any more, since its key was destroyed. */
  noteErased(): void {
    this.#redacted += 1;
  }

  /** Takes every event in order. What an opening belonged to was logged before its redaction, never after. */
  follow(event: EventColumns): void {
    if (event.type !== REDACTION || event.outcome !== 'success') return;
    for (const subject of event.subjects) {
      const person = keyOf(event, subject);
      for (const group of this.#groups.get(person) ?? []) {
        this.#redacted += this.#missing.get(group)?.count ?? 0;
        this.#missing.delete(group);
      }
      this.#groups.delete(person);
    }
  }

  /** At the end of the log. */
  *findings(): Iterable<Finding> {
    for (const { places } of this.#missing.values()) {
      for (const index of places) {
        yield { where: `event ${index}, column address_prefix`, what: 'the logged value is missing' };
      }
    }
  }
}

/** A person is forgotten in each tenant by an entry of that tenant, which those see who see the others. */
const keyOf = ({ tenantId }: EventColumns, person: string): string => `${tenantId ?? ''}|${person}`;
