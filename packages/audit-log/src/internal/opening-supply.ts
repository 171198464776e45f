/**
 * Commitments and what opens them. The cipher is what costs most of a recorded event, so that one encryption serves several: the salts of events that one person
 * causes within a minute from one address come from one seed, which each of their openings holds.
 */
import { randomBytes, type KeyObject } from 'node:crypto';
import { concatBytes, toHex, utf8 } from '@strongroom/kernel';
import { sha256 } from '#sha256';
import { commitmentTo, SALT_LENGTH } from '../entry.ts';
import { sealOpening, sealSeed, seededHex } from './opening.ts';
import { OPENINGS_OF_SEED, OpeningSeed, SEED_LENGTH } from './opening-seed.ts';
import { RandomSupply } from './random-supply.ts';

export interface PreparedOpening {
  readonly salt: Uint8Array;
  readonly commitment: Uint8Array;
  /** As it is stored, in hexadecimal. */
  readonly sealed: string;
}

const salts = new RandomSupply(SALT_LENGTH);

/** For one event alone. */
export function prepareOpening(key: KeyObject, value: string): PreparedOpening {
  const opening = { salt: salts.next(), value };
  return { salt: opening.salt, commitment: commitmentTo(opening), sealed: toHex(sealOpening(key, opening)) };
}

/** Made at once at most. A supply begins with one, since most people do one thing and no more, and doubles. */
const MOST_AT_ONCE = 16;

/** Openings of one value from one seed, encrypted once. Made some at a time: one by one between two round trips each costs several times as much. */
class OpeningSupply {
  readonly #seed: OpeningSeed;
  readonly #sealed: string;
  #made = 0;
  #atOnce = 1;
  #prepared: PreparedOpening[] = [];

  constructor(key: KeyObject, value: string) {
    const seeded = concatBytes(randomBytes(SEED_LENGTH), utf8(value));
    this.#seed = new OpeningSeed(seeded);
    this.#sealed = toHex(sealSeed(key, seeded));
    seeded.fill(0);
  }

  /** Each is handed out once; `undefined` when there are no more. */
  next(): PreparedOpening | undefined {
    if (this.#prepared.length === 0) {
      const many = Math.min(this.#atOnce, OPENINGS_OF_SEED - this.#made);
      this.#prepared = Array.from({ length: many }, () => this.#prepare());
      this.#atOnce = Math.min(2 * this.#atOnce, MOST_AT_ONCE);
    }
    return this.#prepared.pop();
  }

  #prepare(): PreparedOpening {
    this.#made += 1;
    const salted = this.#seed.salted(this.#made);
    const salt = salted.slice(0, SALT_LENGTH);
    return { salt, commitment: sha256(salted), sealed: seededHex(this.#made, this.#sealed) };
  }
}

/** Seeds of one person in use at once: they are in few tenants, at few addresses. */
const SEEDS = 16;

/** Openings under one person's key. */
export class OpeningSupplies {
  readonly key: KeyObject;
  readonly #supplies = new Map<string, OpeningSupply>();

  constructor(key: KeyObject) {
    this.key = key;
  }

  /**
   * `kept`: the same for events that are removed together. The salt that retention removes with one event can be computed from another one's opening for as long
   * as that is there.
   */
  next(value: string, kept: string): PreparedOpening {
    const name = `${kept} ${value}`;
    const next = this.#supplies.get(name)?.next();
    if (next !== undefined) return next;
    if (this.#supplies.size === SEEDS) this.#supplies.clear();
    const supply = new OpeningSupply(this.key, value);
    this.#supplies.set(name, supply);
    return supply.next()!;
  }
}
