/** Which entries of a long list must be in the document. */

/** Entries drawn beyond the edges, so that quick scrolling shows no gaps. */
export const OVERSCAN = 12;

export interface ListView {
  /** Pixels scrolled off above. */
  readonly top: number;
  /** Pixels on the screen. */
  readonly height: number;
  /** Pixels of one entry. */
  readonly entry: number;
  readonly count: number;
}

/** From `first` up to, not including, `end`. */
export function visibleRange({ top, height, entry, count }: ListView): {
  readonly first: number;
  readonly end: number;
} {
  const end = Math.min(count, Math.ceil((top + height) / entry) + OVERSCAN);
  // A list that became shorter may still be scrolled beyond its end.
  const first = Math.max(0, Math.min(Math.floor(top / entry), count) - OVERSCAN);
  return { first: Math.min(first, end), end };
}
