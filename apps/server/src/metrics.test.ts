import { request } from 'node:http';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createMetrics, serveMetrics } from './metrics.ts';

let server: Awaited<ReturnType<typeof serveMetrics>>;

beforeAll(async () => {
  server = await serveMetrics(createMetrics(), 0);
});
afterAll(() => server.stop());

/** Over TCP, as whatever name led there. */
function get(host: string): Promise<{ status: number; text: string }> {
  return new Promise((resolve, reject) => {
    const asked = request({ host: '127.0.0.1', port: server.port, path: '/metrics', headers: { host } }, (answer) => {
      let text = '';
      answer.setEncoding('utf8');
      answer.on('data', (piece: string) => (text += piece));
      answer.on('end', () => resolve({ status: answer.statusCode!, text }));
    });
    asked.on('error', reject).end();
  });
}

describe('the metrics port', () => {
  it.each(['127.0.0.1', '127.0.0.1:7767', 'localhost:9', 'LocalHost', '127.1.2.3:80', '[::1]:7767', '[::1]'])(
    'answers to %s',
    async (host) => {
      const { status, text } = await get(host);
      expect(status).toBe(200);
      expect(text).toContain('strongroom_requests_total');
    },
  );

  it.each([
    'evil.example',
    'evil.example:7767',
    'localhost.evil.example',
    '127.0.0.1.evil.example:7767',
    '127.0.0.1@evil.example',
    'evil.example@127.0.0.1:x',
    '192.168.1.10:7767',
    '0.0.0.0',
    '[::]',
  ])('tells a page that calls it %j nothing', async (host) => {
    expect(await get(host)).toEqual({ status: 421, text: '' });
  });
});
