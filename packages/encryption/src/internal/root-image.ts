/**
 * The content of a root file: two slots, of which one holds the material and the other zeros. New material goes into the free
 * slot, and only when it is durable is the other one overwritten. So a write that is torn at any byte leaves a slot that reads.
 *
 * slot = "SRROOT1\n" 8 | generation 8 | length 4 | material | zeros | SHA-256 over everything before it 32
 */
import { hash } from 'node:crypto';
import { equalBytes, utf8, type Bytes } from '@strongroom/kernel';

/** One memory page and eight sectors: slots never share either. Bytes. */
export const SLOT_BYTES = 4096;
/** Bytes of a whole root file. */
export const IMAGE_BYTES = 2 * SLOT_BYTES;

const MAGIC = utf8('SRROOT1\n');
const GENERATION_OFFSET = 8;
const LENGTH_OFFSET = 16;
const MATERIAL_OFFSET = 20;
const CHECKSUM_BYTES = 32;
const CHECKSUM_OFFSET = SLOT_BYTES - CHECKSUM_BYTES;
/** Bytes of material that fit into a slot. */
export const MOST_MATERIAL_BYTES = CHECKSUM_OFFSET - MATERIAL_OFFSET;

export interface SlotContent {
  /** 0 or 1: which half of the file. */
  readonly position: 0 | 1;
  readonly generation: number;
  /** A copy; the caller wipes it. */
  readonly material: Bytes;
}

/** Throws a RangeError when the material does not fit. */
export function encodeSlot(generation: number, material: Uint8Array): Bytes {
  if (material.length > MOST_MATERIAL_BYTES) throw new RangeError('encodeSlot: material is too long for a slot');
  const slot = new Uint8Array(SLOT_BYTES);
  const view = new DataView(slot.buffer);
  slot.set(MAGIC);
  view.setBigUint64(GENERATION_OFFSET, BigInt(generation));
  view.setUint32(LENGTH_OFFSET, material.length);
  slot.set(material, MATERIAL_OFFSET);
  slot.set(checksum(slot), CHECKSUM_OFFSET);
  return slot;
}

/** The whole slot with the highest generation; `undefined` when neither is whole. */
export function readImage(image: Uint8Array): SlotContent | undefined {
  const first = decodeSlot(image, 0);
  const second = decodeSlot(image, 1);
  if (first === undefined || second === undefined) return first ?? second;
  const [newer, older] = first.generation > second.generation ? [first, second] : [second, first];
  older.material.fill(0);
  return newer;
}

function decodeSlot(image: Uint8Array, position: 0 | 1): SlotContent | undefined {
  const slot = image.subarray(position * SLOT_BYTES, (position + 1) * SLOT_BYTES);
  if (slot.length !== SLOT_BYTES || !MAGIC.every((byte, index) => slot[index] === byte)) return undefined;
  if (!equalBytes(checksum(slot), slot.subarray(CHECKSUM_OFFSET))) return undefined;
  const view = new DataView(slot.buffer, slot.byteOffset, slot.length);
  const length = view.getUint32(LENGTH_OFFSET);
  if (length > MOST_MATERIAL_BYTES) return undefined;
  return {
    position,
    generation: Number(view.getBigUint64(GENERATION_OFFSET)),
    // Not `slice`, which gives a view where the image is a Buffer.
    material: new Uint8Array(slot.subarray(MATERIAL_OFFSET, MATERIAL_OFFSET + length)),
  };
}

/** Against accidents. Whoever can write the file can also make a checksum, and needs no key to destroy it. */
const checksum = (slot: Uint8Array): Uint8Array => hash('sha256', slot.subarray(0, CHECKSUM_OFFSET), 'buffer');
