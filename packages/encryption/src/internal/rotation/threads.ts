/** The ciphers of a long rotation in threads of their own, so that the server's goes on serving. docs/design/rotation.md tells what these threads get to know. */
import { concatBytes, type Bytes } from '@strongroom/kernel';
import { RequestThreads } from '@strongroom/kernel/thread';
import { LoadedKeys, type SentKeys } from '../loaded-keys.ts';
import { renewHere, type Renewal, type Renewed, type Renewer } from './renew.ts';

/** Values one behind the other, so that all of them travel without being copied. */
interface PackedValues {
  readonly bytes: Bytes;
  /** Of each; negative for one that is not there. */
  readonly lengths: readonly number[];
}

export interface RenewalRequest extends Pick<Renewal, 'table' | 'keyVersion'>, PackedValues {
  /** As JSON: much cheaper than a copy of so many objects. */
  readonly places: string;
  readonly keys: SentKeys;
}

/** In place of a length. */
export const ANSWERS = { authenticated: -1, damaged: -2 } as const;

export type RenewalAnswer = PackedValues;

const PROGRAM = import.meta.url.endsWith('.ts')
  ? new URL('./thread-main.ts', import.meta.url)
  : new URL('./thread-main.js', import.meta.url);

/** The threads of one rotation. */
export class RenewalThreads {
  readonly #threads: RequestThreads<RenewalRequest, RenewalAnswer>;

  /** Left out: as many as the machine's cores allow. */
  constructor(threads?: number) {
    this.#threads = new RequestThreads(PROGRAM, 'rotation', threads);
  }

  readonly renew: Renewer = async (keys, renewal) => {
    const { table, keyVersion, places, values } = renewal;
    const thread = this.#threads.idlest;
    thread?.start();
    const sent = thread?.isReady === true && values.length > 0 ? LoadedKeys.send(keys) : undefined;
    if (thread === undefined || sent === undefined) return renewHere(keys, renewal);
    const bytes = concatBytes(...values);
    const lengths = values.map(({ length }) => length);
    const request = { keys: sent, table, keyVersion, places: JSON.stringify(places), bytes, lengths };
    const answer = await thread.ask(request, [bytes.buffer]);
    // Errors are thrown where they can be told apart.
    if (answer === undefined) return renewHere(keys, renewal);
    let offset = 0;
    return answer.lengths.map((length): Renewed => {
      if (length === ANSWERS.authenticated) return 'authenticated';
      if (length === ANSWERS.damaged) return 'damaged';
      offset += length;
      return answer.bytes.subarray(offset - length, offset);
    });
  };

  /** How many of them values go to already. */
  get ready(): number {
    return this.#threads.ready;
  }

  stop(): Promise<void> {
    return this.#threads.stop();
  }
}
