/**
 * What the server learns of memories: its data folder, logs, metrics and its whole memory are searched for strings that people
 * planted in theirs, and for what opens them. Each search also looks for something that must be there, so that finding
 * nothing means something.
 */
import { createHash, randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fromBase64Url, newUuid } from '@strongroom/kernel';
import { deriveCredentials, deriveRecoveryCredentials } from '@strongroom/sealing';
import {
  ByteScanner,
  disguises,
  figure,
  filesBelow,
  needs,
  temporaryFolder,
  type Hit,
  type Pattern,
} from '@strongroom/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Profile } from './profile.ts';
import { Device, PASSWORD, type RunningVault, startVault } from './running-vault.fixture.ts';

/** Different at every run, so that no earlier file holds it; the letters make it visible to a person who looks. */
const unique = (word: string): string => `${word}-${randomBytes(9).toString('hex')}`;

const EMAIL = `${unique('address')}@example.org`;
const NAME = unique('Control Person');
/** Sent by a client that forgot to encrypt. */
const CLEAR = unique('written in clear');

const remembered = {
  text: unique('spare key under the third flowerpot'),
  textWithMany: unique('gate code'),
  title: unique('A title'),
  longTitle: unique('What the doctor said on the second of May'),
  tag: unique('tag'),
  secondTag: unique('another tag'),
  german: `Übergabe der Schlüssel an Frau Größe ${randomBytes(9).toString('hex')}`,
  japanese: `合鍵は植木鉢の下にある。${[...randomBytes(12)].map((byte) => String.fromCodePoint(0x4e00 + byte)).join('')}`,
  standardInput: unique('piped in'),
  paragraph: unique('in the middle of a long paragraph'),
  forgotten: unique('to be forgotten'),
  spaceName: unique('Space'),
  query: unique('words looked for'),
};

const imported = {
  entityName: unique('Entity_Name'),
  observation: unique('observed once'),
  relationType: unique('is_related_to'),
  conversationTitle: unique('Conversation'),
  question: unique('asked the assistant'),
  noteText: unique('noted down'),
  noteTag: unique('note-tag'),
  noteFile: unique('file-name'),
  frontMatter: unique('front-matter-field'),
};

const canaries: Readonly<Record<string, string>> = { ...remembered, ...imported };

const patternsOf = (secrets: Readonly<Record<string, string | Uint8Array>>): Pattern[] =>
  Object.entries(secrets).flatMap(([name, secret]) => disguises(name, secret));

/** Sentences of a log, from a known place: what must be found there. */
const inLogs = disguises('route', '/v1/spaces/{space}/memories/batch');
const inMetrics = disguises('metric', 'strongroom_requests_total');
/** In clear in a file, and, being needed to find anything, in clear in the database. */
const PLANTED = unique('planted in a file');
const MEMORY = newUuid();
const inFolder = [...disguises('planted file', PLANTED), ...disguises('memory id', MEMORY)];
const FOUND_IN_FOLDER = ['memory id as plain bytes', 'planted file as plain bytes'];
/** The sealed token has another layer on the disk, so what a client sends in clear is in memory only. */
const inMemory = [...disguises('clear canary', CLEAR), ...disguises('displayName', NAME)];

const names = (hits: readonly Hit[]): string[] => [...new Set(hits.map(({ name }) => name))].toSorted();

let vault: RunningVault;
const ada = new Device({ STRONGROOM_EMAIL: EMAIL, STRONGROOM_NAME: NAME });
/** What must stay on people's devices. */
const deviceOnly: Record<string, string | Uint8Array> = { password: PASSWORD };
/** What the server checks and may hold in memory for the moment of checking, never anywhere that lasts. */
const passing: Record<string, string | Uint8Array> = { email: EMAIL, displayName: NAME, clear: CLEAR };

