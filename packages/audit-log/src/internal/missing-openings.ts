/** Openings that are gone, until an entry further on says that somebody they were closed with was forgotten. */
import type { EventColumns } from '../entry.ts';
import { holdersOf, REDACTION } from '../entry.ts';
import type { Finding } from '../log-source.ts';

/** Places remembered for each group of people. */
const PLACES = 8;

interface Missing {
  readonly places: number[];
  count: number;
  /** The largest index. */
  last: number;
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

  /** Whether the opening of an entry with at least this index is gone, so far without a reason. */
  isUnaccounted(index: number): boolean {
    for (const { last } of this.#missing.values()) if (last >= index) return true;
    return false;
  }

  note(index: number, event: EventColumns): void {
    const people = holdersOf(event).map((person) => keyOf(event, person));
    const group = people.join(' ');
    const missing = this.#missing.get(group) ?? { places: [], count: 0, last: index };
    this.#missing.set(group, missing);
    missing.count += 1;
    missing.last = index;
    if (missing.places.length < PLACES) missing.places.push(index);
    for (const person of people) this.#groups.set(person, (this.#groups.get(person) ?? new Set()).add(group));
  }

  /** One is there that nobody can read any more, since its key was destroyed. */
  noteErased(): void {
    this.#redacted += 1;
  }

  /** Whether the event accounts for one that is gone, so far without a reason. */
  isReason(event: EventColumns): boolean {
    if (event.type !== REDACTION || event.outcome !== 'success') return false;
    return event.subjects.some((subject) =>
      this.#groupsOf(keyOf(event, subject)).some((group) => this.#missing.has(group)),
    );
  }

  /** Takes every event in order. What an opening belonged to was logged before its redaction, never after. */
  follow(event: EventColumns): void {
    if (event.type !== REDACTION || event.outcome !== 'success') return;
    for (const subject of event.subjects) {
      const person = keyOf(event, subject);
      for (const group of this.#groupsOf(person)) {
        this.#redacted += this.#missing.get(group)?.count ?? 0;
        this.#missing.delete(group);
      }
      this.#groups.delete(person);
    }
  }

  #groupsOf(person: string): readonly string[] {
    return [...(this.#groups.get(person) ?? [])];
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
