/**
 * The few calls of PKCS#11 (OASIS PKCS #11 v2.40) that a root slot makes, through `pkcs11js`, which is installed separately and loaded only when
 * a slot is used. All of them are synchronous.
 */
import { EncryptionError } from '../errors.ts';

type Handle = Buffer;
type Template = readonly { readonly type: number; readonly value: boolean | number | string | Buffer }[];
interface Mechanism {
  readonly mechanism: number;
  readonly parameter?: object;
}

/** What is used of the library's interface. */
interface Library {
  load(path: string): void;
  C_Initialize(): void;
  C_Finalize(): void;
  C_GetSlotList(tokenPresent: boolean): Handle[];
  C_GetTokenInfo(slot: Handle): { readonly label: string };
  C_OpenSession(slot: Handle, flags: number): Handle;
  C_CloseSession(session: Handle): void;
  C_Login(session: Handle, user: number, pin: string): void;
  C_GenerateKey(session: Handle, mechanism: Mechanism, template: Template): Handle;
  C_EncryptInit(session: Handle, mechanism: Mechanism, key: Handle): void;
  C_Encrypt(session: Handle, input: Buffer, output: Buffer): Buffer;
  C_DecryptInit(session: Handle, mechanism: Mechanism, key: Handle): void;
  C_Decrypt(session: Handle, input: Buffer, output: Buffer): Buffer;
  C_FindObjectsInit(session: Handle, template: Template): void;
  C_FindObjects(session: Handle, most: number): Handle[];
  C_FindObjectsFinal(session: Handle): void;
  C_GetAttributeValue(session: Handle, object: Handle, template: readonly { type: number }[]): { value: Buffer }[];
  C_DestroyObject(session: Handle, object: Handle): void;
}

/** PKCS #11 v2.40, header pkcs11t.h. */
const CKR = { alreadyLoggedIn: 0x100, alreadyInitialized: 0x191 };
const CKF = { serialSession: 4, readWriteSession: 2 };
const CKU_USER = 1;
const CKM = { aesKeyGen: 0x1080, aesGcm: 0x1087 };
const CKO_SECRET_KEY = 4;
const CKK_AES = 0x1f;
const CKA = {
  class: 0x000,
  token: 0x001,
  private: 0x002,
  label: 0x003,
  keyType: 0x100,
  id: 0x102,
  sensitive: 0x103,
  encrypt: 0x104,
  decrypt: 0x105,
  valueLength: 0x161,
  extractable: 0x162,
  modifiable: 0x170,
} as const;
/** Number by which pkcs11js knows the parameters of GCM. */
const AES_GCM_PARAMETERS = 3;
/** NIST SP 800-38D, bits. */
const [VECTOR_BITS, TAG_BITS] = [96, 128];
/** Keys that one search may find; there is one, two after a crash. */
const MOST_KEYS = 64;

export interface TokenOptions {
  /** Path of the HSM's own library, for example `/usr/lib/softhsm/libsofthsm2.so`. */
  readonly module: string;
  /** Label of the token. */
  readonly token: string;
  readonly pin: string;
  /** What to import as `pkcs11js`: its name, or the URL of its main file where it is installed elsewhere. */
  readonly library: string;
}

interface Cipher {
  readonly vector: Uint8Array;
  readonly context: Uint8Array;
  readonly input: Uint8Array;
}

/** One session at work. Keys are named by a label, which all keys of a slot share, and an id. */
export class TokenSession {
  readonly #library: Library;
  readonly #session: Handle;

  constructor(library: Library, session: Handle) {
    this.#library = library;
    this.#session = session;
  }

