/** The vault with what this device needs to seal things for itself. */
import { Vault } from '@strongroom/client';
import type { AccountKeys } from '@strongroom/sealing';

export class DeviceVault extends Vault {
  /** Throws `client.signed-out` or `client.locked`. */
  accountKeys(): AccountKeys {
    return this.sharing().keys;
  }
}