function writeSources(folder: string): string[] {
  const {
    entityName,
    observation,
    relationType,
    conversationTitle,
    question,
    noteText,
    noteTag,
    noteFile,
    frontMatter,
  } = imported;
  const lines = [
    { type: 'entity', name: entityName, entityType: 'person', observations: ['first', observation] },
    { type: 'relation', from: entityName, to: 'Somebody', relationType },
  ];
  const memory = join(folder, 'memory.jsonl');
  writeFileSync(memory, lines.map((line) => `${JSON.stringify(line)}\n`).join(''));
  const message = {
    id: 'b',
    author: { role: 'user' },
    create_time: 1_750_000_000,
    content: { content_type: 'text', parts: [question] },
  };
  const mapping = {
    a: { id: 'a', message: null, parent: null, children: ['b'] },
    b: { id: 'b', message, parent: 'a', children: [] },
  };
  const conversation = {
    title: conversationTitle,
    create_time: 1_750_000_000,
    update_time: 1_750_000_001,
    current_node: 'b',
    mapping,
    id: 'c',
    conversation_id: 'c',
  };
  const conversations = join(folder, 'conversations.json');
  writeFileSync(conversations, JSON.stringify([conversation]));
  const notes = join(folder, 'notes');
  mkdirSync(notes);
  writeFileSync(join(notes, `${noteFile}.md`), `---\ntags: [${noteTag}]\nfield: ${frontMatter}\n---\n\n${noteText}\n`);
  return [memory, conversations, notes];
}

/** A whole Fernet token for all the server can tell, with the canary where ciphertext should be. */
function tokenInClear(text: string): string {
  const content = Buffer.from(text);
  const padded = Buffer.concat([content, Buffer.alloc(16 - (content.length % 16), 0x20)]);
  return Buffer.concat([Buffer.from([0x80]), Buffer.alloc(24), padded, Buffer.alloc(32)]).toString('base64url');
}

const readProfile = (): Profile => JSON.parse(readFileSync(join(ada.home, 'profile.json'), 'utf8')) as Profile;

async function collectSecrets(recoveryCode: string): Promise<void> {
  const { record, token } = readProfile();
  const { authenticationSecret, unlockKey } = await deriveCredentials(
    PASSWORD,
    fromBase64Url(record.salt),
    record.parameters,
  );
  const recovery = await deriveRecoveryCredentials(recoveryCode);
  Object.assign(deviceOnly, {
    recoveryCode,
    recoveryCodeWithoutHyphens: recoveryCode.replaceAll('-', ''),
    unlockKey: unlockKey.reveal(),
  });
  deviceOnly['recoveryKey'] = recovery.recoveryKey.reveal();
  const recoveryAuthenticationSecret = recovery.recoveryAuthenticationSecret.reveal();
  Object.assign(passing, {
    authenticationSecret: authenticationSecret.reveal(),
    recoveryAuthenticationSecret,
    sessionToken: token,
  });
  // A hash of it without a key would let a thief of the database guess passwords cheaply.
  passing['authenticationSecretHash'] = createHash('sha256').update(authenticationSecret.reveal()).digest();
}

beforeAll(async () => {
  vault = await startVault({ parameters: ['--log-level', 'debug'] });
  passing['setUpToken'] = vault.setupLink!.split('#')[1]!;
  const recoveryCode = await ada.signUp(vault);
  await collectSecrets(recoveryCode);
  const space = await ada.json<{ id: string }>('space', 'create', remembered.spaceName);
  const keep = (...parameters: readonly string[]) => ada.json<{ id: string }>('remember', ...parameters);
  await ada.lines('unlock', '--for', '10m');
  await keep(remembered.text, '--title', remembered.title, '--tag', remembered.tag, '--tag', remembered.secondTag);
  await keep(`${remembered.textWithMany} `.repeat(2000), '--title', remembered.longTitle);
  await keep(remembered.german);
  await keep(remembered.japanese, '--space', space.id);
  await keep(`${'Many words go before it. '.repeat(50)}${remembered.paragraph}${' And many after.'.repeat(50)}`);
  await ada.run(['remember'], { input: remembered.standardInput });
  const { id } = await keep(remembered.forgotten);
  await ada.lines('forget', id, '--yes');
  expect(await ada.json('import', ...writeSources(temporaryFolder()))).toMatchObject({ created: 4, failed: [] });
  await ada.lines('recall', remembered.query);
  const memory = { id: MEMORY, epoch: 1, token: tokenInClear(CLEAR) };
  const answer = await fetch(`${vault.url}/v1/spaces/${space.id}/memories`, {
    method: 'POST',
    headers: { authorization: `Bearer ${readProfile().token}`, 'content-type': 'application/json' },
    body: JSON.stringify(memory),
  });
  expect(answer.status).toBe(201);
  writeFileSync(join(vault.data, 'planted'), `before ${PLANTED} after`);
});
afterAll(() => ada.run(['lock']));

