/**
 * Commitments with their openings, made some at a time before the events that need them: one by one between two round trips each costs several times as much,
 * and nothing of them depends on the event.
 */
import type { KeyObject } from 'node:crypto';
import { commitmentTo, SALT_LENGTH } from '../entry.ts';
import { sealOpening } from './opening.ts';
import { RandomSupply } from './random-supply.ts';

export interface PreparedOpening {
  readonly salt: Uint8Array;
  readonly commitment: Uint8Array;
  /** As it is stored. */
  readonly sealed: Uint8Array;
}

const salts = new RandomSupply(SALT_LENGTH);

export function prepareOpening(key: KeyObject, value: string): PreparedOpening {
  const opening = { salt: salts.next(), value };
  return { salt: opening.salt, commitment: commitmentTo(opening), sealed: sealOpening(key, opening) };
}

/** Made at once at most. A supply begins with one, since most people do one thing and no more, and doubles. */
const MOST_AT_ONCE = 16;

/** Openings of one value under one key. */
export class OpeningSupply {
  readonly key: KeyObject;
  readonly value: string;
  #prepared: PreparedOpening[] = [];
  #atOnce = 1;

  constructor(key: KeyObject, value: string) {
    this.key = key;
    this.value = value;
  }

  /** Each is handed out once. */
  next(): PreparedOpening {
    if (this.#prepared.length === 0) {
      this.#prepared = Array.from({ length: this.#atOnce }, () => prepareOpening(this.key, this.value));
      this.#atOnce = Math.min(2 * this.#atOnce, MOST_AT_ONCE);
    }
    return this.#prepared.pop()!;
  }
}
