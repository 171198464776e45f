import { Buffer } from 'node:buffer';

/** Bytes of the length before the row. */
const LENGTH_BYTES = 4;
/** A UUID as text, the usual row. */
const USUAL_ROW_BYTES = 36;
/** Bytes kept for rows, three for each UTF-16 unit at most; longer rows get bytes of their own. Below 256, so that the length has one byte. */
const ROOM_BYTES = 3 * USUAL_ROW_BYTES;

/**
 * The associated data of a column key's values: a prefix encoded once, and the row written behind it for every call. The scratch
 * space is reused, so that building a context allocates nothing in the usual case; that is sound because node:crypto copies
 * associated data at once and nothing here is asynchronous.
 */
export class RowContext {
  readonly #rowOffset: number;
  readonly #scratch: Buffer;
  readonly #usual: Uint8Array;

  constructor(prefix: Uint8Array) {
    this.#rowOffset = prefix.length + LENGTH_BYTES;
    // Not zeroed first, which would be a tenth of making a key; only the length's upper bytes are never written again.
    this.#scratch = Buffer.allocUnsafe(this.#rowOffset + ROOM_BYTES);
    this.#scratch.set(prefix);
    this.#scratch.fill(0, prefix.length, this.#rowOffset);
    this.#usual = this.#scratch.subarray(0, this.#rowOffset + USUAL_ROW_BYTES);
  }

  /** A view that is valid until the next call. Throws a TypeError for an empty or malformed row. */
  at(row: string): Uint8Array {
    if (row === '' || !row.isWellFormed()) throw new TypeError('place: row must be a non-empty, well-formed text');
    if (row.length * 3 > ROOM_BYTES) return this.#atLong(row);
    const length = this.#scratch.write(row, this.#rowOffset, 'utf8');
    this.#scratch[this.#rowOffset - 1] = length;
    return length === USUAL_ROW_BYTES ? this.#usual : this.#scratch.subarray(0, this.#rowOffset + length);
  }

  #atLong(row: string): Uint8Array {
    const bytes = Buffer.from(row, 'utf8');
    const context = Buffer.alloc(this.#rowOffset + bytes.length);
    context.set(this.#scratch.subarray(0, this.#rowOffset - LENGTH_BYTES));
    context.writeUInt32BE(bytes.length, this.#rowOffset - LENGTH_BYTES);
    context.set(bytes, this.#rowOffset);
    return context;
  }
}
