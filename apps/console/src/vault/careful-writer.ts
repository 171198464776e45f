/** Saving when answers get lost: what arrived although nobody said so is found again, and not stored twice or taken for somebody else's. */
import { ClientError, type OpenedMemory, type Vault } from '@strongroom/client';
import { newUuid, type Uuid } from '@strongroom/kernel';
import type { MemoryInputView } from './protocol.ts';

/** The server may or may not have done what it was asked. */
export const isUnanswered = (error: unknown): boolean =>
  error instanceof ClientError && (error.code === 'client.unreachable' || error.code === 'client.timeout');

/** Milliseconds. Each look at the feed is a line in the audit log. */
const KEEP_AFTER = 2_000;

export class CarefulWriter {
  readonly #vault: Vault;
  readonly #onChange: (space: Uuid) => void;
  /** Ids of new memories whose answer never came, by what was to be written. */
  readonly #unanswered = new Map<string, Uuid>();

  readonly #later = new Map<Uuid, ReturnType<typeof setTimeout>>();

  /** `onChange` is called when the feed was followed unasked: it may have brought what others wrote. */
  constructor(vault: Vault, onChange: (space: Uuid) => void) {
    this.#vault = vault;
    this.#onChange = onChange;
  }

  async forget(space: Uuid, id: Uuid, expectedVersion: number): Promise<void> {
    await this.#vault.forget(space, id, expectedVersion);
    this.#keepSoon(space);
  }

  async remember(space: Uuid, input: MemoryInputView): Promise<OpenedMemory> {
    const what = JSON.stringify([space, input]);
    const before = this.#unanswered.get(what);
    if (before !== undefined) {
      await this.#vault.sync(space);
      this.#unanswered.delete(what);
      const arrived = await this.#present(space, before);
      if (arrived !== null) return arrived;
    }
    const id = before ?? newUuid();
    try {
      const memory = await this.#vault.remember(space, input, { id });
      this.#keepSoon(space);
      return memory;
    } catch (error) {
      if (isUnanswered(error)) this.#unanswered.set(what, id);
      throw error;
    }
  }

  /** A conflict with one's own words is none. */
  async update(space: Uuid, id: Uuid, expectedVersion: number, input: MemoryInputView): Promise<OpenedMemory> {
    try {
      const memory = await this.#vault.update(space, id, expectedVersion, input);
      this.#keepSoon(space);
      return memory;
    } catch (error) {
      if (!(error instanceof ClientError) || error.code !== 'memories.conflict') throw error;
      await this.#vault.sync(space);
      const now = await this.#present(space, id);
      const mine = now?.version === expectedVersion + 1 && now.author === this.#vault.account?.id && says(now, input);
      if (!mine) throw error;
      return now;
    }
  }

  /** The device's copy takes changes from the feed only: it is followed once after a few writes. */
  #keepSoon(space: Uuid): void {
    clearTimeout(this.#later.get(space));
    const sync = (): void => {
      this.#vault.sync(space).then(
        () => this.#onChange(space),
        () => undefined,
      );
    };
    this.#later.set(space, setTimeout(sync, KEEP_AFTER));
  }

  async #present(space: Uuid, id: Uuid): Promise<OpenedMemory | null> {
    try {
      return await this.#vault.get(space, id);
    } catch (error) {
      if (error instanceof ClientError && error.code === 'client.unknown-memory') return null;
      throw error;
    }
  }
}

function says({ document }: OpenedMemory, input: MemoryInputView): boolean {
  const { text, title, kind, tags } = document;
  return (
    JSON.stringify([text, title, kind, tags]) === JSON.stringify([input.text, input.title, input.kind, input.tags])
  );
}
