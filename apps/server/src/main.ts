import process from 'node:process';
import { useOwnProcess } from 'strongroom/own-process';
import { runServer } from './run.ts';

useOwnProcess();
process.exitCode = await runServer(process.argv.slice(2));
