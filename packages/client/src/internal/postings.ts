/** Which documents hold which terms how often: the part of a search index that is large, in a form that is written and read as it lies in memory. */
import { fromUtf8, utf8, type Bytes } from '@strongroom/kernel';

/** Fields of a document, in this order everywhere. */
export const FIELDS = 3;

/**
 * How often a term stands in each field, in one number below 2^28, which engines hold without an object: title 8 bits, text 12, tags 8.
 * More counts as the greatest.
 */
const SHIFTS = [20, 8, 0] as const;
const GREATEST = [0xff, 0xfff, 0xff] as const;

/** Of one field. */
export const countIn = (packed: number, field: number): number => (packed >>> SHIFTS[field]!) & GREATEST[field]!;

/** Once more in one field. */
export const countedIn = (packed: number, field: number): number =>
  countIn(packed, field) === GREATEST[field]! ? packed : packed + (1 << SHIFTS[field]!);

/** Documents of one term, as pairs of number and packed counts. */
export interface Posting {
  /** As it was read. */
  readonly kept: Uint32Array;
  /** What came since. */
  readonly added: number[];
}

/** A document is a number here: its place in `ids`. */
export interface Postings {
  readonly ids: readonly string[];
  /** Different terms in each field of each document. */
  readonly lengths: Uint32Array;
  /** Sorted by code units. */
  readonly terms: readonly string[];
  /** Of each term. */
  readonly pairs: readonly Uint32Array[];
}

const VERSION = 1;
/** Version, documents, terms, numbers in all pairs, bytes of all ids. */
const HEADER = 5;

/** Numbers in the byte order of the machine: a copy belongs to the device that made it. */
export function encodePostings({ ids, lengths, terms, pairs }: Postings): Bytes {
  const total = pairs.reduce((sum, list) => sum + list.length, 0);
  const idText = utf8(ids.join('\n'));
  const termText = utf8(terms.join('\n'));
  const numbers = HEADER + lengths.length + terms.length + total;
  const bytes = new Uint8Array(numbers * 4 + idText.length + termText.length);
  const view = new Uint32Array(bytes.buffer, 0, numbers);
  view.set([VERSION, ids.length, terms.length, total, idText.length]);
  view.set(lengths, HEADER);
  let at = HEADER + lengths.length;
  for (const list of pairs) view[at++] = list.length;
  for (const list of pairs) {
    view.set(list, at);
    at += list.length;
  }
  bytes.set(idText, numbers * 4);
  bytes.set(termText, numbers * 4 + idText.length);
  return bytes;
}

/** Null for another version. What is inside was authenticated, so nothing else is checked than that it fits. Keeps views of the bytes. */
export function decodePostings(bytes: Bytes): Postings | null {
  // Views of numbers must begin at a multiple of four.
  const whole = bytes.byteOffset % 4 === 0 ? bytes : bytes.slice();
  if (whole.length < HEADER * 4) return null;
  const all = new Uint32Array(whole.buffer, whole.byteOffset, whole.length >>> 2);
  const [version, documents, count, total, idBytes] = all as unknown as readonly number[];
  const numbers = HEADER + documents! * FIELDS + count! + total!;
  if (version !== VERSION || numbers * 4 + idBytes! > whole.length) return null;
  const lengths = all.subarray(HEADER, HEADER + documents! * FIELDS);
  const sizes = all.subarray(HEADER + lengths.length, HEADER + lengths.length + count!);
  const ids = lines(whole.subarray(numbers * 4, numbers * 4 + idBytes!));
  const terms = lines(whole.subarray(numbers * 4 + idBytes!));
  if (ids.length !== documents || terms.length !== count) return null;
  const pairs: Uint32Array[] = [];
  let at = HEADER + lengths.length + count;
  for (const size of sizes) {
    pairs.push(all.subarray(at, at + size));
    at += size;
  }
  return { ids, lengths, terms, pairs };
}

function lines(bytes: Uint8Array): string[] {
  return bytes.length === 0 ? [] : fromUtf8(bytes).split('\n');
}
