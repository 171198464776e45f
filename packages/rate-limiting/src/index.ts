export * from './create-limiter.ts';
export * from './manifest.ts';
