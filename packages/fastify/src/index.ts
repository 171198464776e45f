export * from './plugin.ts';
export * from './server.ts';
