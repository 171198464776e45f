/** Durable buckets that this process saw empty, so that hammering at a closed door costs no database write. */

/** Entries kept; forgetting one only means asking the database again. */
const KNOWN_LIMIT = 10_000;

interface KnownRefusals {
  /** When the bucket will be full again, as last seen; `undefined` when nothing is known. */
  fullAt(key: string): number | undefined;
  remember(key: string, fullAt: number): void;
  forget(key: string): void;
}

export function createKnownRefusals(): KnownRefusals {
  const known = new Map<string, number>();
  return {
    fullAt: (key) => known.get(key),
    remember(key, fullAt) {
      known.delete(key);
      if (known.size >= KNOWN_LIMIT) known.delete(known.keys().next().value!);
      known.set(key, fullAt);
    },
    forget: (key) => void known.delete(key),
  };
}
