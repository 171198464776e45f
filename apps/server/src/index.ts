export { type RunningServer, serve } from './serve.ts';
export { type ServerOptions, parseOptions } from './options.ts';
export { runServer } from './run.ts';
