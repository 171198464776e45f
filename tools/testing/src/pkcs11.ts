/** What a hardware security module is stood in for by: SoftHSM2, and the library that speaks PKCS#11 to it. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { repositoryRoot } from './corpora.ts';

/** Debian's path, then Fedora's. */
export const softHsmModule = ['/usr/lib/softhsm/libsofthsm2.so', '/usr/lib64/pkcs11/libsofthsm2.so'].find((path) =>
  existsSync(path),
);

const installed = process.env['STRONGROOM_PKCS11'] ?? join(repositoryRoot, 'tools/optional/pkcs11');

/** Of this checkout, or of the folder that STRONGROOM_PKCS11 names. It need not be there. */
export const pkcs11Library = join(installed, 'node_modules/pkcs11js/index.js');
