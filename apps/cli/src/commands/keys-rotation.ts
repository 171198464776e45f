/** `strongroom keys rotate`: begins a rotation, on the running server or here, and shows how far it is. */
import type { RotationReport, RotationScope } from '@strongroom/encryption';
import type { RotateRequest, Strongroom } from 'strongroom';
import { administratorSocket, askServer } from '../administrator.ts';
import type { CommandContext } from '../context.ts';
import { EXIT } from '../exit-codes.ts';
import { withStopped } from '../stopped-vault.ts';
import { copyOf, type CopyOptions, follow, workHere } from './keys-access.ts';

export interface RotateOptions extends CopyOptions {
  readonly share: number;
  readonly keepFormer?: true;
  readonly present?: true;
  readonly wait: boolean;
}

export function sentence(rotation: RotationReport): string {
  const { scope, state, pass, seen, total, rewritten, authenticated, erased, damaged, retired, keyVersion, failure } =
    rotation;
  const what =
    scope.kind === 'column'
      ? `${scope.table}.${scope.column}`
      : scope.kind === 'tenant'
        ? `tenant ${scope.tenant}`
        : 'everything';
  const counts = `${rewritten} values written anew, ${authenticated} authenticated${erased === 0 ? '' : `, ${erased} of the erased passed by`}`;
  if (state === 'running' || state === 'finishing') {
    const trouble = failure === null ? '' : ` The last attempt stopped with ${failure}; it is repeated.`;
    return `${what} to version ${keyVersion}, pass ${pass}, ${seen} of ${total} rows; ${counts}.${trouble}`;
  }
  const end = retired.length === 0 ? 'nothing retired' : `version ${retired.join(', ')} retired`;
  return `${what} to version ${keyVersion}: ${state}. ${counts}; ${damaged === 0 ? end : `${damaged} DO NOT OPEN, nothing retired`}.`;
}

export async function rotateKeys(context: CommandContext, scope: RotationScope, options: RotateOptions): Promise<void> {
  const request: RotateRequest = {
    scope,
    share: options.share,
    keepsFormer: options.keepFormer === true,
    toPresent: options.present === true,
    copy: options.present === true ? 'none' : await copyOf(options),
  };
  const answer = (await askServer(administratorSocket(options.data), 'POST', '/operator/keys/rotations', request)) as
    | RotationReport
    | undefined;
  if (answer === undefined) {
    await withStopped(context, options.data, options, (strongroom) =>
      rotateHere(context, strongroom, request, options),
    );
  } else if (options.wait) {
    const route = `/operator/keys/rotations/${answer.id}`;
    showRotation(context, await follow(administratorSocket(options.data), route, answer, progressOf(context)));
  } else showRotation(context, answer);
}

async function rotateHere(
  context: CommandContext,
  { services }: Strongroom,
  request: RotateRequest,
  { wait }: RotateOptions,
): Promise<void> {
  const begun = await services.keys.rotate(request);
  if (!wait) return showRotation(context, begun);
  const work = (signal: AbortSignal) => services.rotations.work(signal);
  showRotation(context, await workHere(work, () => services.keys.rotation(begun.id), progressOf(context)));
}

/** A bar for each pass. The function answers whether the rotation has ended. */
function progressOf(context: CommandContext): (report: RotationReport) => boolean {
  const begin = (pass: number) => context.terminal().progress(pass === 1 ? 'Rewriting' : 'Authenticating');
  let [pass, bar] = [1, begin(1)];
  let told: string | null = null;
  return (report) => {
    if (report.pass !== pass) {
      bar.finish('');
      pass = report.pass;
      bar = begin(pass);
    }
    bar.update(report.seen, report.total);
    if (report.failure !== null && report.failure !== told) {
      context.terminal().remark(`It stopped with ${report.failure} and is tried again; \`keys cancel\` ends it.`);
    }
    told = report.failure;
    if (report.finishedAt !== null) bar.finish('');
    return report.finishedAt !== null;
  };
}

function showRotation(context: CommandContext, report: RotationReport): void {
  const places = report.damagedPlaces.map((place) => `  does not open: ${place}`);
  context.terminal().result(report, [`Rotation ${report.id}: ${sentence(report)}`, ...places]);
  if (report.state === 'complete') {
    context.terminal().remark('Make a whole backup now: older ones need the root key of their time.');
  }
  if (report.state === 'failed') context.setExitCode(EXIT.notIntact);
  if (report.state === 'cancelled') context.setExitCode(EXIT.failed);
}
