/** Openings that are gone, until an entry further on says that their person was forgotten. */
import type { EventColumns } from '../entry.ts';
import { personOf, REDACTION } from '../entry.ts';
import type { Finding } from '../log-source.ts';

/** Places remembered for each person. */
const PLACES = 8;

interface Missing {
  readonly places: number[];
  count: number;
}

/** Memory grows with the number of people, not with the log. */
export class MissingOpenings {
  readonly #missing = new Map<string, Missing>();
  #redacted = 0;

  /** Entries whose opening is gone rightly. */
  get redacted(): number {
    return this.#redacted;
  }

  note(index: number, event: EventColumns): void {
    const key = keyOf(event, personOf(event) ?? '');
    const missing = this.#missing.get(key) ?? { places: [], count: 0 };
    this.#missing.set(key, missing);
    missing.count += 1;
    if (missing.places.length < PLACES) missing.places.push(index);
  }

  /** Takes every event in order. What an opening belonged to was logged before its redaction, never after. */
  follow(event: EventColumns): void {
    if (event.type !== REDACTION || event.outcome !== 'success') return;
    for (const person of event.subjects) {
      const key = keyOf(event, person);
      this.#redacted += this.#missing.get(key)?.count ?? 0;
      this.#missing.delete(key);
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
