import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { temporaryFolder } from '@strongroom/testing';
import { describe, expect, it } from 'vitest';
import { postgresqlTarget } from './postgresql-url.ts';

const verified = { rejectUnauthorized: true };

const thrown = (url: string): unknown => {
  try {
    return postgresqlTarget(url);
  } catch (error) {
    return error;
  }
};

describe('a PostgreSQL URL', () => {
  it('gives its parts', () => {
    expect(postgresqlTarget('postgresql://ann%40x:p%2Fw@localhost:6000/my%20db').config).toEqual({
      host: 'localhost',
      port: 6000,
      user: 'ann@x',
      password: 'p/w',
      database: 'my db',
      ssl: false,
    });
    expect(postgresqlTarget('postgresql:///d?host=/run/postgresql&user=u').config).toEqual({
      host: '/run/postgresql',
      port: 5432,
      user: 'u',
      database: 'd',
      ssl: false,
    });
  });

  it.each([
    ['postgresql://u:p@localhost/d', false],
    ['postgresql://u@127.9.9.9/d', false],
    ['postgresql://u@[::1]/d', false],
    ['postgresql:///d?user=u', false],
    ['postgresql://u@localhost/d?sslmode=verify-full', verified],
    ['postgres://u@db.example/d', verified],
    ['postgresql://u@10.0.0.1/d', verified],
    ['postgresql://u@127.example/d', verified],
    ['postgresql://u@localhost.example/d', verified],
    ['postgresql://u@localhost/d?host=db.example', verified],
    ['postgresql://u@[::2]/d', verified],
    ['postgresql://u@db.example/d?sslmode=allow', verified],
    ['postgresql://u@db.example/d?sslmode=prefer', verified],
    ['postgresql://u@db.example/d?sslmode=require', verified],
    ['postgresql://u@db.example/d?sslmode=verify-ca', verified],
  ])('decides on the transport of %s', (url, ssl) => {
    const { config, warnings } = postgresqlTarget(url);
    expect(config.ssl).toEqual(ssl);
    expect(warnings).toEqual([]);
  });

  it.each([
    ['disable', false],
    ['no-verify', { rejectUnauthorized: false }],
  ])('may say sslmode=%s, with a warning', (mode, ssl) => {
    const { config, warnings } = postgresqlTarget(`postgresql://user:canary@db.example/d?sslmode=${mode}`);
    expect(config.ssl).toEqual(ssl);
    expect(warnings).toEqual([expect.stringContaining(`sslmode=${mode}`)]);
    expect(warnings.join('')).not.toContain('canary');
  });

  it('may name a certificate authority', () => {
    const path = join(temporaryFolder(), 'ca.pem');
    writeFileSync(path, 'a certificate');
    expect(postgresqlTarget(`postgresql://u@db.example/d?sslrootcert=${path}`).config.ssl).toEqual({
      rejectUnauthorized: true,
      ca: 'a certificate',
    });
    expect(thrown(`postgresql://u@db.example/d?sslrootcert=${path}.missing`)).toMatchObject({
      code: 'storage.invalid-location',
    });
  });

  it.each([
    'canary',
    'mysql://u:canary@h/d',
    'postgresql://u:canary@h/d?sslmode=maybe',
    'postgresql://u:canary@h/d?ssl=false',
    'postgresql://u:canary@h/d?options=-c%20role%3Dpostgres',
    'postgresql://u:canary@h:port/d',
    'postgresql://u:canary@h/',
    'postgresql://h/canary',
  ])('is refused without being repeated: %s', (url) => {
    const error = thrown(url);
    expect(error).toMatchObject({ code: 'storage.invalid-location' });
    expect(String(error) + JSON.stringify(error)).not.toContain('canary');
  });
});
