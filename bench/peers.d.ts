/** Types of peers that bring none, as far as they are measured. They also let the type check pass where no peer is installed. */

declare module 'fernet' {
  interface Secret {
    readonly signingKeyHex: string;
  }
  interface TokenOptions {
    readonly secret: Secret;
    readonly token?: string;
    /** Seconds; 0 turns the check of age off. */
    readonly ttl?: number;
  }
  const fernet: {
    readonly Secret: new (key: string) => Secret;
    readonly Token: new (options: TokenOptions) => {
      encode(message: string): string;
      decode(token?: string): string;
    };
  };
  export default fernet;
}
