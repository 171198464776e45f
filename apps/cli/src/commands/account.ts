/** Signing up, in and out; unlocking for a while. */
import os from 'node:os';
import { InMemoryCache, Vault, createApi, parseInvitationCode } from '@strongroom/client';
import type { Command } from 'commander';
import { LONGEST_UNLOCK, startAgent, stopAgent } from '../agent.ts';
import type { CommandContext } from '../context.ts';
import { CliError } from '../errors.ts';
import { FileTrust } from '../file-trust.ts';
import { readProfile, removeProfile, writeProfile } from '../profile.ts';
import { DEFAULT_SERVER, newPassword, password, signedIn } from '../session.ts';

/** Everybody starts with one space of their own. */
const FIRST_SPACE = 'Personal';
const DEFAULT_UNLOCK = '15m';
const UNITS: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600 };

interface SignUpCommand {
  readonly invitation: string;
  readonly server?: string;
  readonly email?: string;
  readonly name?: string;
}

/** `15m`, `2h`, `90s`. Throws `cli.usage`. */
function parseDuration(text: string): number {
  const [, amount, unit] = /^(\d{1,6})([smh])$/.exec(text) ?? [];
  const seconds = amount === undefined || unit === undefined ? 0 : Number(amount) * UNITS[unit]!;
  if (seconds < 1 || seconds > LONGEST_UNLOCK) {
    throw new CliError('cli.usage', { detail: 'A duration is a number with s, m or h, up to 24h; for example 15m.' });
  }
  return seconds;
}

/** The link as printed, or only its last part. */
function parseInvitation(text: string): { readonly token: string; readonly server: string | undefined } {
  const [address, token] = text.split('#');
  if (token === undefined) return { token: text, server: undefined };
  const url = URL.parse(address!);
  if (url === null) throw new CliError('cli.usage', { detail: 'The invitation is neither a link nor a code.' });
  return { token, server: url.origin };
}

async function answer(
  context: CommandContext,
  given: string | undefined,
  variable: string,
  question: string,
): Promise<string> {
  const value = given ?? context.environment[variable] ?? (await context.terminal().askText(question));
  if (value === undefined || value.trim() === '') {
    throw new CliError('cli.usage', { detail: `${question} is needed: set ${variable} or give the option.` });
  }
  return value;
}

export function addAccountCommands(program: Command, context: CommandContext): void {
  program
    .command('signup')
    .description('create an account with the set-up link or an invitation')
    .requiredOption('--invitation <link>', 'the link as it was printed or sent to you')
    .option('--server <url>', 'where the vault is; taken from the link otherwise, or STRONGROOM_SERVER')
    .option('--email <address>', 'STRONGROOM_EMAIL')
    .option('--name <name>', 'how others see you; STRONGROOM_NAME')
    .addHelpText(
      'after',
      "\nExample:\n  strongroom signup --invitation 'http://127.0.0.1:7766/set-up#…' --email ada@example.org --name Ada",
    )
    .action((options: SignUpCommand) => signUp(context, options));

  program
    .command('login')
    .description('sign in on this computer')
    .option('--server <url>', `STRONGROOM_SERVER; otherwise the last one used, or ${DEFAULT_SERVER}`)
    .option('--email <address>', 'STRONGROOM_EMAIL')
    .addHelpText('after', '\nExample:\n  strongroom login --server https://vault.example.org --email ada@example.org')
    .action((options: { server?: string; email?: string }) => logIn(context, options));

  program
    .command('logout')
    .description('end the session, forget keys and the sealed cache on this computer')
    .addHelpText('after', '\nExample:\n  strongroom logout')
    .action(async () => {
      await stopAgent(context.state);
      const { vault } = await signedIn(context);
      try {
        await vault.signOut();
      } finally {
        await context.state.remove('cache');
        await removeProfile(context.state);
      }
      context.terminal().result({ signedOut: true }, ['Signed out. No key and no memory is left on this computer.']);
    });

  program
    .command('unlock')
    .description('keep the vault open for a while, so that the following commands ask for no password')
    .option('--for <duration>', 'how long: 90s, 15m, 2h; at most 24h', DEFAULT_UNLOCK)
    .addHelpText(
      'after',
      '\nThe key is held in the memory of a small process of yours and is gone when the time is over.\n\nExample:\n  strongroom unlock --for 2h',
    )
    .action(async (options: { for: string }) => {
      const seconds = parseDuration(options.for);
      const { vault, profile } = await signedIn(context);
      await vault.resume();
      const key = await vault.deriveUnlockKey(await password(context, `Password of ${profile.email}`));
      try {
        await startAgent(context.state, profile.account, key, seconds);
      } finally {
        key.wipe();
      }
      context
        .terminal()
        .result({ unlocked: true, seconds }, [`Unlocked for ${options.for}. \`strongroom lock\` ends it sooner.`]);
    });

  program
    .command('lock')
    .description('forget the key that `unlock` keeps')
    .addHelpText('after', '\nExample:\n  strongroom lock')
    .action(async () => {
      const wasOpen = await stopAgent(context.state);
      context.terminal().result({ locked: true, wasOpen }, [wasOpen ? 'Locked.' : 'It was locked already.']);
    });
}

