import { describe, expect, it } from 'vitest';
import { DEFAULT_DATA_FOLDER, DEFAULT_PORT, HELP, isLoopback, parseOptions } from './options.ts';

const parse = (argv: readonly string[], environment: Readonly<Record<string, string>> = {}) => {
  const options = parseOptions(argv, environment, false);
  if (options === 'help') throw new Error('help was not asked for');
  return options;
};
const failure = (code: string, detail: RegExp) =>
  expect.objectContaining({ code, detail: expect.stringMatching(detail) as string });

describe('options', () => {
  it('have defaults that serve this machine only, durably', () => {
    expect(parse([])).toEqual({
      host: '127.0.0.1',
      port: DEFAULT_PORT,
      data: DEFAULT_DATA_FOLDER,
      databaseUrl: undefined,
      databaseOwnerUrl: undefined,
      durability: 'durable',
      tls: undefined,
      behindProxy: false,
      proxies: 1,
      origin: undefined,
      metricsPort: 'next',
      logLevel: 'info',
    });
    expect(parseOptions([], {}, true)).toMatchObject({ logLevel: 'warn' });
    expect(parseOptions(['--help'], {}, false)).toBe('help');
  });

  it('come from the command line first and the environment second; an empty variable is none', () => {
    const environment = {
      STRONGROOM_PORT: '1',
      STRONGROOM_DATA: '',
      STRONGROOM_METRICS_PORT: 'off',
      STRONGROOM_BEHIND_PROXY: 'true',
    };
    expect(parse(['--data', '/vault'], environment)).toMatchObject({
      port: 1,
      data: '/vault',
      metricsPort: 'off',
      behindProxy: true,
    });
    expect(parse(['--port', '0'], environment)).toMatchObject({ port: 0, data: DEFAULT_DATA_FOLDER });
    expect(parse([], { STRONGROOM_BEHIND_PROXY: '0' })).toMatchObject({ behindProxy: false });
  });

  it.each([
    ['--port', 'http'],
    ['--port', '65536'],
    ['--port', '-1'],
    ['--port', '1.5'],
    ['--port', ''],
    ['--metrics-port', 'on'],
    ['--proxies', '0'],
    ['--proxies', 'two'],
  ])('refuse %s %j', (flag, value) => {
    expect(() => parse([`${flag}=${value}`])).toThrow(
      failure('server.bad-option', new RegExp(`^${flag} must be a number`)),
    );
  });

  it.each([
    [['--durability', 'fast'], /^--durability is /],
    [['--log-level', 'trace'], /^--log-level is one of /],
    [['--origin', 'vault.example.org'], /^--origin is /],
    [['--origin', 'https://vault.example.org/path'], /^--origin is /],
    [['--origin', 'ftp://vault.example.org'], /^--origin is /],
    [['--tls-key', 'key.pem'], /belong together/],
    [['--tls-certificate', 'chain.pem'], /belong together/],
    [['--no-such-option'], /^Unknown option '--no-such-option'\.$/],
    [['--port'], /port/],
  ])('refuse %j', (argv, detail) => {
    expect(() => parse(argv)).toThrow(failure('server.bad-option', detail));
  });

  it.each([
    ['--prot', '--port'],
    ['--databse-url=postgresql://ada:hunter2@db.example/vault', '--database-url'],
    ['--tls-cert', '--tls-key'],
    ['--jsn', '--json'],
    ['--hlep', '--help'],
  ])('suggest for %s what was probably meant', (typed, meant) => {
    const [name] = typed.split('=');
    const detail = new RegExp(`^Unknown option '${name}'\\. \\(Did you mean ${meant}\\?\\)$`);
    expect(() => parse([typed, 'secret'])).toThrow(failure('server.bad-option', detail));
  });

  it('do not repeat a word that is none of them', () => {
    const detail = /^There are options only, and no other words\.$/;
    for (const argv of [['hunter2'], ['--', 'hunter2'], ['--port', '1', 'hunter2']])
      expect(() => parse(argv)).toThrow(failure('server.bad-option', detail));
  });

  it('take an origin with and without a slash at its end', () => {
    expect(parse(['--origin', 'https://vault.example.org/']).origin).toBe('https://vault.example.org');
    expect(parse(['--origin', 'http://localhost:7766']).origin).toBe('http://localhost:7766');
  });

  it('do not let anybody listen in: other addresses need TLS or a proxy that ends it', () => {
    const tls = ['--tls-certificate', 'chain.pem', '--tls-key', 'key.pem'];
    for (const host of ['0.0.0.0', '::', '192.0.2.1', 'vault.example.org', '128.0.0.1', '::2', '']) {
      expect(() => parse([`--host=${host}`]), host).toThrow(
        expect.objectContaining({ code: 'server.insecure-address' }),
      );
      expect(parse([`--host=${host}`, ...tls])).toMatchObject({
        host,
        tls: { certificate: 'chain.pem', key: 'key.pem' },
      });
      expect(parse([`--host=${host}`, '--behind-proxy'])).toMatchObject({ host, behindProxy: true });
    }
    expect(parse(['--behind-proxy'], { STRONGROOM_PROXIES: '2' })).toMatchObject({ behindProxy: true, proxies: 2 });
    for (const host of ['127.0.0.1', '127.8.8.8', '::1', 'localhost'])
      expect(parse(['--host', host])).toMatchObject({ host });
  });

  it('are all in the help, with their variables', () => {
    const flags = [...HELP.matchAll(/^ {2}--([a-z-]+)/gm)].map(([, flag]) => flag!);
    expect(flags).toContain('metrics-port');
    for (const flag of flags.filter((flag) => !['help', 'json'].includes(flag))) {
      expect(HELP).toContain(`STRONGROOM_${flag.toUpperCase().replaceAll('-', '_')}`);
      expect(() => parse([`--${flag}=?`])).not.toThrow(/Unknown option/);
    }
  });
});

it('loopback is what never leaves the machine', () => {
  expect(['127.0.0.1', '127.255.255.255', '::1', 'localhost', '::ffff:127.0.0.1'].map(isLoopback)).toEqual([
    true,
    true,
    true,
    true,
    true,
  ]);
  expect(['126.255.255.255', '0.0.0.0', '::', '', 'localhost.example.org', '127.1'].map(isLoopback)).toEqual([
    false,
    false,
    false,
    false,
    false,
    false,
  ]);
});
