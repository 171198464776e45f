import { readWish } from './wish.ts';

/**
 * How often a test repeats itself: `few` times in the fast run, `many` times in CI and with `npm test -- --all`. For properties and
 * other searches, of which each further round costs as much and finds less than the one before.
 */
export const rounds = (few: number, many: number): number => (readWish().slow ? many : few);