async function signUp(context: CommandContext, options: SignUpCommand): Promise<void> {
  const invitation = parseInvitation(options.invitation);
  const server = options.server ?? invitation.server ?? context.environment['STRONGROOM_SERVER'];
  if (server === undefined) throw new CliError('cli.usage', { detail: 'Say where the vault is: --server URL.' });
  const email = await answer(context, options.email, 'STRONGROOM_EMAIL', 'E-mail address');
  const displayName = await answer(context, options.name, 'STRONGROOM_NAME', 'Your name');
  const chosen = await newPassword(context);
  const vault = new Vault({ api: createApi({ baseUrl: server }), cache: new InMemoryCache() });
  const started = await vault.signUp({
    invitation: invitation.token,
    email,
    displayName,
    password: chosen,
    transport: 'bearer',
    deviceName: os.hostname(),
  });
  const account = vault.account!;
  // Known from now on: the inviter's key came with the link, not from the server.
  const { inviter } = parseInvitationCode(invitation.token);
  if (inviter !== null) {
    const key = { publicKey: inviter.publicKey, compared: true, since: new Date().toISOString() };
    await new FileTrust(context.state, account.id).putKey(inviter.account, key);
  }
  // Of whoever was signed in here before.
  await stopAgent(context.state);
  await context.state.remove('cache');
  await writeProfile(context.state, {
    format: 1,
    server,
    account: account.id,
    email: account.email,
    token: started.token!,
    record: account.record,
  });
  const recoveryCode = started.recoveryCode.reveal();
  // Before anything else can fail: it is shown this once.
  context
    .terminal()
    .result({ account: account.id, recoveryCode }, [
      `Welcome, ${account.displayName}.`,
      '',
      'Your recovery code opens the vault when the password is forgotten. It is shown once; keep it on paper:',
      '',
      `  ${recoveryCode}`,
      '',
    ]);
  await vault.createSpace(FIRST_SPACE);
}

async function logIn(context: CommandContext, options: { server?: string; email?: string }): Promise<void> {
  // A damaged one is what signing in mends.
  const earlier = await readProfile(context.state).catch(() => undefined);
  const server = options.server ?? context.environment['STRONGROOM_SERVER'] ?? earlier?.server ?? DEFAULT_SERVER;
  const known = options.email ?? context.environment['STRONGROOM_EMAIL'] ?? earlier?.email;
  const email = await answer(context, known, 'STRONGROOM_EMAIL', 'E-mail address');
  const vault = new Vault({ api: createApi({ baseUrl: server }), cache: new InMemoryCache() });
  const typed = await password(context, `Password of ${email}`);
  const { token } = await vault.signIn({ email, password: typed, transport: 'bearer', deviceName: os.hostname() });
  const account = vault.account!;
  if (earlier !== undefined && earlier.account !== account.id) await context.state.remove('cache');
  await stopAgent(context.state);
  await writeProfile(context.state, {
    format: 1,
    server,
    account: account.id,
    email: account.email,
    token: token!,
    record: account.record,
  });
  context.terminal().result({ account: account.id, server }, [`Signed in to ${server} as ${account.email}.`]);
}
