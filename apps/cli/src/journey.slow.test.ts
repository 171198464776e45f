/** One person's whole way, with processes only: sign up, import, recall from two computers, export, forget, verify. */
import { readFile, readdir, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { corpora, figure, needs, temporaryFolder } from '@strongroom/testing';
import { beforeAll, describe, expect, it } from 'vitest';
import { Device, PASSWORD, type RunningVault, startVault } from './running-vault.fixture.ts';

interface Shown {
  readonly id: string;
  readonly version: number;
  readonly title?: string;
  readonly text: string;
  readonly kind?: string;
  readonly tags: readonly string[];
  readonly createdAt: string;
}

/** In each language one item of each source: MCP memory, ChatGPT export, Markdown notes. What it answers is its title. */
const QUESTIONS: Readonly<Record<string, readonly (readonly [query: string, title: string])[]>> = {
  en: [
    ['peanut auto-injectors', 'Yusra_Halabi'],
    ['books about tides', 'Books about tides'],
    ['wall slides for the shoulder', 'Physio exercises'],
  ],
  de: [
    ['Laktoseintoleranz Sahne', 'Annika Brandhorst'],
    ['Anzahlung Dachdecker', 'Angebot vom Dachdecker'],
    ['Zaehlerstand Schlüssel Kaution', 'Übergabeprotokoll Einliegerwohnung'],
  ],
  fr: [
    ['traitement diabete', 'Colette Marchais'],
    ['inclinaison du muret', 'Muret en pierre sèche'],
    ['gâteau aux poires', 'Liste du goûter'],
  ],
  es: [
    ['sobrino alergia huevo', 'Mateo Barrientos'],
    ['mudanza y fianza', 'Mudanza y fianza'],
    ['harina de garbanzo', 'Tortilla sin huevo'],
  ],
  ja: [
    ['そばアレルギーの友人', '藤堂 千尋'],
    ['海外送金', '海外送金の確認'],
    ['味噌汁', '味噌汁の作り方'],
  ],
};

const samples = ['memory.jsonl', 'conversations.json', 'notes'].map((name) => corpora('memories', name)!);
/** 300 entities and relations, 20 conversations, 30 notes. */
const SAMPLE_ITEMS = 350;

let vault: RunningVault;
const ada = new Device();
beforeAll(async () => {
  vault = await startVault();
  await ada.signUp(vault);
});

async function titlesOf(device: Device, query: string): Promise<(string | undefined)[]> {
  return (await device.json<Shown[]>('recall', '--limit', '3', ...query.split(' '))).map(({ title }) => title);
}

describe.skipIf(!needs('corpora:memories'))('a journey through the vault', () => {
  it('imports all three samples, and again without storing anything twice', async () => {
    expect(await ada.json('recall', 'peanut')).toEqual([]);
    expect(await ada.json('import', '--dry-run', ...samples)).toEqual({ items: SAMPLE_ITEMS });
    const counts = { updated: 0, deleted: 0, failed: [] };
    const imported = await ada.json<{ space: string }>('import', ...samples);
    expect(imported).toEqual({
      space: imported.space,
      items: SAMPLE_ITEMS,
      created: SAMPLE_ITEMS,
      unchanged: 0,
      ...counts,
    });
    expect(await ada.json('import', ...samples)).toMatchObject({ created: 0, unchanged: SAMPLE_ITEMS, ...counts });
  });

  it('recalls in all five languages, here and on a second computer', async () => {
    const second = new Device();
    await second.json('login', '--server', vault.url);
    for (const device of [ada, second]) {
      expect(await device.lines('unlock', '--for', '5m')).toContain('Unlocked for 5m');
      // The first one fetches and fills the cache.
      expect(await titlesOf(device, 'quokka')).toEqual([]);
    }
    let answered = 0;
    for (const [language, questions] of Object.entries(QUESTIONS)) {
      for (const [index, [query, title]] of questions.entries()) {
        // The second computer has the same memories; one question in each language shows that it can read them.
        const asked = index === 0 ? [ada, second] : [ada];
        const answers = await Promise.all(asked.map((device) => titlesOf(device, query)));
        for (const titles of answers) expect(titles, `${language}: ${query}`).toContain(title);
        answered += answers.length;
      }
    }
    figure(`${answered} questions in 5 languages answered from ${SAMPLE_ITEMS} imported memories, on 2 computers`);
    // Locked, the second computer holds nothing that opens.
    expect(await second.json('lock')).toEqual({ locked: true, wasOpen: true });
    expect(await second.json('lock')).toEqual({ locked: true, wasOpen: false });
    const locked = await second.run(['recall', 'peanut'], { environment: { STRONGROOM_PASSWORD: '' } });
    expect(locked).toMatchObject({ code: 4, stdout: '' });
    expect(locked.stderr).toMatch(/^strongroom: A password is needed: .+ \[cli\.password-needed\]\n$/);
    for (const name of ['peanut', 'Yusra', 'auto-injectors']) expect(await stateOf(second)).not.toContain(name);
    expect(await second.json('logout')).toEqual({ signedOut: true });
    expect(await second.run(['list'])).toMatchObject({ code: 4 });
  });

  it('unlocks for no longer than was said', async () => {
    const short = await ada.json('unlock', '--for', '2s');
    expect(short).toEqual({ unlocked: true, seconds: 2 });
    const withoutPassword = { environment: { STRONGROOM_PASSWORD: '' } };
    expect(await ada.run(['space', 'list'], withoutPassword)).toMatchObject({ code: 0 });
    await expect
      .poll(async () => (await ada.run(['space', 'list'], withoutPassword)).code, { timeout: 10_000 })
      .toBe(4);
  });

  it('exports, and imports what was exported into another space', async () => {
    const folder = temporaryFolder();
    const notes = join(folder, 'notes');
    const lines = join(folder, 'memories.jsonl');
    expect(await ada.json('export', notes, '--format', 'markdown')).toEqual({
      exported: SAMPLE_ITEMS,
      leftOut: 0,
      target: notes,
    });
    expect(await ada.json('export', lines)).toMatchObject({ exported: SAMPLE_ITEMS });
    expect((await stat(lines)).mode & 0o077).toBe(0);
    const exported = (await readFile(lines, 'utf8'))
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as Shown);
    expect(await readdir(notes)).toHaveLength(SAMPLE_ITEMS);

    const space = await ada.json<{ id: string; name: string; role: string }>('space', 'create', 'Copy');
    expect(space).toMatchObject({ name: 'Copy', role: 'owner' });
    expect(await ada.json('import', '--space', 'Copy', notes)).toMatchObject({
      space: space.id,
      created: SAMPLE_ITEMS,
      failed: [],
    });
    const copies = await ada.json<Shown[]>('list', '--space', space.id, '--limit', '1000');
    const content = (memories: readonly Shown[]) =>
      memories.map(({ text, tags, createdAt }) => JSON.stringify([text.trim(), tags, createdAt])).toSorted();
    expect(content(copies)).toEqual(content(exported));
    expect(await ada.json('import', lines)).toMatchObject({ created: 0, unchanged: SAMPLE_ITEMS });
    await ada.json('space', 'create', 'Lines');
    expect(await ada.json('import', '--space', 'Lines', lines)).toMatchObject({ created: SAMPLE_ITEMS, failed: [] });
    const third = await ada.json<Shown[]>('list', '--space', 'Lines', '--limit', '1000');
    expect(content(third)).toEqual(content(exported));
    const again = await ada.run(['export', lines]);
    expect(again).toMatchObject({ code: 1 });
    expect(again.stderr).toMatch(/\[cli\.unwritable-file\]\n$/);
  });

  it('remembers, recalls and forgets one memory', async () => {
    const memory = await ada.json<Shown>(
      'remember',
      'The spare key is with Ines',
      '--tag',
      'home',
      '--title',
      'Spare key',
    );
    expect(memory).toMatchObject({
      version: 1,
      title: 'Spare key',
      text: 'The spare key is with Ines',
      tags: ['home'],
    });
    const [best] = await ada.json<(Shown & { score: number })[]>('recall', 'spare key');
    expect(best).toEqual({ ...memory, score: best!.score });
    expect(await ada.run(['forget', memory.id])).toMatchObject({ code: 2 });
    expect(await ada.json('forget', memory.id, '--yes')).toEqual({ id: memory.id, forgotten: true });
    expect((await ada.json<Shown[]>('recall', 'spare key')).map(({ id }) => id)).not.toContain(memory.id);
    const gone = await ada.run(['forget', memory.id, '--yes', '--json']);
    expect(gone).toMatchObject({ code: 1, stdout: '' });
    expect(JSON.parse(gone.stderr)).toEqual({
      error: { code: 'client.unknown-memory', message: expect.any(String) as string },
    });
  });

  it('reads a memory from standard input', async () => {
    const kept = await ada.run(['remember'], { input: 'Two lines,\nas a file has them.\n' });
    expect(kept).toMatchObject({ code: 0 });
    const [found] = await ada.json<Shown[]>('recall', 'two lines file');
    expect(found).toMatchObject({ id: kept.stdout.trim(), text: 'Two lines,\nas a file has them.' });
    expect(await ada.run(['remember'], { input: '\n' })).toMatchObject({ code: 2 });
  });

  it('verifies the audit log as account and as operator, with the server running and stopped', async () => {
    const network = await ada.json<{ size: number }>('audit', 'verify');
    expect(network).toMatchObject({ ok: true, findings: [], moreFindings: false });
    // Nothing else is asked of the server in between but the reading of the log, which is itself recorded.
    const running = await ada.json<{ size: number }>('audit', 'verify', '--data', vault.data);
    expect(running).toMatchObject({ ok: true, withheldEntries: 0 });
    expect(running.size).toBeGreaterThanOrEqual(network.size);
    expect(await ada.lines('audit', 'verify')).toMatch(
      /^INTACT {2}\d+ events: \d+ recomputed.*; consistent with size \d+ seen before\./,
    );

    expect(await ada.json('doctor', '--data', vault.data)).toMatchObject({ ok: true });
    expect(await ada.run(['serve', '--data', vault.data, '--port', '0'])).toMatchObject({ code: 3 });
    expect(await vault.stop()).toBe(0);
    const stopped = await ada.json<{ size: number }>('audit', 'verify', '--data', vault.data);
    expect(stopped).toMatchObject({ ok: true, withheldEntries: 0 });
    expect(stopped.size).toBeGreaterThanOrEqual(running.size);
    figure(
      `audit log of ${stopped.size} events intact: over the network, through the socket, and from the folder of the stopped server`,
    );

    const doctor = await ada.run(['doctor', '--data', vault.data]);
    expect(doctor.code).toBe(1);
    expect(doctor.stdout).toMatch(/^FAIL {2}Server: /m);
    expect(doctor.stdout).toMatch(/^ok {4}Data folder: No server is running/m);
    const offline = await ada.run(['audit', 'verify']);
    expect(offline).toMatchObject({ code: 1, stdout: '' });
    expect(offline.stderr).toMatch(/\[client\.unreachable\]\n$/);
    vault = await vault.start();
    expect(vault.setupLink).toBeUndefined();
    expect(await ada.json('doctor', '--data', vault.data)).toMatchObject({ ok: true });
  });

  it('opens with the password only', async () => {
    const wrong = await ada.run(['list'], { environment: { STRONGROOM_PASSWORD: `${PASSWORD}!` } });
    expect(wrong).toMatchObject({ code: 4, stdout: '' });
    expect(wrong.stderr).toMatch(/^strongroom: That password does not open this vault\. \[client\.wrong-password\]\n$/);
    const stranger = new Device({ STRONGROOM_PASSWORD: `${PASSWORD}!` });
    expect(await stranger.run(['login', '--server', vault.url])).toMatchObject({ code: 4 });
    expect(await stranger.run(['list'])).toMatchObject({ code: 4 });
  });

  it('tells a damaged state folder from a signed-out one', async () => {
    const other = new Device();
    await writeFile(join(other.home, 'profile.json'), '{"format":1');
    const listed = await other.run(['list']);
    expect(listed).toMatchObject({ code: 1 });
    expect(listed.stderr).toMatch(/\[cli\.state-damaged\]\n$/);
    const doctor = await other.run(['doctor', '--server', vault.url]);
    expect(doctor).toMatchObject({ code: 1 });
    expect(doctor.stdout).toMatch(/^FAIL {2}Session: A file of the command line is damaged/m);
    // As the message says, signing in mends it.
    await other.lines('login', '--server', vault.url);
    expect(await other.json('space', 'list')).toEqual(await ada.json('space', 'list'));
  });
});

/** All that this computer keeps, as text. */
async function stateOf({ home }: Device): Promise<string> {
  const entries = await readdir(home, { recursive: true, withFileTypes: true });
  const files = entries
    .filter((entry) => entry.isFile())
    .map((entry) => readFile(join(entry.parentPath, entry.name), 'utf8'));
  return (await Promise.all(files)).join('\n');
}
