import { Buffer } from 'node:buffer';
import { markAsUntransferable } from 'node:worker_threads';

/** Bytes of a slab: enough to hide its own price, little enough for one value that is kept to hold on to it. */
const SLAB_BYTES = 16_384;
/** Longer values get memory of their own: they would waste a slab's rest, and for them the allocation no longer counts. */
const LONGEST_SHARED = SLAB_BYTES / 4;

/**
 * Memory for sealed values. A typed array with memory of its own costs a tenth of a small encryption; values cut from a slab cost next to
 * nothing. Only ciphertext lies in these slabs, so a neighbour seen through `.buffer` tells nothing; Node's shared Buffer pool,
 * which would be as fast, also holds what others put there.
 */
export class ValueSlab {
  #slab = new ArrayBuffer(0);
  #offset = 0;

  /** Memory of exactly this length, of which the caller writes every byte. */
  take(length: number): Uint8Array<ArrayBuffer> {
    // Not zeroed first: the caller writes every byte. Slabs are, since their rest can be seen.
    if (length > LONGEST_SHARED) return new Uint8Array(Buffer.allocUnsafeSlow(length).buffer);
    if (this.#offset + length > this.#slab.byteLength) {
      this.#slab = new ArrayBuffer(SLAB_BYTES);
      // Transferring one value to another thread would take away its neighbours.
      markAsUntransferable(this.#slab);
      this.#offset = 0;
    }
    const taken = new Uint8Array(this.#slab, this.#offset, length);
    this.#offset += length;
    return taken;
  }
}