  /** A new AES key that never leaves the token. */
  generate(label: string, id: Uint8Array): void {
    this.#library.C_GenerateKey(this.#session, { mechanism: CKM.aesKeyGen }, [
      { type: CKA.class, value: CKO_SECRET_KEY },
      { type: CKA.keyType, value: CKK_AES },
      { type: CKA.valueLength, value: 32 },
      { type: CKA.token, value: true },
      { type: CKA.private, value: true },
      { type: CKA.sensitive, value: true },
      { type: CKA.extractable, value: false },
      { type: CKA.modifiable, value: false },
      { type: CKA.encrypt, value: true },
      { type: CKA.decrypt, value: true },
      { type: CKA.label, value: label },
      { type: CKA.id, value: Buffer.from(id) },
    ]);
  }

  encrypt(label: string, id: Uint8Array, { vector, context, input }: Cipher): Uint8Array {
    this.#library.C_EncryptInit(this.#session, gcm(vector, context), this.#key(label, id));
    const output = Buffer.alloc(input.length + TAG_BITS / 8);
    // A view: a copy would lie in memory that Node gives to others, and nobody would wipe it.
    const view = Buffer.from(input.buffer, input.byteOffset, input.length);
    return Uint8Array.from(this.#library.C_Encrypt(this.#session, view, output));
  }

  decrypt(label: string, id: Uint8Array, { vector, context, input }: Cipher): Uint8Array {
    this.#library.C_DecryptInit(this.#session, gcm(vector, context), this.#key(label, id));
    const output = Buffer.alloc(input.length);
    const plaintext = this.#library.C_Decrypt(this.#session, Buffer.from(input), output);
    const copy = Uint8Array.from(plaintext);
    output.fill(0);
    plaintext.fill(0);
    return copy;
  }

  /** Destroys every key with this label but the one, or all. */
  destroyOthers(label: string, keep: Uint8Array | undefined): void {
    for (const key of this.#find([{ type: CKA.label, value: label }])) {
      const [attribute] = this.#library.C_GetAttributeValue(this.#session, key, [{ type: CKA.id }]);
      if (keep === undefined || !attribute!.value.equals(keep)) this.#library.C_DestroyObject(this.#session, key);
    }
  }

  destroy(label: string, id: Uint8Array): void {
    for (const key of this.#find(named(label, id))) this.#library.C_DestroyObject(this.#session, key);
  }

  #key(label: string, id: Uint8Array): Handle {
    const [key] = this.#find(named(label, id));
    if (key === undefined)
      throw new EncryptionError('encryption.root-unavailable', { detail: 'Its key is not in the HSM.' });
    return key;
  }

  #find(template: Template): Handle[] {
    this.#library.C_FindObjectsInit(this.#session, [{ type: CKA.class, value: CKO_SECRET_KEY }, ...template]);
    try {
      return this.#library.C_FindObjects(this.#session, MOST_KEYS);
    } finally {
      this.#library.C_FindObjectsFinal(this.#session);
    }
  }
}

const named = (label: string, id: Uint8Array): Template => [
  { type: CKA.label, value: label },
  { type: CKA.id, value: Buffer.from(id) },
];

const gcm = (vector: Uint8Array, context: Uint8Array): Mechanism => ({
  mechanism: CKM.aesGcm,
  parameter: {
    type: AES_GCM_PARAMETERS,
    iv: Buffer.from(vector),
    aad: Buffer.from(context),
    ivBits: VECTOR_BITS,
    tagBits: TAG_BITS,
  },
});

/** A library is loaded once for the whole process. */
const loaded = new Map<string, Library>();

/** Runs `work` in a session of its own. Throws `encryption.root-unavailable` for whatever the HSM says. */
export async function inSession<Result>(
  options: TokenOptions,
  work: (session: TokenSession) => Result,
): Promise<Result> {
  const library = loaded.get(options.module) ?? (await load(options));
  return asSlotErrors(options, () => {
    const slot = library
      .C_GetSlotList(true)
      .find((candidate) => library.C_GetTokenInfo(candidate).label.trimEnd() === options.token);
    if (slot === undefined) throw unavailable(options, 'there is no such token');
    const session = library.C_OpenSession(slot, CKF.serialSession | CKF.readWriteSession);
    try {
      tolerating(CKR.alreadyLoggedIn, () => library.C_Login(session, CKU_USER, options.pin));
      return work(new TokenSession(library, session));
    } finally {
      try {
        library.C_CloseSession(session);
      } catch {
        // The token is gone, and its sessions with it.
      }
    }
  });
}

async function load(options: TokenOptions): Promise<Library> {
  let imported: { readonly PKCS11?: new () => Library; readonly default?: { readonly PKCS11: new () => Library } };
  try {
    imported = (await import(options.library)) as typeof imported;
  } catch (cause) {
    throw new EncryptionError('encryption.root-unavailable', {
      detail: 'The package pkcs11js is needed for PKCS#11: npm install pkcs11js@2.1.7',
      cause,
    });
  }
  const Pkcs11 = imported.PKCS11 ?? imported.default!.PKCS11;
  return asSlotErrors(options, () => {
    const library = new Pkcs11();
    library.load(options.module);
    tolerating(CKR.alreadyInitialized, () => library.C_Initialize());
    loaded.set(options.module, library);
    return library;
  });
}

/** A library that lost its HSM may not find it again before it was started anew. */
function forget({ module }: TokenOptions): void {
  const library = loaded.get(module);
  loaded.delete(module);
  try {
    library?.C_Finalize();
  } catch {
    // It was of no use any more anyway.
  }
}

const codeOf = (error: unknown): number | undefined =>
  error instanceof Error && 'code' in error && typeof error.code === 'number' ? error.code : undefined;

function tolerating(code: number, call: () => void): void {
  try {
    call();
  } catch (error) {
    if (codeOf(error) !== code) throw error;
  }
}

function asSlotErrors<Result>(options: TokenOptions, work: () => Result): Result {
  try {
    return work();
  } catch (error) {
    if (error instanceof EncryptionError) throw error;
    forget(options);
    const code = codeOf(error);
    throw unavailable(
      options,
      code === undefined ? 'the library cannot be used' : `PKCS#11 result 0x${code.toString(16)}`,
      error,
    );
  }
}

const unavailable = ({ token }: TokenOptions, what: string, cause?: unknown): EncryptionError =>
  new EncryptionError('encryption.root-unavailable', { detail: `The token is "${token}": ${what}.`, cause });
