/** The code of docs/guides/encrypt-a-column.md, run in its order as it stands there: a new column, and one that holds plaintext. */
import { spawnSync } from 'node:child_process';
import { readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { figure, temporaryFolder } from '@strongroom/testing';
import { describe, expect, it } from 'vitest';

const repository = join(import.meta.dirname, '../../..');
const page = readFileSync(join(repository, 'docs/guides/encrypt-a-column.md'), 'utf8');
const blocksOf = (language: string): string[] =>
  [...page.matchAll(new RegExp(`^ *\`\`\`${language}\\n([\\s\\S]*?)^ *\`\`\`$`, 'gm'))].map(([, block]) => block!);

const [declared, codec, used, moving, migration, ...more] = blocksOf('ts');
const [added, ...moreSql] = blocksOf('sql');

const IMPORTS = `
import { columnMigration, createEncryption, encryptedQueries, fileSlot, manifest, rowCodec, sealed, type MigrationStep } from '@strongroom/encryption';
import { defineDataMap, newUuid, personal, secret, subject, type Uuid } from '@strongroom/kernel';
import { asSystem, inInstallation, openDatabase, type Transaction } from '@strongroom/storage';
const about = { purpose: 'showing', lawfulBasis: 'contract', retention: 'until the account is deleted' } as const;
const encryption = await createEncryption({ slot: fileSlot('root') });
`;

/** Whatever the page leaves to the reader. */
const declarations = declared!.replace('…', '...about');

const NEW_COLUMN = `${IMPORTS}
interface Settings { readonly theme: string }
const dataMap = defineDataMap({
  people: {
    scope: 'installation',
    columns: {
      id: subject,
      ${declarations}
      settings: personal({ category: 'user.content', subject: 'id', ...about, protection: 'encrypted' }),
    },
  },
});
${codec}
const sql = 'create table people (id uuid primary key, email bytea not null, email_index bytea not null, settings bytea not null);';
const room = { name: 'guide', migrations: [{ name: '0001-people', sql }], dataMap };
const database = await openDatabase({ kind: 'memory' }, [manifest, room]);
interface People { id: Uuid; email: Uint8Array; email_index: Uint8Array; settings: Uint8Array }
const tables = (transaction: Transaction) => transaction.withTables<{ people: People }>();

async function use(transaction: Transaction, id: Uuid, email: string, settings: Settings) {
  ${used!.slice(0, used!.indexOf('const queries'))}
  return found;
}
async function query(transaction: Transaction, id: Uuid, email: string, settings: Settings) {
  ${used!.slice(used!.indexOf('const queries'))}
  return ada;
}
const found = await database.transaction(inInstallation, (transaction) => use(transaction, newUuid(), 'grace@example.org', { theme: 'dark' }));
const ada = await database.transaction(inInstallation, (transaction) => query(transaction, newUuid(), 'ada@example.org', { theme: 'light' }));
const stored = await database.transaction(asSystem, (transaction) => tables(transaction).selectFrom('people').selectAll().execute());
console.log(JSON.stringify({
  found: found.map(({ email, settings }) => [email, settings.theme]),
  ada: [ada!.email, ada!.settings.theme],
  stored: stored.map(({ email }) => Buffer.from(email).includes('example')),
}));
await database.close();
`;

const PLAINTEXT_COLUMN = `${IMPORTS}
const clear = personal({ category: 'user.contact.email', subject: 'id', ...about, protection: 'clear' });
const create = { name: '0001-people', sql: 'create table people (id uuid primary key, email_plain text not null);' };
const former = { name: 'guide', migrations: [create], dataMap: defineDataMap({ people: { scope: 'installation', columns: { id: subject, email_plain: clear } } }) };
interface People { id: Uuid; email_plain: string | null; email: Uint8Array | null; email_index: Uint8Array | null }
const tables = (transaction: Transaction) => transaction.withTables<{ people: People }>();
const location = { kind: 'folder', path: 'data' } as const;
const ids = Array.from({ length: 5 }, () => newUuid());
let database = await openDatabase(location, [manifest, former]);
await database.transaction(inInstallation, async (transaction) => {
  await encryption.subjects(transaction, ids, { create: true });
  await transaction.withTables<{ people: { id: Uuid; email_plain: string } }>().insertInto('people').values(ids.map((id) => ({ id, email_plain: id + '@example.org' }))).execute();
});
await database.close();

const dataMap = defineDataMap({ people: { scope: 'installation', columns: { id: subject, email_plain: clear, ${declarations} } } });
const people = rowCodec(dataMap, 'people', { row: ['id'], subject: 'id', columns: { ${moving!.replace('2027-01-31', '9999-12-31')} } });
const add = { name: '0002-sealed', sql: ${JSON.stringify(added)} };
database = await openDatabase(location, [manifest, { name: 'guide', migrations: [create, add], dataMap }]);
const phases: string[] = [];
const record = async (_: Transaction, { phase }: MigrationStep) => void phases.push(phase);
const write = (id: Uuid, email: string) => database.transaction(inInstallation, async (transaction) => {
  const rows = await people.load(encryption, transaction, [id], { create: true });
  await tables(transaction).insertInto('people').values(rows.seal({ id, email })).execute();
});
const read = () => database.transaction(inInstallation, async (transaction) =>
  (await people.openAll(encryption, transaction, await tables(transaction).selectFrom('people').selectAll().orderBy('id').execute())).map(({ email }) => email));
const stored = () => database.transaction(asSystem, async (transaction) => {
  const rows = await tables(transaction).selectFrom('people').selectAll().execute();
  return { plaintexts: rows.filter((row) => row.email_plain !== null).length, sealed: rows.filter((row) => row.email !== null).length };
});
const seen: unknown[] = [];
const expected: string[] = ids.map((id) => id + '@example.org');
const look = async (id: Uuid) => {
  await write(id, id + '@example.net');
  expected.push(id + '@example.net');
  const same = JSON.stringify(await read()) === JSON.stringify(expected);
  seen.push({ ...(await stored()), same });
};
{
  ${migration}
  await look(newUuid());
  await migration.begin();
  await look(newUuid());
  await migration.run();
  await look(newUuid());
  await migration.cutOver();
  await look(newUuid());
  await migration.drop();
  await migration.run();
  await look(newUuid());
}
await database.close();

const sealedMap = defineDataMap({ people: { scope: 'installation', columns: { id: subject, ${declarations} } } });
const plain = rowCodec(sealedMap, 'people', { row: ['id'], subject: 'id', columns: { email: sealed.text({ index: 'email_index' }) } });
const drop = { name: '0003-drop', sql: 'alter table people drop column email_plain;' };
database = await openDatabase(location, [manifest, { name: 'guide', migrations: [create, add, drop], dataMap: sealedMap }]);
const last = await database.transaction(inInstallation, async (transaction) => {
  const rows = await transaction.withTables<{ people: { id: Uuid; email: Uint8Array } }>().selectFrom('people').selectAll().orderBy('id').execute();
  return plain.openAll(encryption, transaction, rows);
});
console.log(JSON.stringify({ phases, seen, last: last.every(({ email }, index) => email === expected[index]) }));
await database.close();
`;

const OPTIONS = {
  target: 'es2024',
  module: 'nodenext',
  customConditions: ['source'],
  types: ['node'],
  strict: true,
  exactOptionalPropertyTypes: true,
  noEmit: true,
  skipLibCheck: true,
  allowImportingTsExtensions: true,
};

/** Types as well as behaviour: the page is TypeScript. */
function run(program: string): unknown {
  const folder = temporaryFolder();
  symlinkSync(join(repository, 'node_modules'), join(folder, 'node_modules'), 'junction');
  writeFileSync(join(folder, 'package.json'), '{"type":"module"}');
  writeFileSync(join(folder, 'program.ts'), program);
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions: OPTIONS, files: ['program.ts'] }));
  const node = (...parameters: string[]) =>
    spawnSync(process.execPath, parameters, { cwd: folder, encoding: 'utf8', timeout: 120_000 });
  const checked = node(join(repository, 'node_modules/typescript-7/bin/tsc'), '-p', folder);
  expect(checked.status, checked.stdout).toBe(0);
  const ended = node('--conditions=source', 'program.ts');
  expect(ended.status, ended.stderr).toBe(0);
  return JSON.parse(ended.stdout);
}

describe('the guide of columns', () => {
  it('has the blocks that are run here', () => {
    expect([more, moreSql]).toEqual([[], []]);
    expect(used).toContain('const queries');
  });

  it('encrypts a new column, by itself and through Kysely', { timeout: 300_000 }, () => {
    expect(run(NEW_COLUMN)).toEqual({
      found: [['grace@example.org', 'dark']],
      ada: ['ada@example.org', 'light'],
      stored: [false, false],
    });
  });

  it('encrypts one that holds plaintext, while it is read and written', { timeout: 300_000 }, () => {
    expect(run(PLAINTEXT_COLUMN)).toEqual({
      phases: ['dual-writing', 'backfilling', 'verifying', 'verified', 'cut-over', 'dropping', 'dropped'],
      seen: [
        { plaintexts: 6, sealed: 0, same: true },
        { plaintexts: 7, sealed: 1, same: true },
        { plaintexts: 8, sealed: 8, same: true },
        { plaintexts: 8, sealed: 9, same: true },
        { plaintexts: 0, sealed: 10, same: true },
      ],
      last: true,
    });
    figure('6 code blocks of docs/guides/encrypt-a-column.md checked by the compiler and run as they stand there');
  });
});
