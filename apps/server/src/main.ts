import process from 'node:process';
import { runServer } from './run.ts';

process.exitCode = await runServer(process.argv.slice(2));
