/**
 * Errors that may cross the wire. Each package keeps one table (code → HTTP status → public message)
 * and one subclass, so that `switch (error.code)` narrows and the documented error list can be generated.
 */

/** Values that may appear in a problem document. Never put secrets or personal data into them. */
export type JsonValue =
  | string
  | number
  | boolean
  | null
  | readonly JsonValue[]
  | { readonly [name: string]: JsonValue };

export interface ErrorDefinition {
  /** HTTP status code that a server answers with, RFC 9110 §15. */
  readonly status: number;
  /** Shown to anyone. A sentence that names the problem and, where there is one, the way out. */
  readonly message: string;
}

export type ErrorTable = Readonly<Record<string, ErrorDefinition>>;

export interface ErrorOptions {
  /** Added to the public message: which one, which limit. Must be safe to show and to log. */
  readonly detail?: string;
  /** Extension members of the problem document (RFC 9457 §3.2), for example `currentVersion`. */
  readonly members?: Readonly<Record<string, JsonValue>>;
  /** Seconds after which a retry may succeed; becomes `Retry-After`. */
  readonly retryAfter?: number;
  /** What went wrong underneath. Goes to logs by its class and code only, never to the wire. */
  readonly cause?: unknown;
}

/** RFC 9457 problem details, media type `application/problem+json`. */
export interface ProblemDetails {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly code: string;
  readonly detail?: string;
  readonly [member: string]: JsonValue | undefined;
}

/** Where the documented error list lives; the code is the fragment. */
const PROBLEM_TYPE_BASE = 'https://strongroom.dev/errors#';

export abstract class StrongroomError<Code extends string = string> extends Error {
  readonly code: Code;
  readonly status: number;
  readonly publicMessage: string;
  readonly detail: string | undefined;
  readonly members: Readonly<Record<string, JsonValue>>;
  readonly retryAfter: number | undefined;

  constructor(table: Readonly<Record<Code, ErrorDefinition>>, code: Code, options: ErrorOptions = {}) {
    const definition = table[code];
    super(
      options.detail === undefined ? definition.message : `${definition.message} ${options.detail}`,
      options.cause === undefined ? undefined : { cause: options.cause },
    );
    this.name = new.target.name;
    this.code = code;
    this.status = definition.status;
    this.publicMessage = definition.message;
    this.detail = options.detail;
    this.members = options.members ?? {};
    this.retryAfter = options.retryAfter;
  }

  /** The problem document for this error. Holds nothing of `cause` or the stack. */
  toProblem(): ProblemDetails {
    return {
      ...this.members,
      type: `${PROBLEM_TYPE_BASE}${this.code}`,
      title: this.publicMessage,
      status: this.status,
      code: this.code,
      ...(this.detail === undefined ? {} : { detail: this.detail }),
    };
  }
}

export const kernelErrors = {
  'kernel.invalid-id': { status: 400, message: 'That is not a valid id; ids are lower-case UUIDs of version 7.' },
  'kernel.invalid-encoding': { status: 400, message: 'That text is not in the expected encoding.' },
  'kernel.not-declared': { status: 500, message: 'Something is used that no manifest declares.' },
} as const satisfies ErrorTable;

export type KernelErrorCode = keyof typeof kernelErrors;

export class KernelError extends StrongroomError<KernelErrorCode> {
  constructor(code: KernelErrorCode, options?: ErrorOptions) {
    super(kernelErrors, code, options);
  }
}
