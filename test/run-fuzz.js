import { spawn } from 'node:child_process';
import { parseArgs } from 'node:util';

// `npm run test:fuzz -- --cases 20000 --seed 7`: the fuzz of the suite, longer. The seed of a failure replays it.
const { values } = parseArgs({
  options: { cases: { type: 'string', default: '20000' }, seed: { type: 'string' } },
});
const jest = spawn('npm', ['test', '--', 'test/attacks/fuzz.spec.ts'], {
  stdio: 'inherit',
  env: { ...process.env, FUZZ_CASES: values.cases, ...(values.seed && { FUZZ_SEED: values.seed }) },
});
jest.on('exit', (code) => process.exit(code ?? 1));
