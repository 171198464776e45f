/** What the encryption of fields is measured beside. */
export interface FieldPeer {
  readonly name: string;
  readonly seal: (plaintext: Buffer) => unknown;
  /** Takes what `seal` gave. */
  readonly open: (sealed: unknown) => Buffer | Promise<Buffer>;
}

/** Joins the two halves of a peer, whose values nobody else looks into. */
export const fieldPeer = <Sealed>(
  name: string,
  seal: (plaintext: Buffer) => Sealed,
  open: (sealed: Awaited<Sealed>) => Buffer | Promise<Buffer>,
): FieldPeer => ({ name, seal, open: (sealed) => open(sealed as Awaited<Sealed>) });
