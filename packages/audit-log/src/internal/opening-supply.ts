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

/** So many are left when more are made: after what this event needs was sent, while the database is at work. */
const LOW = MOST_AT_ONCE / 2;

/** Openings of one value, made some at a time: one by one between two round trips each costs several times as much. */
class OpeningSupply {
  readonly #key: KeyObject;
  readonly #value: string;
  #seed: OpeningSeed;
  #sealed: string;
  /** Of this seed. */
  #made = 0;
  #atOnce = 1;
  readonly #prepared: PreparedOpening[] = [];

  constructor(key: KeyObject, value: string) {
    this.#key = key;
    this.#value = value;
    [this.#seed, this.#sealed] = newSeed(key, value);
  }

  /** Each is handed out once. */
  next(): PreparedOpening {
    if (this.#prepared.length === 0) this.#prepareMore();
    const next = this.#prepared.pop()!;
    if (this.#atOnce === MOST_AT_ONCE && this.#prepared.length === LOW) setImmediate(() => this.#prepareMore());
    return next;
  }

  #prepareMore(): void {
    for (let more = this.#atOnce; more > 0; more -= 1) this.#prepared.push(this.#prepare());
    this.#atOnce = Math.min(2 * this.#atOnce, MOST_AT_ONCE);
  }

  #prepare(): PreparedOpening {
    if (this.#made === OPENINGS_OF_SEED) {
      [this.#seed, this.#sealed] = newSeed(this.#key, this.#value);
      this.#made = 0;
    }
    this.#made += 1;
    const salted = this.#seed.salted(this.#made);
    const salt = salted.slice(0, SALT_LENGTH);
    return { salt, commitment: sha256(salted), sealed: seededHex(this.#made, this.#sealed) };
  }
}

/** A seed, and how it is stored in hexadecimal. */
function newSeed(key: KeyObject, value: string): readonly [OpeningSeed, string] {
  const seeded = concatBytes(randomBytes(SEED_LENGTH), utf8(value));
  const seed = new OpeningSeed(seeded);
  const sealed = toHex(sealSeed(key, seeded));
  seeded.fill(0);
  return [seed, sealed];
}

/** Supplies of one person at once: they are in few tenants, at few addresses. */
const SUPPLIES_OF_PERSON = 8;

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
    let supply = this.#supplies.get(name);
    if (supply === undefined) {
      if (this.#supplies.size === SUPPLIES_OF_PERSON) this.#supplies.clear();
      supply = new OpeningSupply(this.key, value);
      this.#supplies.set(name, supply);
    }
    return supply.next();
  }
}
