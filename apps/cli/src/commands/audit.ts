/** `strongroom audit`: what happened, proved. */
import { existsSync } from 'node:fs';
import path from 'node:path';
import { type RememberedLog, type RememberedLogStore, verifyRemoteLog } from '@strongroom/client';
import { fromBase64Url, toBase64Url } from '@strongroom/kernel';
import type { Command } from 'commander';
import type { Verification } from 'strongroom';
import { administratorSocket, askServer } from '../administrator.ts';
import { type Remembered, readRemembered, remember } from '../checkpoints.ts';
import type { CommandContext } from '../context.ts';
import { CliError } from '../errors.ts';
import { EXIT } from '../exit-codes.ts';
import { signedIn } from '../session.ts';

interface VerifyOptions {
  readonly data?: string;
  readonly databaseUrl?: string;
}

export function addAuditCommands(program: Command, context: CommandContext): void {
  const audit = program.command('audit').description('verify the audit log');

  audit
    .command('verify')
    .description('recompute the log from its events and compare it with what was verified last time')
    .option('--data <folder>', 'as operator: the data folder on this machine, server running or not')
    .option('--database-url <url>', 'as operator, with --data: the PostgreSQL database, server stopped; STRONGROOM_DATABASE_URL')
    .addHelpText(
      'after',
      `
Without --data it verifies over the network, as the signed-in account: events of other tenants take part by their hashes.
The newest checkpoint and the keys that signed it are remembered here; a log that was cut or replaced since does not pass.

Exit codes: 0 intact, ${EXIT.notIntact} not intact, 1 could not be checked.

Examples:
  strongroom audit verify
  strongroom audit verify --data .strongroom`,
    )
    .action((options: VerifyOptions) => verify(context, options));
}

async function verify(context: CommandContext, options: VerifyOptions): Promise<void> {
  const name = options.data === undefined ? 'network' : `folder:${path.resolve(options.data)}`;
  const place = options.data === undefined ? `${name}:${(await signedIn(context)).profile.server}` : name;
  const remembered = await readRemembered(context.state, place);
  const verdict =
    options.data === undefined
      ? await verifyOverNetwork(context, place)
      : await verifyOnMachine(context, options.data, options, remembered);
  if (verdict.ok && options.data !== undefined) await remember(context.state, place, verdict);
  show(context, verdict, remembered);
}

async function verifyOverNetwork(context: CommandContext, place: string): Promise<Verification> {
  const { vault } = await signedIn(context);
  let remembered: RememberedLog | null = null;
  const store: RememberedLogStore = {
    read: async () => (await readRemembered(context.state, place)) ?? null,
    write(log) {
      remembered = log;
      return remember(context.state, place, log);
    },
  };
  const progress = context.terminal().progress('Verifying');
  const verdict = await verifyRemoteLog(vault.api, store, { onProgress: (done, total) => progress.update(done, total) });
  progress.finish('');
  const { root, findings, ...rest } = verdict;
  const keys = (remembered as RememberedLog | null)?.keys ?? [];
  return { ...rest, keys: [...keys], root: toBase64Url(root), findings: [...findings] };
}

async function verifyOnMachine(
  context: CommandContext,
  data: string,
  options: VerifyOptions,
  remembered: Remembered | undefined,
): Promise<Verification> {
  const body = remembered === undefined ? {} : { remembered: { size: remembered.size, root: remembered.root }, keys: remembered.keys };
  const answer = await askServer(administratorSocket(data), 'POST', '/operator/audit/verification', body);
  if (answer !== undefined) return answer as Verification;

  const databaseUrl = options.databaseUrl ?? context.environment['STRONGROOM_DATABASE_URL'];
  if (databaseUrl === undefined && !existsSync(path.join(data, 'database'))) {
    throw new CliError('cli.unreadable-file', { detail: `There is no vault in ${data}.` });
  }
  // Loaded for this command alone: the whole service would double the start-up time of every other one.
  const { createStrongroom, verifyAuditLog } = await import('strongroom');
  const strongroom = await createStrongroom({
    data,
    log: { request: () => {}, failure: () => {}, jobFinished: () => {} },
    ...(databaseUrl === undefined ? {} : { database: { url: databaseUrl } }),
  });
  try {
    return await verifyAuditLog(strongroom.services, {
      remembered: remembered === undefined ? undefined : checkpointOf(remembered),
      keys: remembered?.keys,
    });
  } finally {
    await strongroom.close();
  }
}

const checkpointOf = ({ size, root }: Remembered) => ({ size, root: fromBase64Url(root) });

function show(context: CommandContext, verdict: Verification, remembered: Remembered | undefined): void {
  const since = remembered === undefined ? 'nothing remembered from before' : `consistent with size ${remembered.size} seen before`;
  const withheld = verdict.withheldEntries === 0 ? '' : `, ${verdict.withheldEntries} of other tenants by their hash`;
  const lines = verdict.ok
    ? [
        `INTACT  ${verdict.size} events: ${verdict.verifiedEntries} recomputed${withheld}; ${since}.`,
        `Root ${verdict.root}`,
      ]
    : [
        `NOT INTACT  ${verdict.findings.length}${verdict.moreFindings ? ' or more' : ''} differences:`,
        ...verdict.findings.map(({ where, what }) => `  ${where}: ${what}`),
      ];
  context.terminal().result(verdict, lines);
  if (!verdict.ok) context.setExitCode(EXIT.notIntact);
}
