/** `strongroom account`: what an account goes through after sign-up. */
import os from 'node:os';
import {
  InMemoryCache,
  Vault,
  createApi,
  proveDeletion,
  remoteLogSource,
  verifierKeys,
  type RemoteAccount,
  type RemoteDeparture,
} from '@strongroom/client';
import { parseUuid } from '@strongroom/kernel';
import type { Command } from 'commander';
import { stopAgent } from '../agent.ts';
import type { CommandContext } from '../context.ts';
import { CliError } from '../errors.ts';
import { EXIT, withExitCodes } from '../exit-codes.ts';
import { collect, readText } from '../option-values.ts';
import { type Profile, readProfile, removeProfile, requireProfile, writeProfile } from '../profile.ts';
import { DEFAULT_SERVER, newPassword, password, signedIn, unlocked } from '../session.ts';

export function addAccountLifeCommands(program: Command, context: CommandContext): void {
  const account = program.command('account').description('password, recovery, sessions, and the end of an account');

  account
    .command('password')
    .description('change the password; every other session ends')
    .addHelpText(
      'after',
      '\nThe present password comes from STRONGROOM_PASSWORD, the new one from STRONGROOM_NEW_PASSWORD, or you are asked.\n\nExample:\n  strongroom account password',
    )
    .action(() => changePassword(context));

  account
    .command('recovery-code')
    .description('make a new recovery code; the former one no longer works, and nothing else changes')
    .addHelpText(
      'after',
      '\nThe password comes from STRONGROOM_PASSWORD, or you are asked.\n\nExample:\n  strongroom account recovery-code',
    )
    .action(() => renewRecoveryCode(context));

  account
    .command('recover')
    .description('set a new password with the recovery code, when the password is lost')
    .option('--server <url>', 'STRONGROOM_SERVER; otherwise the last one used')
    .option('--email <address>', 'STRONGROOM_EMAIL')
    .addHelpText(
      'after',
      '\nThe code comes from STRONGROOM_RECOVERY_CODE, the new password from STRONGROOM_NEW_PASSWORD, or you are asked.\n\nExample:\n  strongroom account recover --email ada@example.org',
    )
    .action((options: { server?: string; email?: string }) => recover(context, options));

  account
    .command('email')
    .argument('<address>', 'the new one')
    .description('change the e-mail address you sign in with')
    .addHelpText('after', '\nExample:\n  strongroom account email ada.lovelace@example.org')
    .action(async (address: string) => {
      const { vault, profile } = await signedIn(context);
      const changed = await vault.changeEmail(address, await password(context, `Password of ${profile.email}`));
      await keep(context, changed);
      context.terminal().result({ email: changed.email }, [`You sign in as ${changed.email} from now on.`]);
    });

  account
    .command('fingerprint')
    .description('your own fingerprint, for others to compare')
    .addHelpText('after', '\nExample:\n  strongroom account fingerprint')
    .action(async () => {
      const { vault } = await unlocked(context);
      const fingerprint = await vault.fingerprint();
      context.terminal().result({ account: vault.account!.id, fingerprint }, [fingerprint]);
    });

  account
    .command('sessions')
    .description('list where you are signed in')
    .addHelpText('after', '\nExample:\n  strongroom account sessions')
    .action(async () => {
      const { vault } = await signedIn(context);
      const items = [];
      let cursor: string | undefined;
      do {
        const page = await vault.api.sessions(cursor);
        items.push(...page.items);
        cursor = page.next ?? undefined;
      } while (cursor !== undefined);
      context.terminal().result(
        items,
        items.map(
          (one) =>
            `${one.id}  ${one.lastSeenAt.slice(0, 16)}  ${one.deviceName ?? one.transport}${one.current ? '  (this one)' : ''}`,
        ),
      );
    });

  account
    .command('end-sessions')
    .argument('[ids...]', 'as `account sessions` prints them')
    .description('end sessions: those named, or with --others all but this one')
    .option('--others', 'all but this one')
    .addHelpText('after', '\nExample:\n  strongroom account end-sessions --others')
    .action(async (ids: readonly string[], options: { others?: true }) => {
      if ((options.others === true) === ids.length > 0) {
        throw new CliError('cli.usage', { detail: 'Name sessions, or say --others.' });
      }
      const sessions = ids.map((id) => parseUuid(id, 'id'));
      const { vault } = await signedIn(context);
      for (const session of sessions) await vault.api.endSession(session);
      const ended = options.others === true ? await vault.endOtherSessions() : sessions.length;
      context.terminal().result({ ended }, [`${ended} ended.`]);
    });

  account
    .command('plan')
    .description('what deleting your account would destroy, hand over and leave')
    .addHelpText('after', '\nExample:\n  strongroom account plan')
    .action(async () => {
      const { vault } = await unlocked(context);
      const plan = await vault.deletionPlan();
      const names = new Map((await vault.listSpaces()).map(({ id, name }) => [id, name]));
      const line = (departure: RemoteDeparture): string =>
        `  ${departure.space}  ${names.get(departure.space) ?? '(does not open)'}: ${outcomeText(departure)}`;
      context
        .terminal()
        .result(plan, [
          `${plan.sessions} sessions end, ${plan.invitations} open invitations are withdrawn.`,
          ...(plan.spaces.length === 0 ? [] : ['Spaces:', ...plan.spaces.map(line)]),
          ...(plan.tenantEnds ? ['You are the only member, so the whole tenant ends.'] : []),
          ...(plan.lastOwner
            ? ['You are the only owner: make somebody else owner first (`strongroom member role`).']
            : []),
          `What remains: ${plan.remains.map((what) => REMAINS[what] ?? what).join('; ')}.`,
        ]);
    });

  account
    .command('delete')
    .description('delete your account with everything the plan names; there is no way back')
    .requiredOption('--confirm <address>', "the account's e-mail address, typed")
    .option(
      '--delete-space <id>',
      'a space to delete for everybody instead of handing it over; repeatable',
      collect,
      [],
    )
    .addHelpText(
      'after',
      '\nPrints a certificate; keep it, the audit log can prove it later. Look at the plan first.\n\nExamples:\n  strongroom account plan\n  strongroom account delete --confirm ada@example.org --json > certificate.json',
    )
    .action(async (options: { confirm: string; deleteSpace: readonly string[] }) => {
      const deleteSpaces = options.deleteSpace.map((id) => parseUuid(id, 'id'));
      const { vault, profile } = await signedIn(context);
      const typed = await password(context, `Password of ${profile.email}`);
      const certificate = await vault.deleteAccount({ password: typed, confirmation: options.confirm, deleteSpaces });
      // Before anything else can fail: it is given this once.
      context
        .terminal()
        .result(certificate, [
          'The account is deleted.',
          '',
          JSON.stringify(certificate, null, 2),
          '',
          'Keep this certificate: `strongroom account certificate FILE` finds it in the audit log.',
        ]);
      await stopAgent(context.state);
      await context.state.remove('cache');
      await context.state.remove('trust');
      await removeProfile(context.state);
    });

  withExitCodes(account.command('certificate'), {
    [EXIT.ok]: 'proved',
    [EXIT.notIntact]: 'not in the log, or the log is not intact',
  })
    .argument('<file>', 'what `account delete --json` printed')
    .description('verify the audit log and find a deletion in it; for owners and admins of the same tenant')
    .addHelpText('after', '\nExample:\n  strongroom account certificate certificate.json')
    .action(async (file: string) => {
      const certificate = await readCertificate(file);
      const { vault } = await signedIn(context);
      const proved = await proveDeletion(certificate, remoteLogSource(vault.api), await verifierKeys(vault.api));
      if (proved === null) context.setExitCode(EXIT.notIntact);
      const found = proved === null ? { proved: false } : { proved: true, index: proved.index, size: proved.size };
      context
        .terminal()
        .result(found, [
          proved === null
            ? 'The log is intact and does not hold this deletion (yet).'
            : `Proved: event ${proved.index} of ${proved.size}.`,
        ]);
    });
}

