/** The hashes and openings of a long log in threads of their own: while one page is checked, the next is read and the one before goes into the tree. */
import type { KeyObject } from 'node:crypto';
import type { Bytes } from '@strongroom/kernel';
import { RequestThreads } from '@strongroom/kernel/thread';
import type { CheckedEntry } from '../log-source.ts';
import { HASH_LENGTH } from '../merkle.ts';
import type { EntryPage } from './binary-entries.ts';
import type { ReadingKeys } from './opening-keys.ts';

/** A page, and the keys its openings need. A KeyObject in a message is a reference to memory outside of JavaScript; its bytes are not in it. */
export interface PageRequest {
  readonly bytes: Bytes;
  readonly end: number;
  readonly keys: readonly (readonly [person: string, key: KeyObject | 'erased'])[];
}

/** Of nearly every entry its index and its hash say everything; they travel without being copied. */
export interface PageAnswer {
  readonly indexes: Float64Array<ArrayBuffer>;
  readonly hashes: Bytes;
  /** The others, each with its place in the page. */
  readonly others: readonly (readonly [position: number, entry: CheckedEntry])[];
}

export function packed(entries: readonly CheckedEntry[]): PageAnswer {
  const indexes = new Float64Array(entries.length);
  const hashes = new Uint8Array(entries.length * HASH_LENGTH);
  const others: [number, CheckedEntry][] = [];
  for (const [position, entry] of entries.entries()) {
    const { index, leafHash, computed, remark } = entry;
    // The page says so by giving the one array for both.
    if (remark === null && computed === leafHash) {
      indexes[position] = index;
      hashes.set(computed, position * HASH_LENGTH);
    } else others.push([position, entry]);
  }
  return { indexes, hashes, others };
}

function unpacked({ indexes, hashes, others }: PageAnswer): readonly CheckedEntry[] {
  const entries = Array.from(indexes, (index, position): CheckedEntry => {
    const hash = hashes.subarray(position * HASH_LENGTH, (position + 1) * HASH_LENGTH);
    return { index, leafHash: hash, state: 'event', computed: hash, remark: null };
  });
  for (const [position, entry] of others) entries[position] = entry;
  return entries;
}

const PROGRAM = import.meta.url.endsWith('.ts')
  ? new URL('./page-thread-main.ts', import.meta.url)
  : new URL('./page-thread-main.js', import.meta.url);

/** Entries from which on a log is checked in threads: to start one costs as much as a few ten thousand of them. */
const LONG = 50_000;

/** The threads of one verification. */
export class PageThreads {
  readonly #threads: RequestThreads<PageRequest, PageAnswer>;

  /** `entries`: of the log; a short one gets no threads. */
  constructor(entries: number) {
    this.#threads = new RequestThreads(PROGRAM, 'verification', entries < LONG ? 0 : undefined);
    this.#threads.start();
  }

  /** The entries of the page as `checkEntry` finds them; `undefined` when a thread took it and ended. */
  async check(page: EntryPage, keys: ReadingKeys): Promise<readonly CheckedEntry[] | undefined> {
    const thread = this.#threads.idlest;
    if (thread?.isReady !== true) return page.checked(keys);
    const { bytes, end } = page;
    const answer = await thread.ask({ bytes, end, keys: [...keys] }, [bytes.buffer]);
    return answer && unpacked(answer);
  }

  /** How many of them pages go to already. */
  get ready(): number {
    return this.#threads.ready;
  }

  stop(): Promise<void> {
    return this.#threads.stop();
  }
}
