/** Where the root key lies: a file in the data folder, unless the environment names other slots. */
import path from 'node:path';
import process from 'node:process';
import { environmentSlot, fileSlot, pkcs11Slot, type RootSlot } from '@strongroom/encryption';
import { CompositionError } from './errors.ts';

export const ROOT_SLOTS = 'STRONGROOM_ROOT_SLOTS';
/** PIN of the HSM's token. */
const PIN = 'STRONGROOM_HSM_PIN';

export interface RootSlots {
  readonly slot: RootSlot;
  readonly furtherSlots: readonly RootSlot[];
}

export type Environment = Readonly<Record<string, string | undefined>>;

/**
 * `STRONGROOM_ROOT_SLOTS` names one or more, separated by spaces; the first is asked first, the others hold the same root, an escrow for example:
 *
 *     file:PATH                                      a file, overwritten in place
 *     environment:PATH                               a file under the key in STRONGROOM_ROOT_KEY; it cannot erase
 *     pkcs11:PATH?module=LIBRARY&token=LABEL         a file under a key in an HSM; PIN in STRONGROOM_HSM_PIN
 *
 * Paths are relative to the data folder. Unset, it is `file:keys/root`. Throws `strongroom.root-slots`.
 */
export function rootSlots(data: string, environment: Environment = process.env): RootSlots {
  const [slot, ...furtherSlots] = (environment[ROOT_SLOTS] ?? '')
    .split(/\s+/)
    .filter((text) => text !== '')
    .map((text) => parseSlot(text, data, environment));
  return { slot: slot ?? fileSlot(path.join(data, 'keys', 'root')), furtherSlots };
}

function parseSlot(text: string, data: string, environment: Environment): RootSlot {
  const [, kind, name = '', query = ''] = /^([a-z0-9]+):([^?]+)(?:\?(.*))?$/.exec(text) ?? [];
  const file = path.resolve(data, name);
  if (kind === 'file' && query === '') return fileSlot(file);
  if (kind === 'environment' && query === '') return environmentSlot(file, environment);
  if (kind === 'pkcs11') {
    const options = new URLSearchParams(query);
    const [module, token, pin] = [options.get('module'), options.get('token'), environment[PIN]];
    if (module !== null && token !== null && pin !== undefined) {
      return pkcs11Slot({ path: file, module, token, pin, library: options.get('library') ?? undefined });
    }
    throw new CompositionError('strongroom.root-slots', { detail: `pkcs11 needs module, token and ${PIN}.` });
  }
  throw new CompositionError('strongroom.root-slots', {
    detail: 'Each is file:PATH, environment:PATH or pkcs11:PATH?…',
  });
}