const REMAINS: Readonly<Record<string, string>> = {
  'audit-pseudonym':
    'your pseudonym in the audit log; backups and database logs from before may still say whose it was',
  'copies-of-others': 'copies that others made of what you shared',
  backups: 'backups, in which nothing of yours opens any more',
  'root-copies':
    'former root keys that somebody copied, or that a snapshot of the disk kept: with one of them, backups of its time would open',
};

function outcomeText({ outcome, memories, authored, otherMembers }: RemoteDeparture): string {
  if (outcome === 'delete') return `deleted with ${memories} memories`;
  if (outcome === 'leave') return `goes on with ${otherMembers} others, without the ${authored} memories you wrote`;
  return `${otherMembers} others are in it and nobody else owns it: make somebody owner, or name it with --delete-space`;
}

/** What `signedIn` reads next time. */
async function keep(context: CommandContext, { email, record }: RemoteAccount): Promise<void> {
  const profile = await requireProfile(context.state);
  await writeProfile(context.state, { ...profile, email, record });
}

async function changePassword(context: CommandContext): Promise<void> {
  const { vault, profile } = await signedIn(context);
  await vault.resume();
  const current = await password(context, `Present password of ${profile.email}`);
  const next = await newPassword(context, 'STRONGROOM_NEW_PASSWORD');
  await vault.changePassword(current, next);
  // The key that the agent holds opens nothing any more.
  await stopAgent(context.state);
  await keep(context, vault.account!);
  context
    .terminal()
    .result({ changed: true }, ['Changed. Every other session has ended; the recovery code is the same.']);
}

