/** One tile's worth of entries: which of the stored copies is the true one, and what differs from it. */
import { equalBytes } from '@strongroom/kernel';
import type { Finding } from '../log-source.ts';
import { HASH_LENGTH } from '../merkle.ts';
import { hashAt } from '../tiles.ts';

export interface Block {
  /** Index of its first entry. */
  readonly from: number;
  /** Entries it should have. */
  readonly width: number;
  /** Leaf hashes computed from the events; `null` where there is no event to compute one from. */
  readonly fromEvents: readonly (Uint8Array | null)[];
  /** Stored leaf hashes; `null` where the row is missing. */
  readonly fromLeaves: readonly (Uint8Array | null)[];
  /** Hashes of the stored tile; `null` when it is missing or has another length. */
  readonly tile: Uint8Array | null;
  readonly tileName: string;
}

const NO_HASH = new Uint8Array(HASH_LENGTH);

/**
 * Returns the leaf hashes to go on with. `authentic` tells whether a sequence of hashes is vouched for by what lies above it; where
 * nothing is, copies that agree outvote the third. Each copy that differs is reported by its place.
 */
export function settleBlock(
  block: Block,
  authentic: (hashes: readonly Uint8Array[]) => boolean,
  report: (finding: Finding) => void,
): readonly Uint8Array[] {
  const agreed = allAgree(block);
  if (agreed !== undefined) return agreed;
  const positions = Array.from({ length: block.width }, (_, position) => copiesAt(block, position));
  const candidates = [
    positions.map(({ event, leaf, tile }) => tile ?? leaf ?? event ?? NO_HASH),
    positions.map(({ event, leaf, tile }) => leaf ?? tile ?? event ?? NO_HASH),
    positions.map(({ event, leaf, tile }) => event ?? leaf ?? tile ?? NO_HASH),
  ];
  const settled = candidates.find(authentic) ?? positions.map(majority);
  let tileDiffers = false;
  for (const [position, { event, leaf, tile }] of positions.entries()) {
    const truth = settled[position]!;
    const index = block.from + position;
    if (event !== null && !equalBytes(event, truth)) {
      report({ where: `event ${index}`, what: 'its stored columns are not those that were logged' });
    }
    if (leaf !== null && !equalBytes(leaf, truth)) {
      report({ where: `leaf ${index}`, what: 'the stored leaf hash is not the one that was logged' });
    }
    tileDiffers ||= tile !== null && !equalBytes(tile, truth);
  }
  if (tileDiffers) report({ where: block.tileName, what: 'its hashes are not those of the leaves under it' });
  return settled;
}

interface Copies {
  readonly event: Uint8Array | null;
  readonly leaf: Uint8Array | null;
  readonly tile: Uint8Array | null;
}

const copiesAt = (block: Block, position: number): Copies => ({
  event: block.fromEvents[position] ?? null,
  leaf: block.fromLeaves[position] ?? null,
  tile: block.tile === null ? null : hashAt(block.tile, position),
});

/** The hashes, unless some copies differ: without an allocation for each position, since nearly every block ends here. */
function allAgree({ width, fromEvents, fromLeaves, tile }: Block): Uint8Array[] | undefined {
  const hashes: Uint8Array[] = [];
  for (let position = 0; position < width; position += 1) {
    const leaf = fromLeaves[position] ?? null;
    const event = fromEvents[position] ?? null;
    const hash = leaf ?? event;
    if (!same(leaf, event)) return undefined;
    if (hash === null) hashes.push(tile === null ? NO_HASH : hashAt(tile, position));
    else if (tile !== null && !isAt(tile, position, hash)) return undefined;
    else hashes.push(hash);
  }
  return hashes;
}

function isAt(tile: Uint8Array, position: number, hash: Uint8Array): boolean {
  const start = position * HASH_LENGTH;
  for (let index = 0; index < HASH_LENGTH; index += 1) if (tile[start + index] !== hash[index]) return false;
  return true;
}

const same = (left: Uint8Array | null, right: Uint8Array | null): boolean =>
  left === null || right === null || equalBytes(left, right);

function majority({ event, leaf, tile }: Copies): Uint8Array {
  if (event !== null && ((leaf !== null && equalBytes(event, leaf)) || (tile !== null && equalBytes(event, tile)))) {
    return event;
  }
  return tile ?? leaf ?? event ?? NO_HASH;
}