describe('a blind server', () => {
  it('was given every canary, as its owner can see', async () => {
    const all = await Promise.all(
      ['Personal', remembered.spaceName].map((space) => ada.run(['export', '-', '--space', space])),
    );
    const opened = all.map(({ stdout }) => stdout).join('\n');
    const found = Object.entries(canaries)
      .filter(([, text]) => opened.includes(text))
      .map(([name]) => name);
    // A name of a space, a query and a forgotten memory are in no export.
    const absent = new Set(['forgotten', 'spaceName', 'query']);
    expect(found.toSorted()).toEqual(
      Object.keys(canaries)
        .filter((name) => !absent.has(name))
        .toSorted(),
    );
    expect((await ada.json<{ name: string }[]>('space', 'list')).map(({ name }) => name)).toContain(
      remembered.spaceName,
    );
  });

  it('writes none of it into data folder, logs and metrics, neither while it runs nor after it stopped', async () => {
    const secrets = patternsOf({ ...canaries, ...deviceOnly, ...passing });
    const metrics = join(temporaryFolder(), 'metrics');
    writeFileSync(metrics, await (await fetch(vault.metricsUrl!)).text());
    const scanner = new ByteScanner([...secrets, ...inFolder, ...inLogs, ...inMetrics]);
    expect(names(scanner.scanFolder(vault.data))).toEqual(FOUND_IN_FOLDER);
    expect(names(scanner.scanFile(vault.logs.error))).toEqual(['route as plain bytes']);
    expect(names(scanner.scanFile(metrics))).toEqual(
      expect.arrayContaining(['metric as plain bytes', 'route as plain bytes']),
    );
    expect(names(scanner.scanFile(metrics))).toHaveLength(2);
    // The set-up link is printed there, once, for the person at the machine.
    expect(names(scanner.scanFile(vault.logs.output))).toEqual(['setUpToken as plain bytes']);
    const files = filesBelow(vault.data);
    const bytes = files.reduce((sum, file) => sum + (existsSync(file) ? statSync(file).size : 0), 0);
    figure(
      `0 hits for ${Object.keys(canaries).length} canaries and ${Object.keys({ ...deviceOnly, ...passing }).length} secrets in ${secrets.length} forms in ` +
        `${files.length} files of the data folder (${Math.round(bytes / 1e6)} MB), logs and metrics; what was planted in clear was found`,
    );
  });

  it.skipIf(!needs('process-memory'))('holds none of it in memory', () => {
    const secrets = patternsOf({ ...canaries, ...deviceOnly });
    const scanner = new ByteScanner([...secrets, ...inMemory]);
    process.kill(vault.pid, 'SIGSTOP');
    const { hits, bytes } = scanner.scanMemory(vault.pid);
    process.kill(vault.pid, 'SIGCONT');
    // The name is shown to its owner in every answer about the account; the canary in clear came and was stored.
    const isControl = (name: string) => /^(?:displayName|clear canary) as /.test(name);
    expect(names(hits).filter(isControl)).toEqual(
      expect.arrayContaining(['clear canary as plain bytes', 'displayName as plain bytes']),
    );
    expect(names(hits).filter((name) => !isControl(name))).toEqual([]);
    figure(
      `0 hits in ${Math.round(bytes / 1e6)} MB of the server's memory; display name and the canary sent in clear were found`,
    );
  });

  it('after an orderly end as well', async () => {
    expect(await vault.stop()).toBe(0);
    const scanner = new ByteScanner([...patternsOf({ ...canaries, ...deviceOnly, ...passing }), ...inFolder]);
    expect(names(scanner.scanFolder(vault.data))).toEqual(FOUND_IN_FOLDER);
    expect(names(scanner.scanFile(vault.logs.error))).toEqual([]);
  });
});