async function renewRecoveryCode(context: CommandContext): Promise<void> {
  const { vault, profile } = await signedIn(context);
  await vault.resume();
  const renewed = await vault.renewRecoveryCode(await password(context, `Password of ${profile.email}`));
  const recoveryCode = renewed.recoveryCode.reveal();
  // Before anything else can fail: it is shown this once.
  context
    .terminal()
    .result({ account: vault.account!.id, recoveryCode }, [
      'This is your new recovery code; the old one no longer works. It is shown once, keep it on paper:',
      '',
      `  ${recoveryCode}`,
      '',
    ]);
  await keep(context, vault.account!);
}

async function recover(context: CommandContext, options: { server?: string; email?: string }): Promise<void> {
  const earlier = await readProfile(context.state).catch(() => undefined);
  const server = options.server ?? context.environment['STRONGROOM_SERVER'] ?? earlier?.server ?? DEFAULT_SERVER;
  const terminal = context.terminal();
  const email =
    options.email ??
    context.environment['STRONGROOM_EMAIL'] ??
    earlier?.email ??
    (await terminal.askText('E-mail address'));
  const code =
    context.environment['STRONGROOM_RECOVERY_CODE'] ?? (await terminal.askPassword('Recovery code, as it was printed'));
  if (email === undefined || email === '' || code === undefined || code === '') {
    throw new CliError('cli.usage', {
      detail:
        'E-mail address and recovery code are needed: STRONGROOM_EMAIL and STRONGROOM_RECOVERY_CODE, or a terminal.',
    });
  }
  const chosen = await newPassword(context, 'STRONGROOM_NEW_PASSWORD');
  const vault = new Vault({ api: createApi({ baseUrl: server }), cache: new InMemoryCache() });
  const recovered = await vault.recover({
    email,
    recoveryCode: code,
    newPassword: chosen,
    transport: 'bearer',
    deviceName: os.hostname(),
  });
  const account = vault.account!;
  const recoveryCode = recovered.recoveryCode.reveal();
  // Before anything else can fail: it is shown this once.
  terminal.result({ account: account.id, recoveryCode }, [
    'The password is set, and every other session has ended.',
    '',
    'This is your new recovery code; the old one is worthless now. It is shown once, keep it on paper:',
    '',
    `  ${recoveryCode}`,
    '',
  ]);
  await stopAgent(context.state);
  if (earlier !== undefined && earlier.account !== account.id) await context.state.remove('cache');
  const profile: Profile = {
    format: 1,
    server,
    account: account.id,
    email: account.email,
    token: recovered.token!,
    record: account.record,
  };
  await writeProfile(context.state, profile);
}

async function readCertificate(file: string): Promise<unknown> {
  const text = await readText(file);
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new CliError('cli.unreadable-file', { detail: `${file} is no certificate.`, cause });
  }
}
