/** Where entries lie, in the words of a verification. */
import { TILE_WIDTH, hashesAtLevel, type TilePlace } from '../tiles.ts';

/** As findings name it. */
export const tileName = ({ level, index }: TilePlace): string => `tile ${level}/${index}`;

/** The tiles of level 0 over entries `from` ≤ index < `to` of a log of `size` entries; `from` begins one. */
export function tilePlaces(from: number, to: number, size: number): TilePlace[] {
  const places: TilePlace[] = [];
  for (let index = from / TILE_WIDTH; index * TILE_WIDTH < to; index += 1) {
    places.push({ level: 0, index, width: Math.min(TILE_WIDTH, hashesAtLevel(size, 0) - index * TILE_WIDTH) });
  }
  return places;
}
