/** What somebody sends who signs up, with random bytes for everything that is sealed: no server can tell the difference. */
import { newUuid, toBase64Url } from '@strongroom/kernel';
import { defaultKeyDerivation } from '@strongroom/sealing';

export const randomText = (bytes: number): string => toBase64Url(crypto.getRandomValues(new Uint8Array(bytes)));

/** The body of `POST /v1/accounts`. The name shown to others is "Display " and the local part of the address. */
export const signUpBody = (invitation: string, email: string) => ({
  invitation,
  email,
  displayName: `Display ${email.split('@')[0]}`,
  authenticationSecret: randomText(32),
  recoveryAuthenticationSecret: randomText(32),
  record: {
    version: 1 as const,
    account: newUuid(),
    salt: randomText(16),
    parameters: { ...defaultKeyDerivation },
    publicKey: randomText(33),
    privateKey: randomText(114),
    accountKeyByPassword: randomText(113),
    accountKeyByRecovery: randomText(113),
  },
  transport: 'bearer' as const,
  deviceName: 'Test laptop of a person',
});
