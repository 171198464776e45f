import { decryptStringSync, encryptStringSync, generateKey, parseKeySync } from '@47ng/cloak';
import { fieldPeer, type FieldPeer } from './peer.ts';

/** What prisma-field-encryption calls for each field: AES-256-GCM over text, on a key parsed beforehand. */
export function cloak(): FieldPeer {
  const key = parseKeySync(generateKey());
  return fieldPeer(
    'cloak',
    (plaintext) => encryptStringSync(plaintext.toString(), key),
    (sealed) => Buffer.from(decryptStringSync(sealed, key)),
  );
}
