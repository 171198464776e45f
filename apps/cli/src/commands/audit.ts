/** `strongroom audit`: what happened, proved. */
import { readFile } from 'node:fs/promises';
import type { Policy } from '@strongroom/audit-log/verify';
import { type RememberedLogStore, verifyRemoteLog } from '@strongroom/client';
import { fromBase64Url, toBase64Url } from '@strongroom/kernel';
import type { Command } from 'commander';
import type { Verification } from 'strongroom';
import { administratorSocket, askServer } from '../administrator.ts';
import { type Remembered, readRemembered, remember } from '../checkpoints.ts';
import type { CommandContext } from '../context.ts';
import { CliError } from '../errors.ts';
import { EXIT, withExitCodes } from '../exit-codes.ts';
import { collect } from '../option-values.ts';
import { signedIn } from '../session.ts';
import { addWitnessCommands, addWitnessPolicyCommand } from './audit-witness.ts';
import { addExportCommands, addExportEventsCommand } from './audit-export.ts';
import { type LogOptions, withStopped } from '../stopped-vault.ts';
import { folderPlace, networkPlace } from './audit-log-access.ts';
import { addReconcileCommand } from './audit-reconcile.ts';
import { addRetentionCommands } from './audit-retention.ts';
import { addSearchCommand } from './audit-search.ts';
import { addSinkCommands } from './audit-sinks.ts';
import { isOffline, type OfflineOptions, readYardstick, STANDING_EXIT, verifyOffline } from './audit-offline.ts';

interface VerifyOptions extends LogOptions, OfflineOptions {}

export function addAuditCommands(program: Command, context: CommandContext): void {
  const audit = program.command('audit').description('search and verify the audit log, export it, and hand out proofs');

  withExitCodes(audit.command('verify'), {
    [EXIT.ok]: "WITNESSED, or intact where no policy was given for a log of one's own",
    [EXIT.failed]: 'could not be checked',
    [EXIT.notIntact]: 'INVALID',
    [EXIT.diverged]: 'DIVERGED: sound, but not the log that was seen before or elsewhere',
    [EXIT.unanchored]: "UNANCHORED: sound, but not cosigned by the policy's quorum",
  })
    .description('recompute the log from its events and compare it with what was verified last time')
    .option('--data <folder>', 'as operator: the data folder on this machine, server running or not')
    .option(
      '--database-url <url>',
      'as operator, with --data: the PostgreSQL database, server stopped; STRONGROOM_DATABASE_URL',
    )
    .option('--bundle <file>', 'a bundle, offline')
    .option('--tiles <folder>', 'any C2SP tile log as it is published, offline')
    .option('--proof <file>', 'a C2SP tlog-proof, offline')
    .option('--entry <file>', 'with --proof: the bytes of the entry, where the proof does not show an event')
    .option('--key <vkey>', 'verifier key of the log; repeat it when several must have signed', collect)
    .option('--origin <text>', 'first line of its checkpoints, where that is not the name of the key')
    .option(
      '--policy <file>',
      'C2SP tlog-policy: the witnesses that must have cosigned, and the logs where no --key names one',
    )
    .option('--seen <file>', 'a checkpoint of this log from elsewhere; may be repeated', collect)
    .option(
      '--handover <file>',
      'a change of the keys of this log, where nothing else shows it; may be repeated',
      collect,
    )
    .addHelpText(
      'after',
      `
Without --data it verifies over the network, as the signed-in account: events of other tenants take part by their hashes.
The newest checkpoint and the keys that signed it are remembered here; a log that was cut or replaced since does not pass.
With --bundle, --tiles or --proof nothing is asked but the file.

Examples:
  strongroom audit verify
  strongroom audit verify --data .strongroom
  strongroom audit verify --bundle log.bundle --policy witnesses.policy`,
    )
    .action((options: VerifyOptions) =>
      isOffline(options) ? verifyOffline(context, options) : verify(context, options),
    );
  addSearchCommand(audit, context);
  addReconcileCommand(audit, context);
  addExportCommands(audit, context);
  addExportEventsCommand(audit, context);
  addSinkCommands(audit, context);
  addRetentionCommands(audit, context);
  addWitnessPolicyCommand(audit, context);
  addWitnessCommands(program, context);
}

