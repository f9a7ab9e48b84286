import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Random } from '../../bench/random.js';
import { eventually } from '#testing';
import { HttpClient } from '../http-client.js';
import { type Evidence, type Finding } from './checks/evidence.js';
import { judge } from './checks/judge.js';
import { readStored } from './checks/stored.js';
import { type Fault, type Scene, type Struck } from './fault.js';
import { readHistory } from './history.js';
import { Audience } from './audience.js';
import { recordAudit, recordFeeds } from './feed-record.js';
import { Ingress } from './ingress.js';
import { Journal } from './journal.js';
import { makeProject, type Project } from './project.js';
import { Rig, type RigOptions } from './rig.js';
import { overloads, type Overload } from './overload.js';
import { settle, type Settled } from './settled.js';
import { storm } from './storm.js';
import { WriteMix } from './write-mix.js';
import { Workload } from './workload.js';

const PROJECTS = 3;
const PATIENCE_MS = 90_000;
const CATCH_UP_MS = 300_000;
const SETTLE_MS = 120_000;

export interface RunOptions {
  seed: number;
  /** Writes begun a second. */
  rate: number;
  environment?: RigOptions['environment'];
  tell: (line: string) => void;
}

export interface Verdict {
  findings: Finding[];
  struck: readonly Struck[];
  settled: Settled;
  overloads: readonly Overload[];
  acknowledged: number;
  given_up: number;
  failed: number;
  seconds: number;
}

/** One life of the system: started, written to, struck, stopped, judged. */
export class Run {
  readonly struck: Struck[] = [];
  private readonly overloads: Overload[] = [];
  private evidence?: Omit<Evidence, 'overloads'>;
  private readonly started_at = performance.now();

  private constructor(
    readonly options: RunOptions,
    private readonly directory: string,
    readonly rig: Rig,
    readonly projects: readonly Project[],
    readonly ingress: Ingress,
    private readonly journal: Journal,
    private readonly audience: Audience,
    readonly workload: Workload,
  ) {}

  static async start(options: RunOptions): Promise<Run> {
    const { seed, rate, environment, tell } = options;
    const directory = await mkdtemp(join(tmpdir(), 'flotilla-faults-'));
    const rig = await Rig.start({ directory, environment, tell });
    await rig.ready();
    const random = new Random(seed);
    const operator = new HttpClient(rig.gateways[0]!, rig.secrets.FLOTILLA_OPERATOR_KEY);
    const projects: Project[] = [];
    for (let number = 0; number < PROJECTS; number += 1) projects.push(await makeProject(operator, random));
    const ingress = new Ingress(() =>
      rig.replicas.flatMap(({ url, health_url }) => (url ? { url, health_url } : [])),
    );
    const journal = new Journal(join(directory, 'journal.ndjson'));
    const audience = await Audience.gather(ingress, journal, projects);
    const mix = new WriteMix(random, projects);
    const workload = new Workload(ingress, journal, mix, projects, random, {
      rate,
      patience_ms: PATIENCE_MS,
    });
    workload.start();
    return new Run(options, directory, rig, projects, ingress, journal, audience, workload);
  }

  private get operator(): HttpClient {
    return new HttpClient(this.rig.gateways[0]!, this.rig.secrets.FLOTILLA_OPERATOR_KEY);
  }

  get scene(): Scene {
    return { rig: this.rig, projects: this.projects, tell: this.options.tell };
  }

  /** @returns how many were skipped, as this machine cannot do them */
  async strike(faults: readonly Fault[]): Promise<number> {
    const possible = faults.filter(({ needsVolumes }) => this.rig.volumes ?? !needsVolumes);
    this.struck.push(...(await storm(possible, this.scene, this.workload)));
    return faults.length - possible.length;
  }

  /** Has the workload go on until it has this many acknowledgements, for a machine that was too slow for them so far. */
  async acknowledge(least: number): Promise<void> {
    await eventually(() => this.workload.acknowledged >= least, CATCH_UP_MS);
  }

  /** Lets the workload end, repeats a sample of its keys, waits until all has arrived, and looks at what there is. */
  async rest(settle_ms = SETTLE_MS): Promise<void> {
    const { workload, rig, audience, projects, struck } = this;
    await workload.stop();
    await workload.repeatSample();
    const settled = await settle(rig, audience, settle_ms);
    await audience.leave();
    await this.journal.close();
    this.evidence = {
      history: await readHistory(this.journal.file),
      stored: await readStored(rig.postgres.running.url),
      feeds: await recordFeeds(rig),
      audit: await recordAudit(rig),
      ...{ settled, struck, projects },
      logs: await this.logLines(),
    };
  }

  /** Ten times too much, with nothing else going on; its rows are counted, not traced. */
  async overload(): Promise<void> {
    const crowd = await makeProject(this.operator, new Random(this.options.seed + 1));
    this.overloads.push(...(await overloads(this.rig, crowd, this.options.tell)));
  }

  /** Removes all traces, unless there is a violation to look into and `keep` does not say otherwise. */
  async judge({ keep = true } = {}): Promise<Verdict> {
    const { struck, overloads, workload } = this;
    const { settled } = this.evidence!;
    const findings = judge({ ...this.evidence!, overloads });
    await this.stop(keep && findings.some(({ violations }) => violations.length > 0));
    const { acknowledged, given_up, failed } = workload;
    const seconds = (performance.now() - this.started_at) / 1_000;
    return { findings, struck, settled, overloads, acknowledged, given_up, failed, seconds };
  }

  /** Stops every process; what they left behind is kept for whoever wants to look into a violation. */
  async stop(keep = false): Promise<void> {
    await this.audience.leave();
    this.ingress.close();
    await this.rig.stop();
    if (keep) this.options.tell(`journal and logs are in ${this.directory}`);
    else await rm(this.directory, { recursive: true, force: true });
  }

  private async logLines(): Promise<string[]> {
    const logs = join(this.directory, 'logs');
    const texts = await Promise.all((await readdir(logs)).map((file) => readFile(join(logs, file), 'utf8')));
    return texts.flatMap((text) => text.split('\n'));
  }
}

/** What comes of a run; one that breaks off, or is told to stop, leaves no process and no mounted file system behind. */
export async function lived<T>(options: RunOptions, life: (run: Run) => Promise<T>): Promise<T> {
  const starting = Run.start(options);
  let stopped: Promise<void> | undefined;
  // Whoever is told to stop breaks off, too.
  const stop = (keep: boolean): Promise<void> => (stopped ??= starting.then((run) => run.stop(keep)));
  const interrupted = (): void => void stop(false).finally(() => process.exit(130));
  process.once('SIGINT', interrupted).once('SIGTERM', interrupted);
  try {
    return await life(await starting);
  } catch (error) {
    await stop(true);
    throw error;
  } finally {
    process.off('SIGINT', interrupted).off('SIGTERM', interrupted);
  }
}
