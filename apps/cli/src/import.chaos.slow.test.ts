/**
 * kill -9 of the server, again and again, while two clients write: one imports, one writes memories one by one. What the server
 * acknowledged must be there afterwards, once, and the audit log must tell of every change that is there and of no other.
 */
import { randomInt } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { ClientError, InMemoryCache, type ImportItem, Vault, createApi, remoteLogSource } from '@strongroom/client';
import { figure } from '@strongroom/testing';
import { expect, it } from 'vitest';
import { Device, PASSWORD, type RunningVault, launchServer, startVault } from './running-vault.fixture.ts';

const KILLS = 50;
/** One kill in so many hits a server that is only just starting and still recovers from the kill before. */
const STARTS_KILLED_EVERY = 6;
/** Milliseconds after the server began to take writes again. */
const LONGEST_LIFE = 400;
/** Items of one import; imports follow each other as long as there are kills. */
const ITEMS = 1000;
/** Milliseconds; starting the server 58 times is most of it. */
const TIME_LIMIT = 900_000;

const itemsOf = (round: number): ImportItem[] =>
  Array.from({ length: ITEMS }, (_, number) => ({
    source: 'markdown',
    key: `notes ${round}/${number}.md`,
    title: `Note ${number}`,
    kind: 'note',
    text: `${number} `.padEnd(400, 'lighthouse '),
    tags: [],
    createdAt: null,
    details: {},
  }));

/** Ids that the server has acknowledged, by the answers it gave. */
const acknowledged = new Set<string>();
/** Resolves when the next write is acknowledged. */
let onWrite: () => void = () => undefined;

/** Whether a server is there to be asked. Without it the clients' growing pauses would be most of the time. */
let serving: Promise<void> = Promise.resolve();

/** The wire: what comes back is noted before the client sees it. */
const noting: typeof fetch = async (input, init) => {
  await serving;
  const response = await fetch(input, init);
  if (init?.method !== 'POST' || response.status > 201) return response;
  const body = (await response.clone().json()) as {
    readonly id?: string;
    readonly items?: readonly { readonly id: string }[];
  };
  for (const { id } of body.items ?? []) acknowledged.add(id);
  if (body.id !== undefined) acknowledged.add(body.id);
  onWrite();
  return response;
};

/** What a client meets while the server is away. */
const isPassing = (error: unknown): boolean =>
  error instanceof ClientError && ['client.unreachable', 'client.timeout', 'strongroom.not-ready'].includes(error.code);

const isRepeated = (details: string): boolean =>
  String((JSON.parse(details) as { repeated?: unknown }).repeated) === 'true';

/** Again until it works: as a person would who starts the import again. */
async function insist(work: () => Promise<unknown>, stopped: () => boolean): Promise<void> {
  for (;;) {
    try {
      await work();
      return;
    } catch (error) {
      if (!isPassing(error)) throw error;
      if (stopped()) return;
      await pause(50);
    }
  }
}

it(
  'loses and doubles nothing that it acknowledged',
  async () => {
    let vault: RunningVault = await startVault();
    const ada = new Device();
    await ada.signUp(vault);
    const client = new Vault({ api: createApi({ baseUrl: vault.url }), cache: new InMemoryCache() });
    const { token } = await client.signIn({ email: 'ada@example.org', password: PASSWORD, transport: 'bearer' });
    const key = await client.deriveUnlockKey(PASSWORD);
    const [space] = await client.listSpaces();
    const device = async (): Promise<Vault> => {
      const other = new Vault({
        api: createApi({ baseUrl: vault.url, token, fetch: noting }),
        cache: new InMemoryCache(),
      });
      await other.resume();
      await other.unlockWith(key);
      return other;
    };

    let chaosEnded = false;
    const importer = await device();
    let rounds = 0;
    const importing = (async () => {
      for (; rounds === 0 || !chaosEnded; rounds += 1) {
        await insist(
          () => importer.import(space!.id, itemsOf(rounds)),
          () => false,
        );
      }
    })();
    const writer = await device();
    const writing = (async () => {
      for (let number = 0; !chaosEnded; number += 1) {
        await insist(
          () => writer.remember(space!.id, { text: `One by one, number ${number}` }),
          () => chaosEnded,
        );
        await pause(5);
      }
    })();

    const starts: number[] = [];
    for (let kills = 0; kills < KILLS; kills += 1) {
      let served: () => void = () => undefined;
      if (kills % STARTS_KILLED_EVERY === STARTS_KILLED_EVERY - 1) {
        serving = new Promise((resolve) => (served = resolve));
        await vault.kill();
        const { child } = launchServer({ data: vault.data, port: vault.port });
        await pause(randomInt(2000));
        const closed = new Promise((resolve) => child.once('exit', resolve));
        child.kill('SIGKILL');
        await closed;
      } else {
        await new Promise<void>((resolve) => {
          onWrite = resolve;
        });
        await pause(randomInt(LONGEST_LIFE));
        const killed = vault.kill();
        serving = new Promise((resolve) => (served = resolve));
        await killed;
      }
      vault = await vault.start();
      served();
      starts.push(vault.startTime);
    }
    const duringChaos = acknowledged.size;
    chaosEnded = true;
    await writing;
    await importing;

    // A computer that knows nothing asks for everything.
    const fresh = await device();
    const synced = await fresh.sync(space!.id);
    expect(synced.unreadable).toEqual([]);
    const stored = await fresh.list(space!.id);
    const ids = new Set(stored.map(({ id }) => id as string));
    expect(
      [...acknowledged].filter((id) => !ids.has(id)),
      'acknowledged and lost',
    ).toEqual([]);
    expect(ids.size).toBe(stored.length);
    expect(stored.every(({ version }) => version === 1)).toBe(true);
    const keys = stored.flatMap(({ document }) => (document.source === undefined ? [] : [document.source.key]));
    expect(keys.toSorted()).toEqual(
      Array.from({ length: rounds }, (_, round) => itemsOf(round).map(({ key }) => key))
        .flat()
        .toSorted(),
    );

    // Every change that is there has its event, and no event tells of one that is not.
    expect(await ada.json('audit', 'verify')).toMatchObject({ ok: true });
    const { size } = await ada.json<{ size: number }>('audit', 'verify', '--data', vault.data);
    const entries = await remoteLogSource(fresh.api).entries(0, size);
    const events = entries.flatMap(({ event }) =>
      typeof event === 'string' || event.outcome !== 'success' ? [] : [event],
    );
    const created = events
      .filter(({ type }) => type === 'memory.batch-written')
      .map(({ details }) => Number(JSON.parse(details).created));
    expect(created.reduce((sum, count) => sum + count, 0)).toBe(rounds * ITEMS);
    // A request whose answer was lost is sent again, and its event says that it changed nothing.
    const single = events
      .filter(({ type, details }) => type === 'memory.created' && !isRepeated(details))
      .map(({ objectId }) => objectId!);
    const oneByOne = stored.filter(({ document }) => document.source === undefined).map(({ id }) => id as string);
    expect(single.toSorted()).toEqual(oneByOne.toSorted());

    starts.sort((left, right) => left - right);
    figure(
      `${KILLS} × kill -9 (${Math.floor(KILLS / STARTS_KILLED_EVERY)} of them while it recovered) during imports: ${acknowledged.size} acknowledged memories (${duringChaos} ` +
        `while killing), 0 lost, 0 doubled; audit log of ${size} events intact and complete; server back after ` +
        `${starts[KILLS / 2]} ms (median)`,
    );
  },
  TIME_LIMIT,
);
