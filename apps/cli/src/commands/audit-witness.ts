/** `strongroom witness serve`, which vouches for logs of others, and `strongroom audit witness`, which says who vouches for the own one. */
import { hash } from 'node:crypto';
import {
  formatVerifierKey,
  parsePolicy,
  parseVerifierKey,
  policyOfKeys,
  type VerifierKey,
} from '@strongroom/audit-log/verify';
import { systemClock } from '@strongroom/kernel';
import type { Command } from 'commander';
import { administratorSocket, askServer } from '../administrator.ts';
import type { CommandContext } from '../context.ts';
import { CliError } from '../errors.ts';
import { onMachine, type Place } from '../on-machine.ts';
import { collect, readBytes, readText, wholeNumber } from '../option-values.ts';
import { recorded } from '../recorded.ts';
import { withStopped } from '../stopped-vault.ts';
import { withLog } from './audit-log-access.ts';

/** Next to the vault's own default. */
const DEFAULT_PORT = '7768';

interface ServeOptions {
  readonly name: string;
  readonly data: string;
  readonly log?: readonly string[];
  readonly policy?: string;
  readonly host: string;
  readonly port: string;
}

export function addWitnessCommands(program: Command, context: CommandContext): void {
  const witness = program.command('witness').description('vouch for the audit logs of others');
  witness
    .command('serve')
    .description('cosign checkpoints of known logs as long as they only grow (C2SP tlog-witness)')
    .requiredOption('--name <name>', 'name of this witness, such as witness.example.org')
    .requiredOption('--data <folder>', 'where its keys and what it cosigned are kept')
    .option('--log <vkey>', 'verifier key of a log to vouch for; may be repeated', collect)
    .option('--policy <file>', 'C2SP tlog-policy whose log lines name the logs')
    .option('--host <address>', 'address to listen on', '127.0.0.1')
    .option('--port <number>', 'port to listen on; 0 for any', DEFAULT_PORT)
    .addHelpText(
      'after',
      `
The folder is what keeps a witness honest: restored from a copy, it could cosign a second history. Run it on another machine, for another
organisation than the log.

Example:
  strongroom witness serve --name witness.example.org --data witness --log "$(cat log.vkey)"`,
    )
    .action((options: ServeOptions) => serve(context, options));
}

async function serve(context: CommandContext, options: ServeOptions): Promise<void> {
  const logs = await logKeys(options);
  if (logs.length === 0) throw new CliError('cli.usage', { detail: 'Name a log to vouch for: --log or --policy.' });
  const port = wholeNumber(options.port, '--port', 0, 65_535);
  const { createWitness, openWitnessFolder, serveWitness } = await import('@strongroom/audit-log');
  const folder = await openWitnessFolder(options.data, options.name);
  const witness = createWitness({ cosigners: folder.cosigners, logs, state: folder.state, clock: systemClock });
  const onFailure = (error: unknown) => context.fail(error);
  try {
    const server = await serveWitness(witness, { host: options.host, port, onFailure });
    const keys = witness.keys.map(formatVerifierKey);
    context
      .terminal()
      .result({ url: server.url, keys }, [`The witness is at ${server.url}`, ...keys.map((key) => `Key ${key}`)]);
    await new Promise<void>((resolve) => {
      process.once('SIGINT', () => resolve()).once('SIGTERM', () => resolve());
    });
    await server.close();
  } finally {
    await folder.close();
  }
}

async function logKeys({ log = [], policy }: ServeOptions): Promise<VerifierKey[]> {
  // As bytes, which its names are.
  const named = policy === undefined ? [] : parsePolicy(await readBytes(policy)).logs.map(({ key }) => key);
  return [...log.map((key) => parseVerifierKey(key)), ...named];
}

interface PolicyOptions extends Place {
  readonly policy?: string;
  readonly remove?: boolean;
  readonly ownKeys?: boolean;
}

interface Witnessing {
  readonly size: number;
  readonly witnessedSize: number;
  readonly problems: readonly { readonly witness: string; readonly problem: string }[];
}

