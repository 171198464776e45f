import process from 'node:process';
import { useOwnProcess } from 'strongroom/own-process';
import { runProgram } from './program.ts';

useOwnProcess();
process.exitCode = await runProgram(process.argv.slice(2));
