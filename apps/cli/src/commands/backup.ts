/** `strongroom backup`: everything the server holds, encrypted for whoever keeps it. */
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import type { BackupSummary, ReadBackupOptions } from '@strongroom/backup';
import type { Command } from 'commander';
import { administratorSocket, askServer } from '../administrator.ts';
import type { CommandContext } from '../context.ts';
import { CliError } from '../errors.ts';
import { collect, readText } from '../option-values.ts';
import { databaseOf, withStopped } from '../stopped-vault.ts';
import { recipientsOf } from './keys-access.ts';

/** Milliseconds between two questions how far it has come. */
const POLL = 200;

interface Place {
  readonly data: string;
  readonly databaseUrl?: string;
  readonly databaseOwnerUrl?: string;
}

interface CreateOptions extends Place {
  readonly recipient?: readonly string[];
  readonly recipientFile?: readonly string[];
  readonly keysOnly?: true;
}

interface Identities {
  readonly identity: readonly string[];
}

interface RestoreOptions extends Place, Identities {
  readonly keys?: string;
}

const DATABASE_URL = [
  '--database-url <url>',
  'the PostgreSQL database instead of the embedded one; STRONGROOM_DATABASE_URL',
] as const;
const IDENTITY = [
  '--identity <file>',
  'file with an identity (AGE-SECRET-KEY-…); may be given several times',
  collect,
] as const;

export function addBackupCommands(program: Command, context: CommandContext): void {
  const backup = program
    .command('backup')
    .description('make, check and restore encrypted backups of the server, as its operator');

  backup
    .command('keygen')
    .argument('<file>', 'a new file for the secret identity')
    .description('make an identity; what is printed is the recipient to make backups for')
    .option('--post-quantum', 'hybrid with ML-KEM-768; opened by this command, not by age before version 1.3')
    .addHelpText(
      'after',
      '\nKeep the file away from the server: backups are made without it.\n\nExample:\n  strongroom backup keygen backup-identity.txt',
    )
    .action((file: string, options: { postQuantum?: true }) => keygen(context, file, options.postQuantum === true));

  backup
    .command('create')
    .argument('<file>', 'a new file')
    .description('write the whole database, as of one moment, into an age file; the server may be running')
    .requiredOption('--data <folder>', 'the data folder')
    .option(...DATABASE_URL)
    .option('--recipient <recipient>', 'age1… or age1pq1…, who can open it; may be given several times', collect)
    .option('--recipient-file <file>', 'file with recipients, one in a line', collect)
    .option('--keys-only', 'only the wrapped keys of people, needed with older backups once somebody was erased')
    .addHelpText(
      'after',
      '\nThe root key is never inside: keep a copy of keys/root apart from the backups.\n\nExample:\n  strongroom backup create vault.age --data .strongroom --recipient age1…',
    )
    .action((file: string, options: CreateOptions) => create(context, path.resolve(file), options));

  backup
    .command('verify')
    .argument('<file>', 'the backup')
    .description('decrypt and check a backup from its first to its last byte')
    .requiredOption(...IDENTITY)
    .addHelpText('after', '\nExample:\n  strongroom backup verify vault.age --identity backup-identity.txt')
    .action((file: string, options: Identities) => verify(context, file, options));

  backup
    .command('restore')
    .argument('<file>', 'the backup')
    .description('load a backup into an empty database; the server must not be running')
    .requiredOption(...IDENTITY)
    .requiredOption('--data <folder>', 'the data folder, with the root key in keys/root and no database yet')
    .option(...DATABASE_URL)
    .option('--database-owner-url <url>', 'role that creates the tables; STRONGROOM_DATABASE_OWNER_URL')
    .option(
      '--keys <path>',
      'the newest backup or copy of the keys, or the folder of the copies, when people were erased since the backup was made',
    )
    .addHelpText(
      'after',
      `
Everybody signs in again afterwards. Whatever goes wrong, the database stays empty and the restore can be repeated.

Examples:
  strongroom backup restore vault.age --identity backup-identity.txt --data restored
  strongroom backup restore vault.age --identity backup-identity.txt --data restored --keys newest.age`,
    )
    .action((file: string, options: RestoreOptions) => restore(context, file, options));
}

