/** `strongroom doctor`: is everything here as it should be, and if not, what to do. */
import { stat } from 'node:fs/promises';
import { createApi } from '@strongroom/client';
import type { Command } from 'commander';
import { administratorSocket, askServer } from '../administrator.ts';
import { keyFromAgent } from '../agent.ts';
import type { CommandContext } from '../context.ts';
import { EXIT, withExitCodes } from '../exit-codes.ts';
import { type Profile, readProfile } from '../profile.ts';
import { DEFAULT_SERVER } from '../session.ts';
import { isMissing } from '../state.ts';
import { StrongroomError } from '@strongroom/kernel';

interface Check {
  readonly name: string;
  readonly ok: boolean;
  readonly says: string;
}

/** Bits that let others than the owner in. */
const OTHERS = 0o077;

export function addDoctorCommand(program: Command, context: CommandContext): void {
  withExitCodes(program.command('doctor'), {
    [EXIT.ok]: 'all is well',
    [EXIT.failed]: 'something is not; its line says what to do',
  })
    .description('check this computer, the session and the server')
    .option('--server <url>', 'STRONGROOM_SERVER; otherwise the one signed in to')
    .option('--data <folder>', 'also check a data folder on this machine')
    .addHelpText('after', '\nExample:\n  strongroom doctor --data .strongroom')
    .action(async (options: { server?: string; data?: string }) => {
      const profile = await readProfile(context.state).catch(() => undefined);
      const server = options.server ?? context.environment['STRONGROOM_SERVER'] ?? profile?.server ?? DEFAULT_SERVER;
      const checks = [
        await checkStateFolder(context),
        await checkServer(server),
        await checkSession(context),
        ...(options.data === undefined ? [] : [await checkData(options.data)]),
      ];
      const lines = checks.map(({ ok, name, says }) => `${ok ? 'ok  ' : 'FAIL'}  ${name}: ${says}`);
      context.terminal().result({ ok: checks.every(({ ok }) => ok), checks }, lines);
      if (checks.some(({ ok }) => !ok)) context.setExitCode(EXIT.failed);
    });
}

const passed = (name: string, says: string): Check => ({ name, ok: true, says });
const failed = (name: string, says: string): Check => ({ name, ok: false, says });
const reason = (error: unknown): string =>
  error instanceof StrongroomError ? error.publicMessage : 'It cannot be checked.';

async function checkStateFolder({ state }: CommandContext): Promise<Check> {
  const name = 'State folder';
  try {
    const { mode } = await stat(state.path);
    if ((mode & OTHERS) !== 0) return failed(name, `Others can read it; run: chmod 700 '${state.path}'`);
    return passed(name, 'Only you can read it.');
  } catch (error) {
    return isMissing(error) ? passed(name, 'Nothing is kept here yet.') : failed(name, 'It cannot be read.');
  }
}

async function checkServer(server: string): Promise<Check> {
  const name = 'Server';
  try {
    const api = createApi({ baseUrl: server, timeout: 5000 });
    await api.http.send({ method: 'GET', path: '/readyz', repeatable: false });
    return passed(name, `${server} answers and its database too.`);
  } catch (error) {
    return failed(name, `${server}: ${reason(error)}`);
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

async function checkData(data: string): Promise<Check> {
  const name = 'Data folder';
  try {
    const answer = await askServer(administratorSocket(data), 'GET', '/operator/status');
    if (answer !== undefined) return passed(name, `A server is running on ${data}.`);
    await stat(data);
    return passed(name, `No server is running on ${data}.`);
  } catch (error) {
    return failed(name, isMissing(error) ? `There is no folder ${data}.` : reason(error));
  }
}
