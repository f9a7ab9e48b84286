import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from '#embedded';
import { settingsOf } from '#service';
import { eventually } from '#testing';
import { CONFIGS } from '../start/app-configs.js';
import { StartConfig } from '../start/start.config.js';

const ROOT = join(import.meta.dirname, '..');
const README = await readFile(join(ROOT, 'README.md'), 'utf8');

interface Block {
  title: string;
  script: string;
  /** What the block's comments show. */
  shown: string[];
}

/** Options of curl that make a request more than a question. */
const WRITES = / (--json|--data-binary|-T|-X|-d) /;

const PARAGRAPHS = README.split('\n\n');
const BLOCKS = PARAGRAPHS.flatMap((paragraph, index): Block[] => {
  const script = /^```sh\n(.*)```$/s.exec(paragraph)?.[1];
  if (script === undefined) return [];
  const comments = script.split('\n').filter((line) => line.startsWith('# '));
  const title = PARAGRAPHS[index - 1]!.split('\n')[0]!;
  return [{ title, script, shown: comments.map((line) => line.slice(2)) }];
});

/** The tour needs curl 7.84: without it nobody could take it, and it is reported as skipped. */
const [, major = 0, minor = 0] =
  /^curl (\d+)\.(\d+)/.exec(String(spawnSync('curl', ['--version']).stdout)) ?? [];
const step = Number(major) * 100 + Number(minor) >= 784 ? it : it.skip;

describe('README', () => {
  let directory: string;
  let flotilla: ChildProcess;
  let port: number;

  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'flotilla-readme-'));
    port = await freePort();
    // What a reader sees in a terminal anyway, or may ignore: no progress, a status that fails, answers on lines.
    await writeFile(join(directory, '.curlrc'), 'no-progress-meter\nfail-with-body\nwrite-out = "\\n"\n');
    flotilla = spawn(process.execPath, ['--enable-source-maps', join(ROOT, 'dist/start/main.js')], {
      env: {
        ...process.env,
        NODE_OPTIONS: '',
        PORT: String(port),
        FLOTILLA_DATA_DIR: join(directory, 'data'),
      },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    await outputOf(flotilla, 'Ctrl-C stops everything.');
  });

  afterAll(async () => {
    flotilla.kill('SIGINT');
    if (flotilla.exitCode === null) await once(flotilla, 'exit');
    await rm(directory, { recursive: true, force: true });
  });

  step.each(BLOCKS)('$title', async ({ script, shown }) => {
    const told = script
      .replaceAll('http://localhost:3000', `http://localhost:${port}`)
      .replaceAll('.flotilla/', join(directory, 'data/'));
    const tell = async (): Promise<void> => {
      const { code, lines } = await run(told, directory);
      expect(lines).toEqual(shown.map((line) => expect.stringMatching(patternOf(line))));
      expect(code).toBe(/"status":[45]/.test(shown.at(-1)!) ? 22 : 0);
    };
    // What only asks may be asked again: a feed is a moment behind.
    await (WRITES.test(script) ? tell() : eventually(tell));
  });

  it('shows every setting with its default', () => {
    const rows = README.split('\n').map((line) => line.split('|').map((cell) => cell.trim()));
    const shown = new Map(rows.map(([, name, value]) => [name, value]));
    for (const type of [StartConfig, ...Object.values(CONFIGS)]) {
      const config: Record<string, string | number | undefined> = { ...new StartConfig(), ...new type() };
      const defaults = new Map(
        Object.entries(config).filter(([, value]) => value !== undefined && value !== ''),
      );
      for (const name of settingsOf(type)) {
        const value = defaults.get(name);
        expect([name, shown.get(`\`${name}\``)]).toEqual([name, value === undefined ? '' : `\`${value}\``]);
      }
    }
  });

  it('links to what is there', () => {
    const links = [...README.matchAll(/\]\((?!http)([^)]+)\)/g)].map(([, path]) => path!);
    expect(links).not.toHaveLength(0);
    expect(links.filter((path) => !existsSync(join(ROOT, path)))).toEqual([]);
  });
});

/** A line of the README as an answer may look: `…` stands for anything. */
function patternOf(line: string): RegExp {
  return new RegExp(`^${line.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&').replaceAll('…', '.*')}$`);
}

async function run(script: string, home: string): Promise<{ code: number | null; lines: string[] }> {
  const shell = spawn('sh', ['-e'], {
    env: { ...process.env, HOME: home },
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  shell.stdin.end(script);
  let output = '';
  shell.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
  const [code] = (await once(shell, 'close')) as [number | null];
  return { code, lines: output.split(/\r?\n/).filter((line) => line !== '') };
}

/** Resolves once a process has written `text`; rejects when it ends before that. */
async function outputOf(process: ChildProcess, text: string): Promise<void> {
  let output = '';
  for await (const chunk of process.stdout!) {
    output += String(chunk);
    if (output.includes(text)) return;
  }
  throw new Error(`ended after:\n${output}`);
}
