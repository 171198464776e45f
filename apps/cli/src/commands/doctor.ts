/** `strongroom doctor`: is everything here as it should be, and if not, what to do. */
import { stat } from 'node:fs/promises';
import { createApi } from '@strongroom/client';
import type { Command } from 'commander';
import { keyFromAgent } from '../agent.ts';
import { type Check, codeOf, failed, OTHERS, passed, reason } from '../checks.ts';
import type { CommandContext } from '../context.ts';
import { CliError } from '../errors.ts';
import { EXIT, withExitCodes } from '../exit-codes.ts';
import { type Profile, readProfile } from '../profile.ts';
import { DEFAULT_SERVER } from '../session.ts';
import { isMissing } from '../state.ts';

interface DoctorOptions {
  readonly server?: string;
  readonly data?: string;
  readonly tlsCertificate?: string;
  readonly tlsKey?: string;
}

export function addDoctorCommand(program: Command, context: CommandContext): void {
  withExitCodes(program.command('doctor'), {
    [EXIT.ok]: 'all is well',
    [EXIT.failed]: 'something is not; its line says what to do',
  })
    .description('check this computer, the session and the server')
    .option('--server <url>', 'STRONGROOM_SERVER; otherwise the one signed in to')
    .option('--data <folder>', 'also check the data folder of a server on this machine, running or not')
    .option('--tls-certificate <file>', 'also check the PEM chain of that server; STRONGROOM_TLS_CERTIFICATE')
    .option('--tls-key <file>', 'and its private key; STRONGROOM_TLS_KEY')
    .addHelpText(
      'after',
      `
It writes nothing. With --data it looks at permissions, free space, the clock, the root key and the places for copies of the keys, with
the environment of the server if you give it the same.

Examples:
  strongroom doctor
  strongroom doctor --data .strongroom`,
    )
    .action(async (options: DoctorOptions) => {
      const profile = await readProfile(context.state).catch(() => undefined);
      const server = options.server ?? context.environment['STRONGROOM_SERVER'] ?? profile?.server ?? DEFAULT_SERVER;
      const checks = [
        await checkStateFolder(context),
        await checkServer(server),
        await checkSession(context),
        ...(await checkOnMachine(context, options)),
      ];
      const lines = checks.map(({ ok, name, says }) => `${ok ? 'ok  ' : 'FAIL'}  ${name}: ${says}`);
      context.terminal().result({ ok: checks.every(({ ok }) => ok), checks }, lines);
      if (checks.some(({ ok }) => !ok)) context.setExitCode(EXIT.failed);
    });
}

/** Loaded only where a server is looked after. */
async function checkOnMachine({ environment }: CommandContext, options: DoctorOptions): Promise<readonly Check[]> {
  const certificate = options.tlsCertificate ?? environment['STRONGROOM_TLS_CERTIFICATE'];
  const key = options.tlsKey ?? environment['STRONGROOM_TLS_KEY'];
  if ((certificate === undefined) !== (key === undefined))
    throw new CliError('cli.usage', { detail: '--tls-certificate and --tls-key belong together.' });
  if (options.data === undefined && certificate === undefined) return [];
  const { checkData, checkTls } = await import('../data-checks.ts');
  const now = Date.now();
  return [
    ...(options.data === undefined ? [] : await checkData(options.data, environment, now)),
    ...(certificate === undefined || key === undefined ? [] : [await checkTls({ certificate, key }, now)]),
  ];
}

async function checkStateFolder({ state }: CommandContext): Promise<Check> {
  const name = 'State folder';
  try {
    const { mode } = await stat(state.path);
    if ((mode & OTHERS) !== 0) return failed(name, `Others can read it; run: chmod 700 '${state.path}'`);
    return passed(name, 'Only you can read it.');
  } catch (error) {
    return isMissing(error)
      ? passed(name, 'Nothing is kept here yet.')
      : failed(name, `It cannot be read (${codeOf(error)}): ${state.path}; give it back to this account.`);
  }
}

async function checkServer(server: string): Promise<Check> {
  const name = 'Server';
  try {
    const api = createApi({ baseUrl: server, timeout: 5000 });
    await api.http.send({ method: 'GET', path: '/readyz', repeatable: false });
    return passed(name, `${server} answers and its database too.`);
  } catch (error) {
    return failed(name, `${server}: ${reason(error)} \`strongroom serve\` starts one here; --server names another.`);
  }
}

async function checkSession({ state }: CommandContext): Promise<Check> {
  const name = 'Session';
  let profile: Profile | undefined;
  try {
    profile = await readProfile(state);
  } catch (error) {
    return failed(name, reason(error));
  }
  if (profile === undefined) return passed(name, 'Nobody is signed in on this computer: `strongroom login`.');
  try {
    await createApi({ baseUrl: profile.server, token: profile.token, timeout: 5000 }).account();
  } catch (error) {
    return failed(name, `${reason(error)} Sign in again with \`strongroom login\`.`);
  }
  const key = await keyFromAgent(state, profile.account);
  key?.wipe();
  return passed(name, `Signed in as ${profile.email}, ${key === undefined ? 'locked' : 'unlocked'}.`);
}