async function keygen(context: CommandContext, file: string, postQuantum: boolean): Promise<void> {
  const { generateIdentity } = await import('@strongroom/backup');
  const { identity, recipient } = await generateIdentity(postQuantum ? 'hybrid' : 'x25519');
  try {
    await writeFile(file, `# public key: ${recipient}\n${identity}\n`, { flag: 'wx', mode: 0o600 });
  } catch (cause) {
    throw new CliError('cli.unwritable-file', { detail: `${file} (an existing one is not overwritten)`, cause });
  }
  context.terminal().result({ recipient, file }, [recipient]);
}

async function create(context: CommandContext, file: string, options: CreateOptions): Promise<void> {
  const recipients = await recipientsOf(options);
  const request = { path: file, recipients, keysOnly: options.keysOnly === true };
  const progress = context.terminal().progress('Backing up');
  const onProgress = (done: number, total: number): void => progress.update(done, total);
  const summary =
    (await createOnServer(options.data, request, onProgress)) ??
    (await withStopped(context, options.data, options, ({ services }) =>
      services.backups.create({ ...request, onProgress }, 'command-line'),
    ));
  progress.finish('');
  show(context, file, summary, 'written');
}

type Request = { readonly path: string; readonly recipients: readonly string[]; readonly keysOnly: boolean };
type OnProgress = (done: number, total: number) => void;

/** The running server writes the file; undefined when none is running. */
async function createOnServer(
  data: string,
  request: Request,
  onProgress: OnProgress,
): Promise<BackupSummary | undefined> {
  const socket = administratorSocket(data);
  const begun = (await askServer(socket, 'POST', '/operator/backups', request)) as { readonly id: string } | undefined;
  if (begun === undefined) return undefined;
  for (;;) {
    const answer = (await askServer(socket, 'GET', `/operator/backups/${begun.id}`)) as
      | { readonly done: number; readonly total: number; readonly summary: BackupSummary | null }
      | undefined;
    if (answer === undefined)
      throw new CliError('cli.server-unreachable', { detail: 'It stopped, and no backup was made.' });
    onProgress(answer.done, answer.total);
    if (answer.summary !== null) return answer.summary;
    await pause(POLL);
  }
}

async function readOptions(
  context: CommandContext,
  title: string,
  file: string,
  { identity }: Identities,
): Promise<ReadBackupOptions & { readonly finish: () => void }> {
  const identities = await Promise.all(identity.map(readText));
  const progress = context.terminal().progress(title);
  return {
    path: file,
    identities,
    onProgress: (done, total) => progress.update(done, total),
    finish: () => progress.finish(''),
  };
}

async function verify(context: CommandContext, file: string, options: Identities): Promise<void> {
  const { verifyBackup } = await import('@strongroom/backup');
  const { finish, ...reading } = await readOptions(context, 'Verifying', file, options);
  const summary = await verifyBackup(reading);
  finish();
  show(context, file, summary, 'complete and unchanged');
}

async function restore(context: CommandContext, file: string, options: RestoreOptions): Promise<void> {
  if ((await askServer(administratorSocket(options.data), 'GET', '/operator/status')) !== undefined) {
    throw new CliError('cli.usage', { detail: `A server is running on ${options.data}; stop it first.` });
  }
  const { finish, ...reading } = await readOptions(context, 'Restoring', file, options);
  const database = databaseOf(context, options);
  const { restoreVault } = await import('strongroom');
  const summary = await restoreVault({
    ...reading,
    data: options.data,
    keys: options.keys,
    ...(database === undefined ? {} : { database }),
  });
  finish();
  show(context, file, summary, 'restored');
}

function show(context: CommandContext, file: string, summary: BackupSummary, what: string): void {
  const { rows, tables, bytes, createdAt, program, whole } = summary;
  const filled = tables.filter((table) => table.rows > 0);
  context
    .terminal()
    .result({ file, ...summary }, [
      `${file}: ${what}. ${whole ? '' : 'Keys only: '}${rows} rows in ${filled.length} tables, ${bytes} bytes.`,
      `As of ${createdAt}, by version ${program}.`,
      ...filled.map((table) => `  ${table.name}: ${table.rows}`),
    ]);
}