async function verify(context: CommandContext, options: VerifyOptions): Promise<void> {
  const { data } = options;
  const { keys, origin, ...yardstick } = await readYardstick(options);
  if (keys !== undefined || origin !== undefined) {
    throw new CliError('cli.usage', { detail: '--key and --origin are for --bundle, --tiles and --proof.' });
  }
  const place = data === undefined ? networkPlace((await signedIn(context)).profile.server) : folderPlace(data);
  const remembered = await readRemembered(context.state, place);
  const verdict =
    data === undefined
      ? await verifyOverNetwork(context, place, yardstick)
      : await verifyOnMachine(context, data, options, { ...yardstick, remembered });
  if (verdict.ok && data !== undefined) await remember(context.state, place, verdict);
  show(context, verdict, { remembered, isPolicyGiven: yardstick.policy !== undefined });
}

interface Yardstick {
  readonly policy?: Policy;
  readonly seen: readonly string[];
}

async function verifyOverNetwork(context: CommandContext, place: string, yardstick: Yardstick): Promise<Verification> {
  const { vault } = await signedIn(context);
  const store: RememberedLogStore = {
    read: async () => (await readRemembered(context.state, place)) ?? null,
    write: (log) => remember(context.state, place, log),
  };
  const progress = context.terminal().progress('Verifying');
  const options = { ...yardstick, onProgress: (done: number, total: number) => progress.update(done, total) };
  const verdict = await verifyRemoteLog(vault.api, store, options);
  progress.finish('');
  const { root, findings, ...rest } = verdict;
  return { ...rest, keys: [...rest.keys], root: toBase64Url(root), findings: [...findings] };
}

async function verifyOnMachine(
  context: CommandContext,
  data: string,
  options: VerifyOptions,
  { remembered, seen }: Yardstick & { readonly remembered: Remembered | undefined },
): Promise<Verification> {
  const policy = options.policy === undefined ? undefined : await readFile(options.policy, 'utf8');
  const body = {
    ...(remembered === undefined
      ? {}
      : { remembered: { size: remembered.size, root: remembered.root }, keys: remembered.keys }),
    ...(policy === undefined ? {} : { policy }),
    ...(seen.length === 0 ? {} : { seen }),
  };
  const answer = await askServer(administratorSocket(data), 'POST', '/operator/audit/verification', body);
  if (answer !== undefined) return answer as Verification;
  return withStopped(context, data, options, async ({ services }) => {
    const { verifyAuditLog } = await import('strongroom');
    return verifyAuditLog(services, {
      remembered: remembered === undefined ? undefined : checkpointOf(remembered),
      keys: remembered?.keys,
      policy,
      seen,
    });
  });
}

const checkpointOf = ({ size, root }: Remembered) => ({ size, root: fromBase64Url(root) });

interface Asked {
  readonly remembered: Remembered | undefined;
  readonly isPolicyGiven: boolean;
}

function show(context: CommandContext, verdict: Verification, { remembered, isPolicyGiven }: Asked): void {
  const since =
    remembered === undefined ? 'nothing remembered from before' : `consistent with size ${remembered.size} seen before`;
  const withheld = verdict.withheldEntries === 0 ? '' : `, ${verdict.withheldEntries} of other tenants by their hash`;
  const redacted = verdict.redactedEntries === 0 ? '' : `, ${verdict.redactedEntries} redacted`;
  const removed = verdict.removedEntries === 0 ? '' : `, ${verdict.removedEntries} removed by retention`;
  const anchored =
    verdict.standing === 'WITNESSED'
      ? `WITNESSED up to ${verdict.witnessedSize} events.`
      : 'UNANCHORED: not cosigned as the policy asks.';
  const lines = verdict.ok
    ? [
        `INTACT  ${verdict.size} events: ${verdict.verifiedEntries} recomputed${withheld}${redacted}${removed}; ${since}.`,
        `Root ${verdict.root}`,
        ...(isPolicyGiven ? [anchored] : []),
      ]
    : [
        `NOT INTACT, ${verdict.standing}  ${verdict.findings.length}${verdict.moreFindings ? ' or more' : ''} differences:`,
        ...verdict.findings.map(({ where, what }) => `  ${where}: ${what}`),
      ];
  context.terminal().result(verdict, lines);
  // Who names no witnesses for a log of their own has not asked for any.
  if (!verdict.ok || isPolicyGiven) context.setExitCode(STANDING_EXIT[verdict.standing]);
}
