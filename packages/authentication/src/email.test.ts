import { describe, expect, it } from 'vitest';
import { maskEmail, parseEmail } from './email.ts';

describe('parseEmail', () => {
  it.each([
    ['anna@example.org', 'anna@example.org'],
    ['  Anna@Example.ORG ', 'anna@example.org'],
    // Compatibility characters become ordinary ones before anything is judged.
    ['ａｎｎａ＠example.org', 'anna@example.org'],
    ['anna@bücher.example', 'anna@xn--bcher-kva.example'],
    ['anna@BU\u0308CHER.example', 'anna@xn--bcher-kva.example'],
    ['anna@xn--bcher-kva.example', 'anna@xn--bcher-kva.example'],
    ['jürgen@example.org', 'jürgen@example.org'],
    ['ju\u0308rgen@example.org', 'jürgen@example.org'],
    ['first.last+tag@mail.example.co', 'first.last+tag@mail.example.co'],
  ])('%s is %s', (typed, normal) => {
    expect(parseEmail(typed)).toBe(normal);
    expect(parseEmail(normal)).toBe(normal);
  });

  it.each([
    'anna',
    '@example.org',
    'anna@',
    'anna@localhost',
    'anna@example..org',
    'anna@-example.org',
    '.anna@example.org',
    'anna..b@example.org',
    'an na@example.org',
    'anna@example.org,eve@example.org',
    'anna@example.org\r\nbcc: eve@example.org',
    'anna\u0000@example.org',
    '"anna eve"@example.org',
    'anna@eve@example.org',
    '<anna@example.org>',
    'anna@[127.0.0.1]',
    `${'a'.repeat(65)}@example.org`,
    `anna@${'a'.repeat(64)}.org`,
    `anna@${'a.'.repeat(125)}org`,
    'anna\u202e@example.org',
    '\ud800@example.org',
  ])('refuses %j', (typed) => {
    expect(() => parseEmail(typed)).toThrow(expect.objectContaining({ code: 'authentication.invalid-email' }));
  });
});

describe('maskEmail', () => {
  it.each([
    ['anna@mail.example.org', 'a…@m….org'],
    ['b@example.com', 'b…@e….com'],
    ['𝒶@example.org', 'a…@e….org'],
  ])('%s becomes %s', (email, masked) => {
    expect(maskEmail(parseEmail(email))).toBe(masked);
  });
});