export function addWitnessPolicyCommand(audit: Command, context: CommandContext): void {
  onMachine(audit.command('witness'))
    .description('say which witnesses are asked to cosign the own log')
    .option('--policy <file>', 'C2SP tlog-policy; each witness needs its address')
    .option('--remove', 'ask nobody any more')
    .option('--own-keys', 'write the keys of the own log, for those who run witnesses')
    .addHelpText(
      'after',
      `
Every checkpoint is sent to the witnesses within seconds; \`strongroom audit verify --policy <file>\` says whether enough of them signed.
Without --policy and --remove it shows the policy that holds, asks the witnesses for the newest checkpoint, and says why those refuse who do.

--own-keys writes a policy file with nothing but the keys that have ever signed the log, the former ones first. Whoever runs a witness for this log starts it
with that file, and again with a new one after each \`audit checkpoint --rotate-key\`: witnesses do not follow by themselves.

Examples:
  strongroom audit witness --data .strongroom --own-keys > log.policy
  strongroom witness serve --name witness.example.org --data witness --policy log.policy
  strongroom audit witness --data .strongroom --policy witnesses.policy
  strongroom audit witness --data .strongroom`,
    )
    .action((options: PolicyOptions) =>
      options.ownKeys === true ? writeOwnKeys(context, options) : setPolicy(context, options),
    );
}

const ROUTE = '/operator/audit/witness-policy';
const ASKED_ROUTE = '/operator/audit/witnessing';

async function setPolicy(context: CommandContext, options: PolicyOptions): Promise<void> {
  const { data, remove = false } = options;
  if (remove && options.policy !== undefined) throw new CliError('cli.usage', { detail: 'Give --policy or --remove.' });
  const wanted = options.policy === undefined ? null : await readText(options.policy);
  const isChange = remove || wanted !== null;
  const socket = administratorSocket(data);
  if (!isChange) return show(context, options);
  const answer = await askServer(socket, 'PUT', ROUTE, { policy: wanted });
  const policy = answer === undefined ? await whileStopped() : (answer as { readonly policy: string | null }).policy;
  context.terminal().result({ policy }, [policy ?? NOBODY]);

  function whileStopped(): Promise<string | null> {
    return withStopped(context, data, options, async ({ services }) => {
      const { readWitnessPolicy, writeWitnessPolicy } = await import('@strongroom/audit-log');
      return recorded(services, async (transaction, now) => {
        const before = await readWitnessPolicy(transaction);
        await writeWitnessPolicy(transaction, wanted, now);
        const details = { witnesses: wanted === null ? 0 : parsePolicy(wanted).witnesses.length };
        const digests = { before: digestOf(before), after: digestOf(wanted) };
        return [wanted, { type: 'audit.witnesses-changed', details, digests }];
      });
    });
  }
}

const NOBODY = 'No witnesses are asked.';

/** The policy that holds, and what the witnesses answer. */
async function show(context: CommandContext, options: PolicyOptions): Promise<void> {
  const socket = administratorSocket(options.data);
  const answer = (await askServer(socket, 'GET', ROUTE)) as { readonly policy: string | null } | undefined;
  const { policy, witnessing } =
    answer === undefined
      ? await whileStopped()
      : { ...answer, ...((await askServer(socket, 'GET', ASKED_ROUTE)) as { readonly witnessing: Witnessing | null }) };
  const lines =
    witnessing === null
      ? []
      : [
          `Cosigned are ${witnessing.witnessedSize} of ${witnessing.size} entries.`,
          ...witnessing.problems.map(({ witness, problem }) => `${witness}: ${problem}`),
        ];
  context.terminal().result({ policy, witnessing }, [policy ?? NOBODY, ...lines]);

  function whileStopped() {
    return withStopped(context, options.data, options, async ({ services }) => {
      const { readWitnessPolicy } = await import('@strongroom/audit-log');
      await services.auditLog.sequence();
      return {
        policy: await services.database.transaction({ kind: 'system' }, readWitnessPolicy),
        witnessing: await services.auditLog.witness(),
      };
    });
  }
}

function writeOwnKeys(context: CommandContext, options: PolicyOptions): Promise<void> {
  return withLog(context, options, async ({ source, keys }) => {
    const policy = policyOfKeys((await source.handovers?.()) ?? [], keys);
    context.terminal().result({ policy }, [policy.trimEnd()]);
  });
}

const digestOf = (policy: string | null): Uint8Array => new Uint8Array(hash('sha256', policy ?? '', 'buffer'));
